"""What finance tells of its private events."""

from typing import Any

from services.finance.domain.account import account
from services.finance.domain.car import car
from services.finance.domain.payable import payable
from services.finance.publishes import publish_account, publish_car, publish_payable
from services.finance.tests import test_account, test_car, test_payable
from shared.contracts import finance as public
from shared.contracts import published_name
from shared.values.money import Money


def told(decider: Any, publish: Any, history: tuple[Any, ...]) -> list[Any]:
    """The public events of a history, each told of the state after it."""
    return [made for n, event in enumerate(history, 1) for made in publish(event, decider.fold(history[:n]))]


def names(events: list[Any]) -> list[str]:
    """The types of public events."""
    return [published_name(event).split(".")[1] for event in events]


def test_an_order_s_payments_and_invoice_are_told_with_their_entries() -> None:
    t = test_account
    events = told(account, publish_account, t.after(t.open_account, t.sign, t.take, t.rest(), t.invoice, t.deliver))
    assert names(events) == [
        "PaymentReceived",
        "EntryPosted",
        "PaymentReceived",
        "EntryPosted",
        "InvoiceIssued",
        "EntryPosted",
        "EntryPosted",
    ]
    first, last = (event for event in events if isinstance(event, public.PaymentReceived))
    assert (first.paid_total, last.paid_total) == (Money(1_000_000), t.price)
    assert (first.earnest, last.earnest) == (Money(1_000_000), Money(0))


def test_a_refund_and_a_red_invoice_are_told() -> None:
    t = test_account
    events = told(account, publish_account, t.after(t.open_account, t.sign, t.take, t.invoice, t.red, t.refund, t.approve))
    assert "InvoiceReversed" in names(events)
    (refunded,) = (event for event in events if isinstance(event, public.PaymentRefunded))
    assert refunded.paid_total == Money(0)


def test_a_sale_is_told_once_its_cost_is_known() -> None:
    t = test_car
    events = told(car, publish_car, t.after(t.receive, t.dispatch, t.arrive, t.sell, t.freight))
    (sale,) = (event for event in events if isinstance(event, public.SaleRecognised))
    assert (sale.revenue, sale.cost, sale.store_id) == (Money(16_796_460), Money(15_080_000), "s2")
    (late,) = (event for event in events if isinstance(event, public.LateCostPosted))
    assert (late.amount, late.order_id) == (Money(200_000), "o1")


def test_a_supplier_s_payment_is_told() -> None:
    t = test_payable
    assert names(told(payable, publish_payable, t.after(t.owe, t.ask, t.approve))) == ["SupplierPaid", "EntryPosted"]


def test_every_entry_told_sums_to_zero() -> None:
    t = test_car
    events = told(car, publish_car, t.after(t.receive, t.freight, t.rebate, t.dispatch, t.arrive, t.sell))
    entries = [event for event in events if isinstance(event, public.EntryPosted)]
    assert len(entries) == 6
    assert all(sum(line.amount for line in entry.lines) == 0 for entry in entries)
