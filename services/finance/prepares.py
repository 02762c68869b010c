"""What others' events are booked with: the day at their store, and when its month was closed before, the first of the next open one."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from services.finance.domain.account_messages import CancelAccount, ChangePrice, RecogniseSale, RecordContract
from services.finance.domain.car_messages import AddCost, ArriveCar, DispatchCar, ReceiveCar, SellCar
from services.finance.domain.entry import CLOSED, period_of
from services.finance.domain.payable import OpenPayable
from services.finance.domain.rates import business_day
from services.finance.known import KnownStore, stores_known
from shared.decider import replace
from shared.following import Prepare, Preparing


class Books:
    """What was looked up for one batch: its many commands are about few stores and months."""

    def __init__(self) -> None:
        self.stores: dict[str, KnownStore | None] = {}
        self.closed: dict[tuple[str, str], bool] = {}

    async def store(self, store_id: str, reads: Preparing) -> KnownStore | None:
        """A store; None when it is not known yet."""
        if store_id not in self.stores:
            found = await reads.rows(stores_known, [(store_id,)])
            self.stores[store_id] = found[store_id,] if found else None
        return self.stores[store_id]

    async def is_closed(self, entity_id: str, on: date, reads: Preparing) -> bool:
        """Whether the month of a day is closed. Closed since then, its tally refuses the entry."""
        month = (entity_id, period_of(on))
        if month not in self.closed:
            key = "/".join(month)
            self.closed[month] = (await reads.tallies("period", [key]))[key] >= CLOSED
        return self.closed[month]


_looked_up: WeakKeyDictionary[Preparing, Books] = WeakKeyDictionary()


async def on_its_day(command: Any, tx: Preparing) -> Any:
    """The command on the day it happened at its store, or what `in_open_period` makes of that. Of a car that moves, where it goes to decides."""
    stores = await _stores(command, tx)
    return await in_open_period(replace(command, on=business_day(command.at, stores[0].timezone)) if stores else command, tx)


async def in_open_period(command: Any, tx: Preparing) -> Any:
    """The command on the first day, from its own on, whose period is open in the books of its stores."""
    entities = {store.entity_id for store in await _stores(command, tx)}
    books = _looked_up[tx]
    on: date = command.on
    while any([await books.is_closed(entity, on, tx) for entity in entities]):
        on = (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return replace(command, on=on)


async def _stores(command: Any, tx: Preparing) -> list[KnownStore]:
    """The stores it is about, as far as they are known."""
    books = _looked_up.setdefault(tx, Books())
    named = (getattr(command, field, None) for field in ("to_store", "store_id", "from_store"))
    return [store for store in [await books.store(id, tx) for id in named if id] if store]


prepares: Mapping[type, Prepare] = {
    SellCar: in_open_period,
    **dict.fromkeys(
        (RecordContract, ChangePrice, RecogniseSale, CancelAccount, ReceiveCar, AddCost, DispatchCar, ArriveCar, OpenPayable), on_its_day
    ),
}
