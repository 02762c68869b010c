"""The order book: every order with its terms, its car, its money and what is still open."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, assert_never

from fastapi import APIRouter

from services.orders.domain import order_messages as m
from services.orders.domain.order import Event
from services.orders.views.shown import READ, may_see_person, shown
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

type Stage = Literal["placed", "submitted", "approved", "signed", "delivered", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """Amounts are minor units of `currency`. `vehicle` is none, asked, held, missing or delivered; `car_at` the store it stands in."""

    order_id: str
    version: int
    number: str
    store_id: str
    entity_id: str
    customer_id: str
    opportunity_id: str | None
    quote_id: str | None
    seller_id: str
    trim_id: str
    vin: str | None
    options: tuple[str, ...]
    list_price: int
    price: int
    down_payment: int
    currency: str
    deliver_on: date | None
    stage: str = "placed"
    approved_by: str | None = None
    vehicle: str = "none"
    request_id: str | None = None
    stay_id: str | None = None
    car_at: str | None = None
    car_since: datetime | None = None
    sha256: str | None = None
    document: str | None = None
    signer: str | None = None
    signed_at: datetime | None = None
    earnest_agreed: int = 0
    paid: int = 0
    earnest: int = 0
    invoice_number: str | None = None
    checklist: tuple[str, ...]
    passed: tuple[str, ...] = ()
    changes: tuple[m.OrderChanged, ...] = ()
    cancel_reason: str | None = None
    placed_at: datetime
    changed_at: datetime


def apply(row: OrderRow | None, recorded: Recorded[Event]) -> OrderRow | None:
    """The row after one more event."""
    event = recorded.event
    if isinstance(event, m.OrderPlaced):
        return placed(event, recorded)
    if row is None:
        return None
    row = replace(row, version=recorded.version, changed_at=recorded.occurred_at)
    match event:
        case m.OrderSubmitted():
            return replace(row, stage="submitted")
        case m.OrderApproved(by=by):
            return replace(row, stage="approved", approved_by=by, vehicle="held" if row.vehicle == "held" else "asked")
        case m.VehicleConfirmed() | m.VehicleMissed() | m.CarArrived():
            return car(row, event)
        case m.ContractSigned(earnest=earnest, sha256=sha256, document=document, signer=signer):
            signed = replace(row, stage="signed", earnest_agreed=earnest.minor, sha256=sha256, document=document, signer=signer)
            return replace(signed, signed_at=recorded.occurred_at)
        case m.PaymentRecorded(paid_total=paid, earnest=earnest):
            return replace(row, paid=paid.minor, earnest=row.earnest + earnest.minor if paid.minor else 0)
        case m.InvoiceRecorded(number=number):
            return replace(row, invoice_number=number)
        case m.InvoiceReversed():
            return replace(row, invoice_number=None)
        case m.ItemChecked(item=item, passed=passed):
            others = tuple(other for other in row.passed if other != item)
            return replace(row, passed=(*others, item) if passed else others)
        case m.OrderDelivered():
            return replace(row, stage="delivered", vehicle="delivered")
        case m.OrderChanged():
            return changed(row, event)
        case m.OrderCancelled(reason=reason):
            return replace(row, stage="cancelled", cancel_reason=reason, vehicle="none")
        case unknown:
            assert_never(unknown)


def placed(event: m.OrderPlaced, recorded: Recorded[Event]) -> OrderRow:
    """The row of a new order."""
    sale = event.sale
    row = OrderRow(
        order_id=sale.order_id,
        version=recorded.version,
        number=sale.number,
        store_id=sale.store_id,
        entity_id=sale.entity_id,
        customer_id=sale.customer_id,
        opportunity_id=sale.opportunity_id,
        quote_id=sale.quote_id,
        seller_id=sale.seller_id,
        trim_id="",
        vin=None,
        options=(),
        list_price=0,
        price=0,
        down_payment=0,
        currency=event.terms.price.currency,
        deliver_on=None,
        checklist=sale.checklist,
        placed_at=recorded.occurred_at,
        changed_at=recorded.occurred_at,
    )
    return agreed(row, event.terms)


def agreed(row: OrderRow, terms: m.Terms) -> OrderRow:
    """The terms as columns."""
    return replace(
        row,
        trim_id=terms.trim_id,
        vin=terms.vin,
        options=terms.options,
        list_price=terms.list_price.minor,
        price=terms.price.minor,
        down_payment=terms.down_payment.minor,
        deliver_on=terms.deliver_on,
    )


def car(row: OrderRow, event: m.VehicleConfirmed | m.VehicleMissed | m.CarArrived) -> OrderRow:
    """The car reserved or lost, and the store it was seen in last."""
    match event:
        case m.VehicleMissed(request_id=request_id):
            mine = row.request_id in (None, request_id)
            return replace(row, vehicle="missing", stay_id=None, request_id=None) if mine else row
        case m.VehicleConfirmed(request_id=request_id, stay_id=stay_id):
            row = replace(row, vehicle="held", stay_id=stay_id, request_id=request_id)
    if row.car_since is not None and row.car_since > event.at:
        return row
    return replace(row, car_at=event.store_id, car_since=event.at)


def changed(row: OrderRow, event: m.OrderChanged) -> OrderRow:
    """New terms; the old ones stay beside them."""
    stage = "placed" if row.stage == "placed" else "submitted"
    row = replace(agreed(row, event.new), stage=stage, changes=(*row.changes, event), approved_by=None)
    row = replace(row, sha256=None, document=None, signer=None, signed_at=None, earnest_agreed=0)
    if event.new.vin == event.old.vin:
        return row
    return replace(row, vehicle="none", request_id=None, stay_id=None, car_at=None, car_since=None, passed=())


table = Table("order_book", 1, OrderRow, key=("order_id",), indexes=("store_id, placed_at desc, order_id", "customer_id", "vin"))
order_book = Fold(table, apply)

_LISTED = (
    "order_id",
    "version",
    "number",
    "store_id",
    "customer_id",
    "seller_id",
    "trim_id",
    "vin",
    "price",
    "currency",
    "paid",
    "stage",
    "vehicle",
    "deliver_on",
    "placed_at",
)

router = APIRouter(route_class=CommandRoute)


_AMOUNTS = ("list_price", "price", "down_payment", "paid", "earnest", "earnest_agreed")
_INSIDE = ("document", "request_id", "car_since")
ORDER = shape("Order", OrderRow, without=("currency", *_INSIDE), amounts=_AMOUNTS, also={"open_items": list[str]})


@router.get(
    "/orders",
    summary="Orders, newest first",
    response_model=page_of("OrderListed", OrderRow, only=_LISTED, without=("currency",), amounts=("price", "paid")),
    openapi_extra=needs(READ),
)
async def orders(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    customer_id: Id | None = None,
    seller_id: Id | None = None,
    vin: VinText | None = None,
    stage: Stage | None = None,
) -> Page:
    where = {"store_id": store_id, "customer_id": customer_id, "seller_id": seller_id, "vin": vin, "stage": stage}
    found = await page(call, table, paging, order="placed_at desc, order_id desc", where=where, columns=_LISTED)
    return {"items": [shown(row, "price", "paid") for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/orders/{order_id}", summary="An order with its terms, changes and what is still open", response_model=ORDER, openapi_extra=needs(READ)
)
async def order(order_id: Id, call: Call) -> dict[str, Any]:
    row = await row_of(call, order_id)
    row["signer"] = await call.vault.open(row["signer"]) if may_see_person(call, row) else None
    row["open_items"] = [item for item in row["checklist"] if item not in row["passed"]]
    return shown({name: value for name, value in row.items() if name not in _INSIDE}, *_AMOUNTS)


async def row_of(call: Call, order_id: str) -> dict[str, Any]:
    """An order's row; 404 when it is not the caller's."""
    return await call.need(f"select * from {table.sql_name} where order_id = %s", [order_id])
