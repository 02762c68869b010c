"""What is owed to a supplier, and who may pay it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from services.finance.domain.payable import (
    ApprovePayment,
    DeclinePayment,
    Event,
    OpenPayable,
    PaymentRequested,
    RequestPayment,
    payable,
)
from services.finance.tests.ledger import totals
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(payable)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
today = date(2026, 3, 2)
owe = OpenPayable(
    payable_id="p1",
    supplier="FAW-VW",
    entity_id="e1",
    store_id="s1",
    amount=Money(16_950_000),
    source="vehicle",
    reference="LFV2A2150N3000001",
    expense=None,
    on=today,
    at=noon,
)
ask = RequestPayment(payment_id="v1", number="PV-BJ1-20260302-001", by="wang", at=noon)
approve = ApprovePayment(payment_id="v1", by="zhao", on=today, at=noon)
decline = DeclinePayment(payment_id="v1", by="zhao", at=noon)


def after(*commands: Any) -> tuple[Event, ...]:
    """The events of these commands, one after the other."""
    history: list[Event] = []
    for command in commands:
        history += payable.decide(command, payable.fold(history))
    return tuple(history)


def test_a_vehicle_is_owed_without_a_second_entry() -> None:
    assert totals(after(owe)) == {}
    given(*after(owe)).when(owe).then_nothing()


def test_a_campaign_s_spend_is_an_expense_owed() -> None:
    assert totals(after(replace(owe, expense="6601"))) == {"6601": 16_950_000, "2202": -16_950_000}


def test_a_payment_needs_two_people() -> None:
    given(*after(owe, ask)).when(replace(approve, by="wang")).rejected("four-eyes")
    assert totals(after(owe, ask, approve)) == {"2202": 16_950_000, "1002": -16_950_000}


def test_a_payable_is_paid_once() -> None:
    paid = after(owe, ask, approve)
    given(*paid).when(approve).then_nothing()
    given(*paid).when(replace(ask, payment_id="v2")).rejected("already-paid")
    given(*after(owe, ask)).when(replace(ask, payment_id="v2")).rejected("already-paid")
    given(*after(owe, ask)).when(ask).then_nothing()


def test_a_declined_payment_may_be_asked_for_again() -> None:
    again = replace(ask, payment_id="v2", number="PV-BJ1-20260302-002")
    given(*after(owe, ask, decline)).when(again).then(PaymentRequested(payment_id="v2", number=again.number, by="wang"))


def test_nothing_is_paid_that_nobody_asked_for() -> None:
    given(*after(owe)).when(approve).rejected("illegal-transition")
    given().when(ask).rejected("illegal-transition")
    given(*after(owe, ask)).when(replace(approve, payment_id="v2")).rejected("illegal-transition")


def test_a_supplier_s_credit_brings_money() -> None:
    assert totals(after(replace(owe, amount=Money(-300_000)), ask, approve)) == {"1002": 300_000, "2202": -300_000}


def test_nothing_owed_is_no_payable() -> None:
    given().when(replace(owe, amount=Money(0))).rejected("amount-not-positive")
