"""What others' events are booked with: a fact heard after its month was closed counts in the next open one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from services.finance.domain.account_messages import CancelAccount, ChangePrice, RecogniseSale, RecordContract
from services.finance.domain.car_messages import AddCost, ArriveCar, DispatchCar, ReceiveCar, SellCar
from services.finance.domain.entry import CLOSED, period_of
from services.finance.domain.payable import OpenPayable
from services.finance.known import stores_known
from shared.following import Prepare, Preparing


async def in_open_period(command: Any, tx: Preparing) -> Any:
    """The command on the first day, from its own on, whose period is open in the books of its stores."""
    named = (getattr(command, field, None) for field in ("store_id", "from_store", "to_store"))
    stores = await tx.rows(stores_known, [(store_id,) for store_id in named if store_id])
    entities = {store.entity_id for store in stores.values()}
    on: date = command.on
    while entities and max((await tx.tallies("period", [f"{entity}/{period_of(on)}" for entity in entities])).values()) >= CLOSED:
        on = (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return replace(command, on=on)


prepares: Mapping[type, Prepare] = dict.fromkeys(
    (RecordContract, ChangePrice, RecogniseSale, CancelAccount, ReceiveCar, AddCost, DispatchCar, ArriveCar, SellCar, OpenPayable),
    in_open_period,
)
