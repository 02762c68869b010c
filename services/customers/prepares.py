"""A customer who comes from a lead gets his number in the transaction that registers him, and only if he is new."""

from collections.abc import Mapping

from services.customers import known
from services.customers.domain.customer import customer_number
from services.customers.domain.customer_messages import RegisterCustomer
from services.customers.views.customer_list import table as customers
from shared.decider import replace
from shared.following import Prepare, Preparing
from shared.values.clock import local_day


async def with_number(command: RegisterCustomer, tx: Preparing) -> RegisterCustomer:
    """The registration with the store's next number of that day; without one while the store is not known (see caretaker.py)."""
    store: known.Store | None = (await tx.rows(known.stores, [(command.store_id,)])).get((command.store_id,))
    if store is None or await tx.rows(customers, [(command.customer_id,)]):
        return command
    day = local_day(command.at, store.timezone)
    n = await tx.number(f"C-{store.code}", day)
    return replace(command, number=customer_number(store.code, day, n))


prepares: Mapping[type, Prepare] = {RegisterCustomer: with_number}
