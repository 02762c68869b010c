"""How an order ends: handed over, changed or cancelled."""

from dataclasses import replace
from datetime import date

import pytest

from services.orders.domain.order import Command, Event, Order, order
from services.orders.domain.order_messages import (
    CancelOrder,
    ChangeOrder,
    CheckItem,
    OrderChanged,
    SignContract,
    SubmitOrder,
)
from services.orders.tests.sale import (
    BLUE,
    approve,
    approved,
    arrived,
    balance,
    cancel,
    cancelled,
    change,
    checked,
    confirm,
    confirmed,
    deliver,
    delivered,
    earnest,
    invoice,
    invoiced,
    missed,
    noon,
    pay,
    place,
    placed,
    sign,
    terms,
    to_approval,
    to_contract,
    to_keys,
)
from shared.decider import Rejected
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(order)


# --- hand-over ---------------------------------------------------------------------------------------------------


def test_the_checklist_is_worked_item_by_item() -> None:
    item = CheckItem(by="li", item="keys", passed=True, at=noon)
    given(*to_contract).when(item).then(checked[0])
    given(*to_contract, checked[0]).when(item).then_nothing()
    given(*to_contract, checked[0]).when(replace(item, passed=False)).then(replace(checked[0], passed=False))
    given(*to_contract).when(replace(item, item="umbrella")).rejected("unknown-item", "keys, certificate")


def test_a_paid_invoiced_and_checked_car_is_delivered() -> None:
    given(*to_keys).when(deliver).then(delivered)


def without(*events: Event) -> tuple[Event, ...]:
    return tuple(event for event in to_keys if event not in events)


@pytest.mark.parametrize(
    ("history", "certificate", "words"),
    [
        (without(balance), "with-us", ["the balance is unpaid"]),
        (without(invoiced), "with-us", ["the vehicle sales invoice is missing"]),
        (without(arrived), "with-us", ["the car has not arrived"]),
        (without(checked[0]), "with-us", ["open: keys"]),
        ((*to_keys, replace(checked[0], passed=False)), "with-us", ["open: keys"]),
        (to_keys, "pledged", ["the certificate is pledged"]),
        (to_keys, "", ["the certificate is unknown"]),
        ((*to_keys, missed), "with-us", ["no car is reserved"]),
        ((*without(invoiced), replace(invoiced, gross=Money(1))), "with-us", ["another price"]),
        (to_contract, "none", ["arrived", "certificate", "balance", "invoice", "open: keys", "open: certificate"]),
    ],
)
def test_whatever_stands_between_is_named(history: tuple[Event, ...], certificate: str, words: list[str]) -> None:
    given(*history).when(replace(deliver, certificate=certificate)).rejected("illegal-transition", *words)


def test_a_redeemed_certificate_is_in_hand() -> None:
    given(*to_keys).when(replace(deliver, certificate="redeemed")).then(replace(delivered, certificate="redeemed"))


def test_no_delivery_before_the_contract() -> None:
    given(*to_approval, approved, confirmed).when(deliver).rejected("illegal-transition")


# --- changed -----------------------------------------------------------------------------------------------------


def test_a_change_shows_old_and_new_and_goes_back_to_approval() -> None:
    event = OrderChanged(by="li", reason="matched a competitor", old=terms, new=change.terms)
    state = given(*to_contract, earnest).when(change).then(event).state()
    assert isinstance(state, Order)
    assert (state.stage, state.contract, state.vehicle, state.paid) == ("submitted", None, confirmed, Money(2_000_000))


def test_another_car_is_allocated_anew() -> None:
    state = given(*to_contract, arrived, *checked).when(replace(change, terms=replace(terms, vin=BLUE))).state()
    assert isinstance(state, Order)
    assert (state.stage, state.vehicle, state.car, state.passed) == ("submitted", None, None, ())


def test_a_change_before_submission_needs_no_approval_yet() -> None:
    state = given(placed).when(change).state()
    assert isinstance(state, Order)
    assert state.stage == "placed"


def test_changing_nothing_changes_nothing() -> None:
    given(placed).when(replace(change, terms=terms)).then_nothing()


def test_an_order_keeps_its_currency() -> None:
    dollars = replace(terms, list_price=Money(9, "USD"), price=Money(8, "USD"), down_payment=Money(7, "USD"))
    given(placed).when(replace(change, terms=dollars)).rejected("currency-mismatch")


def test_an_invoiced_price_or_car_changes_only_after_a_red_invoice() -> None:
    given(*to_contract, invoiced).when(change).rejected("invoice-issued")
    given(*to_contract, invoiced).when(replace(change, terms=replace(terms, vin=BLUE))).rejected("invoice-issued")
    moved = replace(terms, deliver_on=date(2026, 4, 1))
    given(*to_contract, invoiced).when(replace(change, terms=moved)).then(
        OrderChanged(by="li", reason="matched a competitor", old=terms, new=moved)
    )


# --- cancelled ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(1, len(to_keys) + 1))
def test_an_order_is_cancelled_at_any_time_before_delivery(count: int) -> None:
    given(*to_keys[:count]).when(cancel).then(cancelled)


def test_cancelling_twice_changes_nothing() -> None:
    given(placed, cancelled).when(cancel).then_nothing()


def test_earnest_money_is_forfeited_only_under_a_signed_contract() -> None:
    forfeit = replace(cancel, forfeit=True)
    given(*to_contract, earnest).when(forfeit).then(replace(cancelled, forfeit=True))
    given(*to_contract).when(forfeit).rejected("nothing-to-forfeit")
    given(*to_approval, earnest).when(forfeit).rejected("nothing-to-forfeit")


@pytest.mark.parametrize("command", [SubmitOrder(by="li", at=noon), sign, change, replace(cancel, by="li", manager=False)])
@pytest.mark.parametrize("history", [(placed,), to_approval, (*to_approval, approved, confirmed)])
def test_only_the_seller_or_a_manager_acts_on_an_order(command: Command, history: tuple[Event, ...]) -> None:
    assert isinstance(command, SubmitOrder | SignContract | ChangeOrder | CancelOrder)
    given(*history).when(replace(command, by="chen")).rejected("not-yours")
    assert outcome(replace(command, by="chen", manager=True), history) == outcome(command, history)


def outcome(command: Command, history: tuple[Event, ...]) -> object:
    """What a command comes to, whoever it is by."""
    try:
        return [type(event) for event in order.decide(command, order.fold(history))]
    except Rejected as no:
        return no.problem


asked: list[Command] = [
    place,
    SubmitOrder(by="li", at=noon),
    approve,
    sign,
    deliver,
    change,
    CheckItem(by="li", item="keys", passed=True, at=noon),
]


@pytest.mark.parametrize("command", asked)
@pytest.mark.parametrize("over", [(*to_approval, cancelled), (*to_keys, delivered)])
def test_an_order_that_is_over_allows_nothing_more(command: Command, over: tuple[Event, ...]) -> None:
    given(*over).when(command).rejected("illegal-transition")


def test_a_delivered_order_is_not_cancelled() -> None:
    given(*to_keys, delivered).when(cancel).rejected("illegal-transition", "delivered")


@pytest.mark.parametrize("command", [*asked[1:], cancel, confirm, pay, invoice])
def test_nothing_is_allowed_before_an_order_is_placed(command: Command) -> None:
    given().when(command).rejected("illegal-transition")
