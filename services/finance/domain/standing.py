"""How an order's money stands in the books at each stage of the sale."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from services.finance.domain import chart
from services.finance.domain.rates import vat_within
from shared.decider import message


@message
class AskedRefund:
    amount: int
    method: str
    by: str


@message
class Invoice:
    invoice_id: str
    number: str
    vat: int


@message
class Account:
    """Amounts are minor units of `currency`. `price` is gross; `earnest` is what of `paid` counts as 定金."""

    order_id: str
    entity_id: str
    store_id: str
    customer_id: str
    currency: str
    price: int
    vat_permille: int
    stage: Literal["open", "contract", "delivered", "cancelled"] = "open"
    vin: str | None = None
    paid: int = 0
    earnest: int = 0
    forfeited: int = 0
    invoice: Invoice | None = None
    reversed: frozenset[str] = frozenset()
    receipts: frozenset[str] = frozenset()
    asked: Mapping[str, AskedRefund] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    """Refunds paid or declined."""
    entries: int = 0


def books(account: Account) -> dict[str, int]:
    """What the order has on each ledger account beside the money itself; debit is positive. The sum is always minus `paid`.

    An entry is the difference of two standings, so roundings never add up and every order ends at zero.
    """
    paid, price = account.paid, account.price
    vat_paid, vat_price = vat_within(paid, account.vat_permille), vat_within(price, account.vat_permille)
    invoiced = account.invoice.vat if account.invoice else 0
    match account.stage:
        case "open":
            return {chart.OTHER_PAYABLES: -paid}
        case "contract":
            return {
                chart.CONTRACT_LIABILITIES: vat_paid - paid,
                chart.VAT_PENDING: -max(vat_paid - invoiced, 0),
                chart.RECEIVABLES: max(invoiced - vat_paid, 0),
                chart.VAT_OUTPUT: -invoiced,
            }
        case "delivered":
            return {
                chart.REVENUE: vat_price - price,
                chart.VAT_PENDING: invoiced - vat_price,
                chart.VAT_OUTPUT: -invoiced,
                chart.RECEIVABLES: max(price - paid, 0),
                chart.OTHER_PAYABLES: -max(paid - price, 0),
            }
        case "cancelled":
            return {
                chart.OTHER_PAYABLES: account.forfeited - paid,
                chart.OTHER_INCOME: -account.forfeited,
                chart.RECEIVABLES: invoiced,
                chart.VAT_OUTPUT: -invoiced,
            }


def refundable(account: Account) -> int:
    """What may still be asked back, in minor units."""
    asked = sum(refund.amount for refund in account.asked.values())
    match account.stage:
        case "delivered":
            return max(account.paid - account.price, 0) - asked
        case "open" | "contract" | "cancelled":
            return account.paid - account.forfeited - asked
