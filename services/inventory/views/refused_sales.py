"""Sales that stock could not enter: the car is with its customer, and somebody has to put the books right."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from services.inventory.domain import car
from services.inventory.views.stock import stock
from shared.events.envelope import Recorded
from shared.views.table import Rows, Table
from shared.web.body import Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of


@dataclass(frozen=True, kw_only=True)
class RefusedSaleRow:
    """`store_id` is the selling store."""

    event_id: str
    stay_id: str
    vin: str
    store_id: str
    order_id: str
    problem: str
    reason: str
    refused_at: datetime


refused_sales = Table("refused_sales", 1, RefusedSaleRow, key=("event_id",), indexes=("store_id, refused_at desc",))


def apply(recorded: Recorded[car.Event]) -> list[RefusedSaleRow]:
    """A row for each refusal."""
    match recorded.event:
        case car.SaleRefused() as event:
            refused = RefusedSaleRow(
                event_id=str(recorded.id),
                stay_id=event.stay_id,
                vin=event.vin,
                store_id=event.store_id,
                order_id=event.order_id,
                problem=event.problem,
                reason=event.reason,
                refused_at=recorded.occurred_at,
            )
            return [refused]
        case _:
            return []


refused_sale_list = Rows(refused_sales, apply)

router = APIRouter(route_class=CommandRoute)

_WITH_CAR = f"""select refused.*, car.status, car.reserved_for, car.sold_under
    from {refused_sales.sql_name} refused left join {stock.sql_name} car using (stay_id)"""


@router.get(
    "/stays/refused-sales",
    summary="Sales that stock could not enter",
    response_model=page_of("RefusedSale", RefusedSaleRow, also=dict.fromkeys(("status", "reserved_for", "sold_under"), str | None)),
    openapi_extra=needs("inventory.receive", "inventory.approve"),
)
async def list_refused_sales(call: Call, paging: Paging, store_id: Id | None = None, vin: VinText | None = None) -> Page:
    """Of the caller's stores, newest first, with what stock says of the car now; settled when `sold_under` is the order."""
    where = {"store_id": store_id, "vin": vin}
    return await page(call, _WITH_CAR, paging, order="refused_at desc, event_id", where=where)
