"""What an order allows until its contract is signed, in the words of the showroom."""

from dataclasses import replace

import pytest

from services.orders.domain.approval import Grant
from services.orders.domain.order import Order, order
from services.orders.domain.order_messages import (
    ConfirmVehicle,
    InvoiceReversed,
    OrderChanged,
    OrderPlaced,
    OrderSubmitted,
    RecordArrival,
    RecordInvoiceReversal,
    RecordPayment,
    ReportVehicleMissing,
    SubmitOrder,
    Terms,
)
from services.orders.domain.quote import MarkOrderCancelled, MarkOrdered
from services.orders.tests.sale import (
    BLUE,
    RED,
    approve,
    approved,
    arrived,
    cancel,
    cancelled,
    change,
    confirm,
    confirmed,
    earnest,
    invoice,
    invoiced,
    later,
    missed,
    missing,
    noon,
    pay,
    place,
    placed,
    sale,
    sign,
    signed,
    submitted,
    terms,
    to_approval,
    to_contract,
)
from shared.decider import Release, Schedule, Take
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(order)


# --- placed and submitted ----------------------------------------------------------------------------------------


def test_a_seller_places_an_order() -> None:
    given().when(place).then(placed).claims().timers()


def test_an_order_is_placed_once() -> None:
    given(placed).when(place).rejected("illegal-transition")


def test_a_quote_becomes_one_order() -> None:
    from_quote = replace(sale, quote_id="q1")
    given().when(replace(place, sale=from_quote)).claims(
        Take(kind="quote", key="q1", problem="quote-already-ordered", reason="This quote has become an order.")
    ).timers(Schedule(key="quote", command=MarkOrdered(order_id="so1", at=noon), to="quote-q1"))


def test_a_cancelled_order_frees_its_quote() -> None:
    given(replace(placed, sale=replace(sale, quote_id="q1"))).when(cancel).claims(Release(kind="quote")).timers(
        Schedule(key="quote", command=MarkOrderCancelled(order_id="so1", at=noon), to="quote-q1")
    )


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (replace(terms, price=Money(0)), "amount-not-positive"),
        (replace(terms, price=Money(18_980_000, "USD")), "currency-mismatch"),
        (replace(terms, down_payment=Money(18_980_001)), "down-payment-too-high"),
        (replace(terms, down_payment=Money(-1)), "down-payment-too-high"),
    ],
)
def test_terms_must_make_sense(wrong: Terms, problem: str) -> None:
    given().when(replace(place, terms=wrong)).rejected(problem)
    given(placed).when(replace(change, terms=wrong)).rejected(problem)


def test_a_placed_order_is_submitted_once() -> None:
    given(placed).when(SubmitOrder(by="li", at=noon)).then(submitted)
    given(placed, submitted).when(SubmitOrder(by="li", at=noon)).then_nothing()


# --- approval ----------------------------------------------------------------------------------------------------


def test_a_manager_approves_within_his_authority() -> None:
    given(*to_approval).when(approve).then(approved)


def test_approving_twice_changes_nothing() -> None:
    given(*to_approval, approved).when(approve).then_nothing()


def test_only_a_submitted_order_is_approved() -> None:
    given(placed).when(approve).rejected("illegal-transition", "placed")


@pytest.mark.parametrize("involved", ["li", "chen", "sun"])
def test_nobody_approves_what_he_sold_submitted_or_changed(involved: str) -> None:
    history = placed, OrderSubmitted(by="chen"), OrderChanged(by="sun", reason="", old=terms, new=terms)
    given(*history).when(replace(approve, by=involved)).rejected("four-eyes")


def test_a_discount_above_authority_names_the_next_level() -> None:
    given(placed, submitted, OrderChanged(by="li", reason="", old=terms, new=replace(terms, price=Money(18_500_000)))).when(
        approve
    ).rejected("above-authority", "7.5 %", "6 %", "regional-manager")


def test_a_discount_nobody_may_grant() -> None:
    given(placed, submitted, OrderChanged(by="li", reason="", old=terms, new=replace(terms, price=Money(5_000_000)))).when(
        approve
    ).rejected("above-authority", "nobody")


def test_authority_is_compared_exactly() -> None:
    at_limit = replace(terms, list_price=Money(10_000_000), price=Money(9_400_000))
    history = OrderPlaced(sale=sale, terms=at_limit, at=noon), submitted
    given(*history).when(approve).then(replace(approved, granted=Grant(discount_permille=60, authority_permille=60)))
    beyond = replace(at_limit, price=Money(9_399_999))
    given(OrderPlaced(sale=sale, terms=beyond, at=noon), submitted).when(approve).rejected("above-authority")


def test_a_low_down_payment_is_refused_to_the_cent() -> None:
    low = replace(terms, down_payment=Money(3_795_999))
    given(OrderPlaced(sale=sale, terms=low, at=noon), submitted).when(approve).rejected("down-payment-too-low", "20 %")
    enough = replace(terms, down_payment=Money(3_796_000))
    given(OrderPlaced(sale=sale, terms=enough, at=noon), submitted).when(approve).then(approved)


def test_an_order_without_a_car_is_not_approved() -> None:
    given(OrderPlaced(sale=sale, terms=replace(terms, vin=None), at=noon), submitted).when(approve).rejected("no-vehicle")


