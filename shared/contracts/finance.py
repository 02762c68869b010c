"""What finance tells: money taken and given back, invoices, recognised sales, every ledger entry."""

from shared.contracts import published
from shared.decider import message
from shared.values.money import Money


@published("finance.PaymentReceived")
class PaymentReceived:
    order_id: str
    receipt_id: str
    number: str
    kind: str
    """`earnest` 定金, `prepayment` 订金, `down-payment`, `balance`."""
    method: str
    amount: Money
    earnest: Money
    """What of it is booked as earnest money; the part above 20 % of the price is prepayment."""
    paid_total: Money
    customer_id: str
    store_id: str


@published("finance.PaymentRefunded")
class PaymentRefunded:
    order_id: str
    refund_id: str
    number: str
    amount: Money
    paid_total: Money
    customer_id: str
    store_id: str


@published("finance.InvoiceIssued")
class InvoiceIssued:
    """The vehicle sales invoice; one per VIN and stay."""

    order_id: str
    invoice_id: str
    number: str
    vin: str
    net: Money
    vat: Money
    gross: Money


@published("finance.InvoiceReversed")
class InvoiceReversed:
    """A red invoice."""

    order_id: str
    invoice_id: str
    number: str
    vin: str


@published("finance.SaleRecognised")
class SaleRecognised:
    """At delivery: net revenue against the car's book cost; storage and interest of the VIN beside it."""

    order_id: str
    vin: str
    stay_id: str
    store_id: str
    entity_id: str
    revenue: Money
    cost: Money
    carrying: Money


@published("finance.LateCostPosted")
class LateCostPosted:
    """A cost of a VIN already sold, in cost of sales of the current period."""

    order_id: str
    vin: str
    stay_id: str
    store_id: str
    entity_id: str
    cost_id: str
    amount: Money


@message
class Line:
    """One line of an entry: minor units, positive is debit, negative credit."""

    account: str
    amount: int
    vin: str | None = None


@published("finance.EntryPosted")
class EntryPosted:
    """A balanced entry of a legal entity's ledger; its lines sum to zero."""

    entry_id: str
    entity_id: str
    store_id: str
    currency: str
    text: str
    lines: tuple[Line, ...]
    order_id: str | None = None


@published("finance.SupplierPaid")
class SupplierPaid:
    payment_id: str
    number: str
    supplier: str
    amount: Money
