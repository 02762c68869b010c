"""The fulfilment book: what each order asked of inventory for its car, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from fastapi import APIRouter

from services.orders.processes import fulfilment as f
from services.orders.views.shown import READ
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.route import CommandRoute, needs
from shared.web.shape import shape


@dataclass(frozen=True, kw_only=True)
class Step:
    """`what` is asked, held (`until` then, again when for longer), denied or release-asked."""

    what: str
    request_id: str
    vin: str
    reason: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FulfilmentRow:
    """`store_id` is empty until the order has been heard of."""

    order_id: str
    version: int
    store_id: str = ""
    phase: str = "unheard"
    vin: str | None = None
    steps: tuple[Step, ...] = ()
    changed_at: datetime


def apply(row: FulfilmentRow | None, recorded: Recorded[f.Event]) -> FulfilmentRow:
    """The row after one more event."""
    order_id = recorded.stream.removeprefix("fulfilment-")
    row = row or FulfilmentRow(order_id=order_id, version=0, changed_at=recorded.occurred_at)
    row = replace(row, version=recorded.version, changed_at=recorded.occurred_at)
    at = recorded.occurred_at
    match recorded.event:
        case f.OrderHeard(store_id=store_id, phase=phase, vin=vin):
            return replace(row, store_id=store_id, phase=phase, vin=vin)
        case f.VehicleRequested(request_id=request_id, vin=vin):
            return with_step(row, Step(what="asked", request_id=request_id, vin=vin, reason="", at=at))
        case f.VehicleHeld(request_id=request_id, vin=vin, until=until):
            return with_step(row, Step(what="held", request_id=request_id, vin=vin, reason="", at=at, until=until))
        case f.VehicleDenied(request_id=request_id, vin=vin, reason=reason):
            return with_step(row, Step(what="denied", request_id=request_id, vin=vin, reason=reason, at=at))
        case f.VehicleReleaseRequested(request_id=request_id, vin=vin, reason=reason):
            return with_step(row, Step(what="release-asked", request_id=request_id, vin=vin, reason=reason, at=at))
        case f.VehicleSecured() | f.VehicleLost():
            return row
        case unknown:
            assert_never(unknown)


def with_step(row: FulfilmentRow, step: Step) -> FulfilmentRow:
    """The row with one more step."""
    return replace(row, steps=(*row.steps, step))


table = Table("fulfilment_book", 1, FulfilmentRow, key=("order_id",), indexes=("store_id",))
fulfilment_book = Fold(table, apply)

router = APIRouter(route_class=CommandRoute)


@router.get(
    "/orders/{order_id}/fulfilment",
    summary="What an order asked of inventory for its car",
    response_model=shape("Fulfilment", FulfilmentRow),
    openapi_extra=needs(READ),
)
async def fulfilment(order_id: Id, call: Call) -> dict[str, Any]:
    return await call.need(f"select * from {table.sql_name} where order_id = %s", [order_id])
