"""Purchase orders: what was ordered, what has come, and what did not fit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.inventory.domain import purchase_order
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

type Status = Literal["ordered", "completed", "closed"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """`unit_price` in minor units, net of VAT."""

    trim_id: str
    quantity: int
    unit_price: int


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A car that came; `discrepancy` is what did not fit."""

    stay_id: str
    vin: str
    trim_id: str
    discrepancy: str | None = None


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderRow:
    purchase_order_id: str
    store_id: str
    entity_id: str
    number: str
    supplier: str
    status: str
    lines: tuple[Line, ...]
    receipts: tuple[Receipt, ...] = ()
    outstanding: int
    total: int
    currency: str
    placed_at: datetime
    version: int = 1


purchase_orders = Table(
    "purchase_orders", 1, PurchaseOrderRow, key=("purchase_order_id",), indexes=("store_id, placed_at desc, purchase_order_id",)
)


def apply(row: PurchaseOrderRow | None, recorded: Recorded[purchase_order.Event]) -> PurchaseOrderRow | None:
    """The purchase order as it is after the event."""
    if isinstance(recorded.event, purchase_order.PurchaseOrdered):
        return _placed(recorded.event, recorded)
    return replace(_changed(row, recorded.event), version=recorded.version) if row else None


def _placed(event: purchase_order.PurchaseOrdered, recorded: Recorded[purchase_order.Event]) -> PurchaseOrderRow:
    lines = [Line(trim_id=line.trim_id, quantity=line.quantity, unit_price=line.unit_price.minor) for line in event.lines]
    return PurchaseOrderRow(
        purchase_order_id=event.purchase_order_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        number=event.number,
        supplier=event.supplier,
        status="ordered",
        lines=tuple(lines),
        outstanding=sum(line.quantity for line in lines),
        total=event.total.minor,
        currency=event.total.currency,
        placed_at=recorded.occurred_at,
        version=recorded.version,
    )


def _changed(row: PurchaseOrderRow, event: purchase_order.Event) -> PurchaseOrderRow:
    match event:
        case purchase_order.ReceiptNoted(stay_id=stay_id, vin=vin, trim_id=trim_id, outstanding=outstanding):
            came = Receipt(stay_id=stay_id, vin=vin, trim_id=trim_id)
            return replace(row, receipts=(*row.receipts, came), outstanding=outstanding)
        case purchase_order.DiscrepancyNoted(stay_id=stay_id, kind=kind):
            marked = (replace(came, discrepancy=kind) if came.stay_id == stay_id else came for came in row.receipts)
            return replace(row, receipts=tuple(marked))
        case purchase_order.PurchaseOrderCompleted():
            return replace(row, status="completed")
        case purchase_order.PurchaseOrderClosed():
            return replace(row, status="closed")
        case _:
            return row


purchase_order_list = Fold(purchase_orders, apply)

router = APIRouter(route_class=CommandRoute)


LINE = shape("PurchaseOrderLine", Line, amounts=("unit_price",))
PURCHASE_ORDER = shape("PurchaseOrder", PurchaseOrderRow, without=("currency",), amounts=("total",), also={"lines": [LINE]})


@router.get(
    "/purchase-orders",
    summary="List purchase orders",
    response_model=page_of(PURCHASE_ORDER),
    openapi_extra=needs("inventory.order", "inventory.cost"),
)
async def list_purchase_orders(call: Call, paging: Paging, store_id: Id | None = None, status: Status | None = None) -> Page:
    """Purchase orders of the caller's stores, newest first."""
    where = {"store_id": store_id, "status": status}
    found = await page(call, purchase_orders, paging, order="placed_at desc, purchase_order_id", where=where)
    found["items"] = [_shown(row) for row in found["items"]]
    return found


@router.get(
    "/purchase-orders/{purchase_order_id}",
    summary="Show a purchase order",
    response_model=PURCHASE_ORDER,
    openapi_extra=needs("inventory.order", "inventory.cost"),
)
async def show_purchase_order(purchase_order_id: Id, call: Call) -> dict[str, Any]:
    """A purchase order with what came against it."""
    return _shown(await call.need(f"select * from {purchase_orders.sql_name} where purchase_order_id = %s", [purchase_order_id]))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A purchase order as it crosses the API."""
    currency = row.pop("currency")
    lines = [{**line, "unit_price": amount(Money(line["unit_price"], currency))} for line in row["lines"]]
    return {**row, "lines": lines, "total": amount(Money(row["total"], currency))}
