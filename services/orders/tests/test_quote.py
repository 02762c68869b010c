"""What a quote allows, and that it adds up to the cent."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from services.orders.domain.quote import (
    ExpireQuote,
    FeedbackRecorded,
    FinancePlan,
    IssueQuote,
    Item,
    MarkOrderCancelled,
    MarkOrdered,
    Offer,
    QuoteExpired,
    QuoteIssued,
    QuoteOrdered,
    QuoteReopened,
    QuoteRevised,
    Reckoning,
    RecordFeedback,
    ReviseQuote,
    quote,
    reckon,
)
from services.orders.domain.rules import tax_rule
from services.orders.domain.tax import PurchaseTax, TaxDue, purchase_tax
from shared.decider import Rejected, Schedule, Unschedule
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(quote)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
later = noon + timedelta(days=7)
nev = tax_rule(date(2026, 3, 2), "electric", "CNY")
offer = Offer(
    trim_id="trim-1",
    list_price=Money(19_980_000),
    options=(Item(kind="option", text="pearl white", amount=Money(300_000)),),
    discount=Money(1_300_000),
    beside=(
        Item(kind="insurance", text="first year", amount=Money(480_050)),
        Item(kind="plates", text="registration", amount=Money(50_000)),
        Item(kind="accessory", text="floor mats", amount=Money(39_900)),
    ),
    trade_in=Item(kind="trade-in", text="Golf 2016", amount=Money(4_000_000)),
)
reckoning = Reckoning(
    car=Money(18_980_000),
    tax=TaxDue(net=Money(16_796_460), full=Money(1_679_646), relief=Money(839_823), due=Money(839_823), source=nev.source if nev else ""),
    beside=Money(569_950),
    trade_in=Money(4_000_000),
    total=Money(16_389_773),
)
issue = IssueQuote(
    quote_id="q1",
    number="QT-BJ1-20260302-001",
    store_id="bj1",
    customer_id="c1",
    opportunity_id="o1",
    seller_id="li",
    offer=offer,
    vat_permille=130,
    tax=nev,
    expires_at=later,
    at=noon,
)
issued = QuoteIssued(
    quote_id="q1",
    number=issue.number,
    store_id="bj1",
    customer_id="c1",
    opportunity_id="o1",
    seller_id="li",
    offer=offer,
    reckoning=reckoning,
    expires_at=later,
)
cheaper = replace(offer, discount=Money(1_800_000))
revise = ReviseQuote(by="li", offer=cheaper, vat_permille=130, tax=nev, expires_at=later, at=noon)
revised = QuoteRevised(revision=2, by="li", offer=cheaper, reckoning=reckon(cheaper, 130, nev), expires_at=later)


def test_a_quote_adds_up_to_the_cent_with_tax_relief_and_trade_in() -> None:
    given().when(issue).then(issued)


def test_a_quote_expires_by_itself() -> None:
    given().when(issue).timers(Schedule(key="expiry", command=ExpireQuote(revision=1, at=later), at=later))
    given(issued).when(ExpireQuote(revision=1, at=later)).then(QuoteExpired(revision=1))


def test_a_revision_gets_the_next_number_and_its_own_expiry() -> None:
    given(issued).when(revise).then(revised).timers(Schedule(key="expiry", command=ExpireQuote(revision=2, at=later), at=later))


def test_revising_to_the_same_offer_changes_nothing() -> None:
    given(issued, revised).when(revise).then_nothing()


def test_the_expiry_of_an_older_revision_changes_nothing() -> None:
    given(issued, revised).when(ExpireQuote(revision=1, at=later)).then_nothing()


def test_an_expired_quote_comes_back_when_revised() -> None:
    given(issued, QuoteExpired(revision=1)).when(replace(revise, offer=offer)).then(
        QuoteRevised(revision=2, by="li", offer=offer, reckoning=reckoning, expires_at=later)
    )


def test_feedback_belongs_to_the_revision_the_customer_saw() -> None:
    given(issued, revised).when(RecordFeedback(by="li", liked=False, text="~p1.x", at=noon)).then(
        FeedbackRecorded(revision=2, by="li", liked=False, text="~p1.x")
    )


def test_an_ordered_quote_stands_still_until_its_order_is_cancelled() -> None:
    ordered = QuoteOrdered(order_id="so1")
    given(issued).when(MarkOrdered(order_id="so1", at=noon)).then(ordered).timers(Unschedule(key="expiry"))
    given(issued, ordered).when(MarkOrdered(order_id="so1", at=noon)).then_nothing()
    given(issued, ordered).when(revise).rejected("illegal-transition", "become an order")
    given(issued, ordered).when(MarkOrderCancelled(order_id="so1", at=noon)).then(QuoteReopened(order_id="so1"))
    given(issued).when(MarkOrderCancelled(order_id="so1", at=noon)).then_nothing()


def test_the_marks_of_two_orders_may_come_in_either_order() -> None:
    """The first order is cancelled, or there would be no second: the claim on the quote sees to that."""
    first, second = QuoteOrdered(order_id="so1"), QuoteOrdered(order_id="so2")
    given(issued, first).when(MarkOrdered(order_id="so2", at=noon)).then(second)
    given(issued, first, second).when(MarkOrderCancelled(order_id="so1", at=noon)).then_nothing()
    given(issued, first, second).when(revise).rejected("illegal-transition", "become an order")
    given(issued, first, second).when(MarkOrderCancelled(order_id="so2", at=noon)).then(QuoteReopened(order_id="so2"))


def test_only_the_seller_or_a_manager_revises_a_quote_and_notes_what_was_said() -> None:
    said = RecordFeedback(by="chen", liked=True, text="~p1.x", at=noon)
    given(issued).when(replace(revise, by="chen")).rejected("not-yours")
    given(issued).when(said).rejected("not-yours")
    given(issued).when(replace(revise, by="zhao", manager=True)).then(replace(revised, by="zhao"))
    given(issued).when(replace(said, manager=True)).then(FeedbackRecorded(revision=1, by="chen", liked=True, text="~p1.x"))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (replace(offer, discount=Money(20_280_000)), "price-not-positive"),
        (replace(offer, discount=Money(-1)), "amount-not-positive"),
        (replace(offer, options=(Item(kind="option", text="hook", amount=Money(0)),)), "amount-not-positive"),
        (replace(offer, discount=Money(1, "USD")), "currency-mismatch"),
        (replace(offer, beside=(Item(kind="bribe", text="", amount=Money(1)),)), "unknown-kind"),
        (replace(offer, trade_in=Item(kind="trade-in", text="", amount=Money(99_000_000))), "trade-in-too-high"),
    ],
)
def test_offers_that_make_no_sense_are_refused(wrong: Offer, problem: str) -> None:
    given().when(replace(issue, offer=wrong)).rejected(problem)


def test_down_payment_and_loan_make_up_the_total() -> None:
    plan = FinancePlan(product="36 months", down_payment=Money(6_389_773), loan=Money(10_000_000), months=36, instalment=Money(300_000))
    assert reckon(replace(offer, plan=plan), 130, nev).total == Money(16_389_773)
    given().when(replace(issue, offer=replace(offer, plan=replace(plan, loan=Money(9_999_999))))).rejected("finance-plan-mismatch")
    given().when(replace(issue, offer=replace(offer, plan=replace(plan, months=0)))).rejected("finance-plan-mismatch")


def test_a_quote_begins_when_it_is_issued() -> None:
    given().when(revise).rejected("illegal-transition")


@pytest.mark.parametrize(
    ("day", "powertrain", "price", "due"),
    [
        (date(2025, 12, 31), "electric", 20_000_000, 0),
        (date(2025, 12, 31), "electric", 39_550_000, 500_000),
        (date(2026, 1, 1), "electric", 20_000_000, 884_956),
        (date(2026, 1, 1), "plug-in-hybrid", 45_200_000, 2_500_000),
        (date(2026, 1, 1), "petrol", 18_980_000, 1_679_646),
        (date(2028, 1, 1), "electric", 11_300_000, 1_000_000),
    ],
)
def test_purchase_tax_by_invoice_date_and_powertrain(day: date, powertrain: str, price: int, due: int) -> None:
    rule = tax_rule(day, powertrain, "CNY")
    assert rule is not None
    assert purchase_tax(Money(price), 130, rule).due == Money(due)


def test_no_purchase_tax_where_no_law_asks_for_it() -> None:
    assert tax_rule(date(2026, 1, 1), "petrol", "USD") is None
    dollars = Offer(trim_id="t", list_price=Money(1_000_000, "USD"), discount=Money(0, "USD"))
    assert reckon(dollars, 0, None).total == Money(1_000_000, "USD")


def test_a_day_no_law_covers_is_refused() -> None:
    with pytest.raises(Rejected, match="No purchase tax is known"):
        tax_rule(date(2020, 1, 1), "petrol", "CNY")


@each(st.integers(1, 10**12), st.integers(0, 250), st.integers(0, 1000), st.integers(0, 3_000_000))
def test_tax_is_full_less_relief_and_rounded_once_per_step(price: int, vat: int, share: int, cap: int) -> None:
    rule = PurchaseTax(rate_permille=100, relief_permille=share, relief_cap=Money(cap), source="test")
    tax = purchase_tax(Money(price), vat, rule)
    assert tax.full - tax.relief == tax.due
    assert Money(0) <= tax.relief <= min(tax.full, Money(cap))
    assert abs(tax.net.minor * (1000 + vat) - price * 1000) * 2 <= 1000 + vat
