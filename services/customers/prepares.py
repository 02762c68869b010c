"""A customer who comes from a lead gets his number in the transaction that registers him, and only if he is new."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from services.customers import known
from services.customers.domain.customer import customer_number
from services.customers.domain.customer_messages import RegisterCustomer
from services.customers.views.customer_list import table as customers
from shared.following import Prepare, Preparing
from shared.values.clock import local_day

_numbered: WeakKeyDictionary[Preparing, set[str]] = WeakKeyDictionary()
"""Several are registered in one transaction, and none of them is in the view before it ends."""


async def with_number(command: Any, tx: Preparing) -> Any:
    """The registration with the store's next number of that day. KeyError while the store is not known: it is tried again."""
    numbered = _numbered.setdefault(tx, set())
    if command.customer_id in numbered or await tx.rows(customers, [(command.customer_id,)]):
        return command
    numbered.add(command.customer_id)
    store: known.Store = (await tx.rows(known.stores, [(command.store_id,)]))[command.store_id,]
    day = local_day(command.at, store.timezone)
    n = await tx.number(f"C-{store.code}", day)
    return replace(command, number=customer_number(store.code, day, n))


prepares: Mapping[type, Prepare] = {RegisterCustomer: with_number}
