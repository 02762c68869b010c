"""What others' events are booked with: a fact heard after its month was closed counts in the next open one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from services.finance.domain.account_messages import CancelAccount, ChangePrice, RecogniseSale, RecordContract
from services.finance.domain.car_messages import AddCost, ArriveCar, DispatchCar, ReceiveCar, SellCar
from services.finance.domain.entry import CLOSED, period_of
from services.finance.domain.payable import OpenPayable
from services.finance.known import stores_known
from shared.following import Prepare, Preparing


class Books:
    """What was looked up for one batch: its many commands are about few stores and months."""

    def __init__(self) -> None:
        self.entities: dict[str, str | None] = {}
        self.closed: dict[tuple[str, str], bool] = {}

    async def entity_of(self, store_id: str, reads: Preparing) -> str | None:
        """The legal entity of a store; None when it is not known."""
        if store_id not in self.entities:
            found = await reads.rows(stores_known, [(store_id,)])
            self.entities[store_id] = found[store_id,].entity_id if found else None
        return self.entities[store_id]

    async def is_closed(self, entity_id: str, on: date, reads: Preparing) -> bool:
        """Whether the month of a day is closed. Closed since then, its tally refuses the entry."""
        month = (entity_id, period_of(on))
        if month not in self.closed:
            key = "/".join(month)
            self.closed[month] = (await reads.tallies("period", [key]))[key] >= CLOSED
        return self.closed[month]


_looked_up: WeakKeyDictionary[Preparing, Books] = WeakKeyDictionary()


async def in_open_period(command: Any, tx: Preparing) -> Any:
    """The command on the first day, from its own on, whose period is open in the books of its stores."""
    books = _looked_up.setdefault(tx, Books())
    named = (getattr(command, field, None) for field in ("store_id", "from_store", "to_store"))
    entities = [await books.entity_of(store_id, tx) for store_id in named if store_id]
    on: date = command.on
    while any([await books.is_closed(entity, on, tx) for entity in entities if entity]):
        on = (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return replace(command, on=on)


prepares: Mapping[type, Prepare] = dict.fromkeys(
    (RecordContract, ChangePrice, RecogniseSale, CancelAccount, ReceiveCar, AddCost, DispatchCar, ArriveCar, SellCar, OpenPayable),
    in_open_period,
)
