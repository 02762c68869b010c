"""What suppliers are owed, and the payment vouchers."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.finance.domain.payable import Event, PayableOpened, PaymentDeclined, PaymentMade, PaymentRequested
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class PayableRow:
    """`amount` in minor units; `status` open, requested or paid; the voucher's fields are empty while there is none."""

    payable_id: str
    supplier: str
    entity_id: str
    store_id: str
    amount: int
    currency: str
    source: str
    reference: str
    opened_at: datetime
    status: str
    payment_id: str
    number: str
    requested_by: str
    approved_by: str
    version: int


payables = Table("payables", 1, PayableRow, key=("payable_id",), indexes=("status, opened_at", "store_id, opened_at", "payment_id"))


def apply(row: PayableRow | None, recorded: Recorded[Event]) -> PayableRow | None:
    """The payable's row after an event."""
    event, version = recorded.event, recorded.version
    match event:
        case PayableOpened():
            return PayableRow(
                payable_id=event.payable_id,
                supplier=event.supplier,
                entity_id=event.entity_id,
                store_id=event.store_id,
                amount=event.amount.minor,
                currency=event.amount.currency,
                source=event.source,
                reference=event.reference,
                opened_at=recorded.occurred_at,
                status="open",
                payment_id="",
                number="",
                requested_by="",
                approved_by="",
                version=version,
            )
        case PaymentRequested(payment_id=payment_id, number=number, by=by) if row:
            return replace(row, status="requested", payment_id=payment_id, number=number, requested_by=by, version=version)
        case PaymentDeclined() if row:
            return replace(row, status="open", payment_id="", number="", requested_by="", version=version)
        case PaymentMade(by=by) if row:
            return replace(row, status="paid", approved_by=by, version=version)
        case _:
            return row


payable_book = Fold(payables, apply)


@router.get(
    "/payables",
    summary="What suppliers are owed",
    response_model=page_of("Payable", PayableRow, amounts=("amount",)),
    openapi_extra=needs("finance.read"),
)
async def list_payables(
    call: Call, paging: Paging, store_id: Id | None = None, status: Literal["open", "requested", "paid"] | None = None
) -> Page:
    """Oldest first."""
    found = await page(call, payables, paging, order="opened_at, payable_id", where={"store_id": store_id, "status": status})
    return {"items": [shown(row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/payments",
    summary="Payment vouchers",
    response_model=page_of("Payable", PayableRow, amounts=("amount",)),
    openapi_extra=needs("finance.read"),
)
async def list_payments(call: Call, paging: Paging, store_id: Id | None = None) -> Page:
    """Requested and paid ones, by number."""
    where = {"store_id": store_id, "status": ["requested", "paid"]}
    found = await page(call, payables, paging, order="number, payable_id", where=where)
    return {"items": [shown(row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/payments/{payment_id}",
    summary="A payment voucher",
    response_model=shape("Payable", PayableRow, amounts=("amount",)),
    openapi_extra=needs("finance.read"),
)
async def show_payment(call: Call, payment_id: Id) -> dict[str, Any]:
    """What is paid, to whom, who asked and who approved."""
    return shown(await call.need(f"select * from {payables.sql_name} where payment_id = %s", [payment_id]))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its amount."""
    return row | {"amount": amount(Money(row["amount"], row["currency"]))}
