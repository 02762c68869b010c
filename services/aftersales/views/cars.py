"""The cars in our care, one row per VIN, with every owner it had."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.aftersales.domain.car import CarEnrolled, Event, KilometresRead, OwnerChanged
from services.aftersales.known import customers_known
from services.aftersales.views.shown import HIDDEN, opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class Owner:
    customer_id: str
    since: datetime
    order_id: str | None


@message
class CarRow:
    """Of every store: a car is serviced wherever it comes. `backwards`: the last reading was below an earlier one."""

    vin: str
    customer_id: str
    enrolled_at: datetime
    enrolled_by: str
    """The store."""
    owners: tuple[Owner, ...]
    kilometres: int
    kilometres_at: datetime | None
    backwards: bool
    version: int


cars = Table("cars", 1, CarRow, key=("vin",), store=None, indexes=("customer_id, vin",))


def apply(row: CarRow | None, recorded: Recorded[Event]) -> CarRow | None:
    """The car's row after an event."""
    event, at = recorded.event, recorded.occurred_at
    match event:
        case CarEnrolled(vin=vin, customer_id=customer_id, order_id=order_id, store_id=store_id):
            return CarRow(
                vin=vin,
                customer_id=customer_id,
                enrolled_at=at,
                enrolled_by=store_id,
                owners=(Owner(customer_id=customer_id, since=at, order_id=order_id),),
                kilometres=0,
                kilometres_at=None,
                backwards=False,
                version=recorded.version,
            )
        case OwnerChanged(customer_id=customer_id, order_id=order_id) if row:
            owner = Owner(customer_id=customer_id, since=at, order_id=order_id)
            return replace(row, customer_id=customer_id, owners=(*row.owners, owner), version=recorded.version)
        case KilometresRead(kilometres=kilometres, backwards=backwards) if row:
            return replace(row, kilometres=kilometres, kilometres_at=at, backwards=backwards, version=recorded.version)
        case _:
            return row


car_list = Fold(cars, apply)

CARS = (
    f"select cars.*, customer.name as customer from {cars.sql_name} cars left join {customers_known.sql_name} customer using (customer_id)"
)


@router.get(
    "/service-cars",
    summary="Cars in our care",
    response_model=page_of("ServiceCar", CarRow, also={"customer": str}),
    openapi_extra=needs("service.work", "service.read"),
)
async def list_cars(call: Call, paging: Paging, customer_id: Id | None = None) -> Page:
    """By VIN; of every store. Whose it is, is told of a car that one's store took in, and to who names the customer: nobody lists all stores' customers."""
    found = await page(call, CARS, paging, order="vin", where={"customer_id": customer_id})
    own = []
    for row in found["items"]:
        if customer_id or call.auth.has_store(row["enrolled_by"]):
            own.append(row)
        else:
            row["customer"] = HIDDEN
    await opened(call, own, "customer")
    return found


@router.get(
    "/service-cars/{vin}",
    summary="A car in our care",
    response_model=shape("ServiceCar", CarRow, also={"customer": str}),
    openapi_extra=needs("service.work", "service.read"),
)
async def show_car(vin: VinText, call: Call) -> dict[str, Any]:
    """Its owner, its owners before and its kilometres; what was done to it is under work orders."""
    return (await opened(call, [await call.need(f"{CARS} where vin = %s", [vin])], "customer"))[0]
