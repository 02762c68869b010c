"""Cars at book cost: what the ledger's stock account consists of."""

from fastapi import APIRouter

from services.finance.domain.car_messages import CarArrived, CarCostAdded, CarDispatched, CarReceived, CarSold, Event
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of

router = APIRouter(route_class=CommandRoute)


@message
class CarRow:
    """`cost` in minor units; `status` in-stock, in-transit or sold."""

    stay_id: str
    vin: str
    entity_id: str
    store_id: str
    cost: int
    currency: str
    status: str
    order_id: str | None


cars = Table("cars", 1, CarRow, key=("stay_id",), indexes=("vin", "store_id, vin"))


def apply(row: CarRow | None, recorded: Recorded[Event]) -> CarRow | None:
    """The car's row after an event."""
    event = recorded.event
    if isinstance(event, CarReceived):
        return CarRow(
            stay_id=event.stay_id,
            vin=event.vin,
            entity_id=event.entity_id,
            store_id=event.store_id,
            cost=event.book_cost.minor,
            currency=event.book_cost.currency,
            status="in-stock",
            order_id=None,
        )
    if row is None:
        return None
    match event:
        case CarCostAdded(amount=added):
            return replace(row, cost=row.cost + added.minor)
        case CarDispatched():
            return replace(row, status="in-transit")
        case CarArrived(store_id=store_id, entity_id=entity_id, transport=transport):
            return replace(row, store_id=store_id, entity_id=entity_id, cost=row.cost + transport.minor, status="in-stock")
        case CarSold(order_id=order_id):
            return replace(row, status="sold", order_id=order_id)
        case _:
            return row


car_book = Fold(cars, apply)


@router.get(
    "/ledger/cars",
    summary="Cars at book cost",
    response_model=page_of("CarAtCost", CarRow, amounts=("cost",)),
    openapi_extra=needs("finance.read"),
)
async def list_cars(call: Call, paging: Paging, store_id: Id | None = None, vin: VinText | None = None) -> Page:
    """By VIN; those in stock and in transit make up accounts 1405 and 1402."""
    found = await page(call, cars, paging, order="vin, stay_id", where={"store_id": store_id, "vin": vin})
    items = [row | {"cost": amount(Money(row["cost"], row["currency"]))} for row in found["items"]]
    return {"items": items, "next_cursor": found["next_cursor"]}