# --- the car -----------------------------------------------------------------------------------------------------


def test_a_reserved_car_is_confirmed_once() -> None:
    given(*to_approval, approved).when(confirm).then(confirmed)
    given(*to_approval, approved, confirmed).when(confirm).then_nothing()


def test_a_missing_car_is_noted_and_no_longer_ours() -> None:
    given(*to_approval, approved, confirmed).when(missing).then(missed)
    given(*to_approval, approved, confirmed, missed).when(missing).then_nothing()
    given(*to_approval, approved, confirmed, missed).when(sign).rejected("vehicle-not-secured")


def test_a_confirmation_that_was_overtaken_by_the_loss_is_ignored() -> None:
    given(*to_approval, approved, missed).when(confirm).then_nothing()


def test_a_car_that_is_reserved_again_counts_again() -> None:
    again = replace(confirmed, at=later)
    given(*to_approval, approved, confirmed, missed).when(replace(confirm, at=later)).then(again)
    given(*to_approval, approved, again).when(missing).then_nothing()
    state = given(*to_approval, approved, confirmed, missed, again).when(missing).then_nothing().state()
    assert isinstance(state, Order)
    assert state.vehicle == again


def test_the_later_answer_counts_whatever_time_it_bears() -> None:
    lost = replace(missed, sequence=500, at=later)
    again = replace(confirm, sequence=600)
    given(*to_approval, approved, lost).when(again).then(replace(confirmed, sequence=600))
    given(*to_approval, approved, lost).when(replace(confirm, sequence=400)).then_nothing()
    given(*to_approval, approved, lost, replace(confirmed, sequence=600)).when(replace(missing, sequence=500, at=later)).then_nothing()


def test_the_loss_of_an_earlier_request_leaves_the_car_secured() -> None:
    second = replace(confirmed, request_id="r2")
    state = given(*to_approval, approved, second).when(missing).then(missed).state()
    assert isinstance(state, Order)
    assert state.vehicle == second


@pytest.mark.parametrize("news", [confirm, missing, RecordArrival(vin=RED, store_id="bj1", at=noon)])
def test_news_of_another_car_or_a_finished_order_is_no_news(news: ConfirmVehicle | ReportVehicleMissing | RecordArrival) -> None:
    given(*to_approval, approved).when(replace(news, vin=BLUE)).then_nothing()
    given(*to_approval, approved, cancelled).when(news).then_nothing()


def test_the_car_arrives_from_its_donor() -> None:
    arrival = RecordArrival(vin=RED, store_id="bj1", at=later)
    given(*to_contract).when(arrival).then(arrived)
    given(*to_contract, arrived).when(arrival).then_nothing()
    given(*to_contract, arrived).when(RecordArrival(vin=RED, store_id="sh1", at=noon)).then_nothing()


def test_an_arrival_heard_before_the_confirmation_counts() -> None:
    state = given(*to_approval, approved, arrived).when(confirm).then(confirmed).state()
    assert isinstance(state, Order)
    assert state.car == arrived


# --- the contract ------------------------------------------------------------------------------------------------


def test_a_contract_is_signed_once_the_car_is_secured() -> None:
    given(*to_approval, approved, confirmed).when(sign).then(signed)


def test_no_contract_before_the_car_is_secured() -> None:
    given(*to_approval, approved).when(sign).rejected("vehicle-not-secured")


def test_a_contract_says_what_the_order_says() -> None:
    given(*to_approval, approved, confirmed).when(replace(sign, price=Money(1))).rejected("price-changed")
    given(*to_approval, approved, confirmed).when(replace(sign, vin=BLUE)).rejected("price-changed")


def test_no_contract_before_approval() -> None:
    given(*to_approval).when(sign).rejected("illegal-transition")


def test_earnest_money_is_at_most_a_fifth_of_the_price() -> None:
    history = *to_approval, approved, confirmed
    given(*history).when(replace(sign, earnest=Money(3_796_000))).then(replace(signed, earnest=Money(3_796_000)))
    given(*history).when(replace(sign, earnest=Money(3_796_001))).rejected("earnest-too-high", "20 %")
    given(*history).when(replace(sign, earnest=Money(1, "USD"))).rejected("currency-mismatch")
    given(*history).when(replace(sign, earnest=Money(-1))).rejected("amount-not-positive")


# --- money -------------------------------------------------------------------------------------------------------


def test_a_payment_counts_once() -> None:
    given(*to_contract).when(pay).then(earnest)
    given(*to_contract, earnest).when(pay).then_nothing()


def test_a_full_refund_leaves_no_earnest_money() -> None:
    refund = RecordPayment(receipt_id="rf1", paid_total=Money(0), earnest=Money(0), at=noon)
    state = given(*to_contract, earnest, cancelled).when(refund).state()
    assert isinstance(state, Order)
    assert (state.paid, state.earnest) == (Money(0), Money(0))


def test_an_invoice_is_recorded_and_reversed_once() -> None:
    reverse = RecordInvoiceReversal(invoice_id="in1", at=noon)
    given(*to_contract).when(invoice).then(invoiced)
    given(*to_contract, invoiced).when(invoice).then_nothing()
    given(*to_contract, invoiced).when(reverse).then(InvoiceReversed(invoice_id="in1"))
    given(*to_contract).when(reverse).then_nothing()
