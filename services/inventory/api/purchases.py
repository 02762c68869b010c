"""Cars are ordered from suppliers and received, against an order or without."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from services.inventory.api.refer import Name, books_of, in_currency, unknown
from services.inventory.domain import car, purchase_order
from services.inventory.views.purchase_orders import purchase_orders
from services.inventory.views.trims import trims
from shared.handling import Done, Number
from shared.values.clock import local_day
from shared.values.ids import new_id
from shared.values.money import Money
from shared.web.body import Body, Day, Id, NonNegativeAmount, PositiveAmount, VinText
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class OrderedLine(Body):
    trim_id: Id
    quantity: Annotated[int, Field(ge=1, le=1000, examples=[5])]
    unit_price: PositiveAmount


class NewPurchaseOrder(Body):
    store_id: Id
    supplier: Name
    lines: Annotated[list[OrderedLine], Field(min_length=1, max_length=200)]


@router.post("/purchase-orders", status_code=201, summary="Order cars from a supplier", openapi_extra=needs("inventory.order"))
async def place_purchase_order(body: NewPurchaseOrder, call: Call) -> Done:
    """Prices are per car and net of VAT, in the currency of the store's books."""
    books = await books_of(call, body.store_id)
    in_currency(books, *(line.unit_price for line in body.lines))
    wanted = list({line.trim_id for line in body.lines})
    if len(await call.rows(f"select trim_id from {trims.sql_name} where trim_id = any(%s)", [wanted])) < len(wanted):
        raise unknown("lines.trim_id")
    purchase_order_id, day = new_id(), local_day(call.at, books["timezone"])

    def place(n: int) -> purchase_order.PlacePurchaseOrder:
        return purchase_order.PlacePurchaseOrder(
            purchase_order_id=purchase_order_id,
            number=f"PO-{books['code']}-{day:%Y%m%d}-{n:03}",
            supplier=body.supplier,
            store_id=body.store_id,
            entity_id=books["entity_id"],
            lines=tuple(purchase_order.Line(**dict(line)) for line in body.lines),
            at=call.at,
        )

    number = Number(series=f"PO-{books['code']}", day=day)
    return await call.handle("purchase", purchase_order_id, place, number=number, store_id=body.store_id)


@router.post("/purchase-orders/{purchase_order_id}/close", summary="Close an order short", openapi_extra=needs("inventory.order"))
async def close_purchase_order(purchase_order_id: Id, call: Call) -> Done:
    """Nothing more will come."""
    return await call.handle("purchase", purchase_order_id, purchase_order.ClosePurchaseOrder(by=call.staff, at=call.at))


class Arrival(Body):
    """`vin_confirmed` by a manager lets a VIN pass whose check digit does not fit, where no law asks for one."""

    vin: VinText
    trim_id: Id
    category: car.Category = "new"
    purchase: PositiveAmount
    rebate: NonNegativeAmount | None = None
    freight: NonNegativeAmount | None = None
    preparation: NonNegativeAmount | None = None
    input_vat: NonNegativeAmount | None = None
    certificate: car.Certificate
    acquired_on: Day | None = None
    vin_confirmed: bool = False

    def amounts(self) -> list[Money]:
        """All that were given."""
        parts = (self.purchase, self.rebate, self.freight, self.preparation, self.input_vat)
        return [part for part in parts if part is not None]

    def cost(self) -> car.LandedCost:
        """What was not given is zero."""
        zero = Money(0, self.purchase.currency)
        return car.LandedCost(
            purchase=self.purchase,
            rebate=self.rebate or zero,
            freight=self.freight or zero,
            preparation=self.preparation or zero,
        )


class ArrivalWithoutOrder(Arrival):
    store_id: Id
    supplier: Name


async def receive(call: Call, body: Arrival, books: dict[str, Any], supplier: str, purchase_order_id: str | None) -> Done:
    """Begins the stay of a car at the store of these books."""
    in_currency(books, *body.amounts())
    listed = await call.one(f"select brand, series from {trims.sql_name} where trim_id = %s", [body.trim_id])
    if listed is None:
        raise unknown("trim_id")
    if body.vin_confirmed and not call.auth.may("inventory.approve"):
        raise Problem("forbidden", "Only a manager confirms a VIN whose check digit does not fit.")
    today: date = local_day(call.at, books["timezone"])
    if body.acquired_on and body.acquired_on > today:
        raise Problem("in-the-future", errors=[FieldError("acquired_on", "lies in the future")])
    stay_id = new_id()
    command = car.ReceiveVehicle(
        stay_id=stay_id,
        vin=body.vin,
        trim_id=body.trim_id,
        brand=listed["brand"],
        series=listed["series"],
        category=body.category,
        store_id=books["store_id"],
        entity_id=books["entity_id"],
        supplier=supplier,
        purchase_order_id=purchase_order_id,
        cost=body.cost(),
        input_vat=body.input_vat or Money(0, body.purchase.currency),
        acquired_on=body.acquired_on or today,
        certificate=body.certificate,
        confirmed_by=call.staff if body.vin_confirmed else None,
        at=call.at,
    )
    return await call.handle("stay", stay_id, command, store_id=books["store_id"])


@router.post(
    "/purchase-orders/{purchase_order_id}/receive",
    status_code=201,
    summary="Receive a car against a purchase order",
    openapi_extra=needs("inventory.receive", "inventory.approve", location="/stays/{id}"),
)
async def receive_against_order(purchase_order_id: Id, body: Arrival, call: Call) -> Done:
    """Begins the car's stay with its landed cost; what does not fit the order is noted there, never refused."""
    ordered = await call.need(
        f"select store_id, supplier from {purchase_orders.sql_name} where purchase_order_id = %s", [purchase_order_id]
    )
    books = await books_of(call, ordered["store_id"])
    return await receive(call, body, books, ordered["supplier"], purchase_order_id)


@router.post(
    "/vehicles",
    status_code=201,
    summary="Receive a car without a purchase order",
    openapi_extra=needs("inventory.receive", "inventory.approve", location="/stays/{id}"),
)
async def receive_vehicle(body: ArrivalWithoutOrder, call: Call) -> Done:
    """A used car, a trade-in, a car that comes as it is."""
    return await receive(call, body, await books_of(call, body.store_id), body.supplier, None)
