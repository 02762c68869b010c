"""What can be asked of an order's account, and what happens to it."""

from datetime import date, datetime
from typing import Literal

from services.finance.domain.entry import Entry
from shared.decider import message
from shared.values.money import Money

type ReceiptKind = Literal["earnest", "prepayment", "down-payment", "balance"]


@message
class OpenAccount:
    """The order was placed: `price` is gross."""

    order_id: str
    order_number: str
    entity_id: str
    store_id: str
    customer_id: str
    vin: str | None
    price: Money
    vat_permille: int
    at: datetime


@message
class RecordContract:
    vin: str
    price: Money
    earnest_agreed: Money
    store_id: str
    on: date
    at: datetime


@message
class ChangePrice:
    vin: str | None
    price: Money
    store_id: str
    on: date
    at: datetime


@message
class TakeReceipt:
    receipt_id: str
    number: str
    kind: ReceiptKind
    method: str
    amount: Money
    by: str
    on: date
    at: datetime


@message
class RequestRefund:
    refund_id: str
    amount: Money
    method: str
    reason: str
    by: str
    at: datetime


@message
class ApproveRefund:
    refund_id: str
    number: str
    by: str
    on: date
    at: datetime


@message
class DeclineRefund:
    refund_id: str
    by: str
    at: datetime


@message
class IssueInvoice:
    """`owner` is the legal entity in whose stock the car of this stay stands, None when nobody's."""

    invoice_id: str
    number: str
    stay_id: str
    owner: str | None
    by: str
    on: date
    at: datetime


@message
class ReverseInvoice:
    invoice_id: str
    number: str
    by: str
    on: date
    at: datetime


@message
class RecogniseSale:
    """The car was handed over."""

    vin: str
    stay_id: str
    store_id: str
    on: date
    at: datetime


@message
class CancelAccount:
    """`forfeit`: the earnest money is kept, all else goes back."""

    forfeit: bool
    by: str
    store_id: str
    on: date
    at: datetime


@message
class AccountOpened:
    order_id: str
    order_number: str
    entity_id: str
    store_id: str
    customer_id: str
    vin: str | None
    price: Money
    vat_permille: int


@message
class ContractRecorded:
    vin: str
    price: Money
    earnest_agreed: Money
    entry: Entry | None


@message
class PriceChanged:
    vin: str | None
    price: Money
    entry: Entry | None


@message
class ReceiptTaken:
    receipt_id: str
    number: str
    kind: ReceiptKind
    method: str
    amount: Money
    earnest: Money
    """What of it counts as 定金; the rest of an earnest payment is 订金."""
    by: str
    entry: Entry


@message
class RefundRequested:
    refund_id: str
    amount: Money
    method: str
    reason: str
    by: str


@message
class RefundPaid:
    refund_id: str
    number: str
    method: str
    amount: Money
    by: str
    entry: Entry


@message
class RefundDeclined:
    refund_id: str
    by: str


@message
class InvoiceIssued:
    invoice_id: str
    number: str
    vin: str
    stay_id: str
    net: Money
    vat: Money
    gross: Money
    by: str
    entry: Entry | None


@message
class InvoiceReversed:
    """The red invoice `number` takes back the invoice `reverses`."""

    invoice_id: str
    number: str
    reverses: str
    vin: str
    by: str
    entry: Entry | None


@message
class SaleRecognised:
    order_id: str
    vin: str
    stay_id: str
    store_id: str
    entity_id: str
    revenue: Money
    on: date
    at: datetime
    entry: Entry | None


@message
class AccountCancelled:
    forfeited: Money
    by: str
    entry: Entry | None


type Command = (
    OpenAccount
    | RecordContract
    | ChangePrice
    | TakeReceipt
    | RequestRefund
    | ApproveRefund
    | DeclineRefund
    | IssueInvoice
    | ReverseInvoice
    | RecogniseSale
    | CancelAccount
)
type Event = (
    AccountOpened
    | ContractRecorded
    | PriceChanged
    | ReceiptTaken
    | RefundRequested
    | RefundPaid
    | RefundDeclined
    | InvoiceIssued
    | InvoiceReversed
    | SaleRecognised
    | AccountCancelled
)
