"""What finance tells the other contexts of its private events; every entry is told as such."""

from typing import Any

from services.finance.domain import account, car, payable
from services.finance.domain.account_messages import InvoiceIssued, InvoiceReversed, ReceiptTaken, RefundPaid
from services.finance.domain.car_messages import CarSold, LateCostAdded
from services.finance.domain.entry import Entry
from services.finance.domain.payable import PaymentMade
from services.finance.domain.standing import Account
from shared.contracts import finance as public
from shared.values.money import Money


def publish_account(event: Any, state: account.State) -> list[Any]:
    """Receipts, refunds and invoices of an order, with the order's paid total after them."""
    if not isinstance(state, Account):
        return []
    told: list[Any] = []
    paid = Money(state.paid, state.currency)
    match event:
        case ReceiptTaken():
            told = [
                public.PaymentReceived(
                    order_id=state.order_id,
                    receipt_id=event.receipt_id,
                    number=event.number,
                    kind=event.kind,
                    method=event.method,
                    amount=event.amount,
                    earnest=event.earnest,
                    paid_total=paid,
                    customer_id=state.customer_id,
                    store_id=state.store_id,
                )
            ]
        case RefundPaid():
            told = [
                public.PaymentRefunded(
                    order_id=state.order_id,
                    refund_id=event.refund_id,
                    number=event.number,
                    amount=event.amount,
                    paid_total=paid,
                    customer_id=state.customer_id,
                    store_id=state.store_id,
                )
            ]
        case InvoiceIssued():
            told = [
                public.InvoiceIssued(
                    order_id=state.order_id,
                    invoice_id=event.invoice_id,
                    number=event.number,
                    vin=event.vin,
                    net=event.net,
                    vat=event.vat,
                    gross=event.gross,
                )
            ]
        case InvoiceReversed(invoice_id=invoice_id, number=number, vin=vin):
            told = [public.InvoiceReversed(order_id=state.order_id, invoice_id=invoice_id, number=number, vin=vin)]
    return [*told, *publish_entry(event, state)]


def publish_car(event: Any, state: car.Car) -> list[Any]:
    """A sale with its cost, a late cost, and the entries."""
    told: list[Any] = []
    match event:
        case CarSold():
            told = [
                public.SaleRecognised(
                    order_id=event.order_id,
                    vin=state.vin or "",
                    stay_id=state.stay_id,
                    store_id=state.store_id,
                    entity_id=state.entity_id,
                    revenue=event.revenue,
                    cost=event.cost,
                    carrying=Money(0, state.currency),
                )
            ]
        case LateCostAdded():
            told = [
                public.LateCostPosted(
                    order_id=event.order_id,
                    vin=state.vin or "",
                    stay_id=state.stay_id,
                    store_id=state.store_id,
                    entity_id=state.entity_id,
                    cost_id=event.cost_id,
                    amount=event.amount,
                )
            ]
    return [*told, *publish_entry(event, state)]


def publish_payable(event: Any, state: payable.State) -> list[Any]:
    """A payment, and the entries."""
    told: list[Any] = []
    match event:
        case PaymentMade(payment_id=payment_id, number=number, supplier=supplier, amount=amount):
            told = [public.SupplierPaid(payment_id=payment_id, number=number, supplier=supplier, amount=amount)]
    return [*told, *publish_entry(event, state)]


def publish_entry(event: Any, state: Any) -> list[Any]:
    """The entry an event carries, if any."""
    entry: Entry | None = getattr(event, "entry", None)
    if entry is None:
        return []
    return [
        public.EntryPosted(
            entry_id=entry.entry_id,
            entity_id=entry.entity_id,
            store_id=entry.store_id,
            currency=entry.currency,
            text=entry.text,
            lines=tuple(public.Line(account=line.account, amount=line.amount, vin=line.vin) for line in entry.lines),
            order_id=entry.order_id,
        )
    ]
