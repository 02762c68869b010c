"""What an order's account allows and books, in the words of the cashier."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from services.finance.domain.account import account
from services.finance.domain.account_messages import (
    ApproveRefund,
    CancelAccount,
    ChangePrice,
    Command,
    ContractRecorded,
    DeclineRefund,
    Event,
    InvoiceIssued,
    IssueInvoice,
    OpenAccount,
    ReceiptKind,
    ReceiptTaken,
    RecogniseSale,
    RecordContract,
    RefundRequested,
    RequestRefund,
    ReverseInvoice,
    TakeReceipt,
)
from services.finance.domain.car_messages import SellCar
from services.finance.domain.standing import Account
from services.finance.tests.ledger import entries, totals
from shared.decider import Schedule, Take
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(account)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
today = date(2026, 3, 2)
price = Money(18_980_000)
vin = "LFV2A2150N3000001"

open_account = OpenAccount(
    order_id="o1",
    order_number="SO-BJ1-20260302-001",
    entity_id="e1",
    store_id="s1",
    customer_id="c1",
    vin=vin,
    price=price,
    vat_permille=130,
    at=noon,
)
sign = RecordContract(vin=vin, price=price, earnest_agreed=Money(1_000_000), store_id="s1", on=today, at=noon)
take = TakeReceipt(
    receipt_id="r1", number="RV-BJ1-20260302-001", kind="earnest", method="wechat", amount=Money(1_000_000), by="wang", on=today, at=noon
)
invoice = IssueInvoice(invoice_id="i1", number="VI-BJ1-20260302-001", stay_id="stay1", owner="e1", by="wang", on=today, at=noon)
red = ReverseInvoice(invoice_id="i1", number="RI-BJ1-20260302-001", by="wang", on=today, at=noon)
deliver = RecogniseSale(vin=vin, stay_id="stay1", store_id="s1", on=today, at=noon)
refund = RequestRefund(refund_id="f1", amount=Money(1_000_000), method="wechat", reason="changed his mind", by="li", at=noon)
approve = ApproveRefund(refund_id="f1", number="RF-BJ1-20260302-001", by="wang", on=today, at=noon)
cancel = CancelAccount(forfeit=False, by="li", store_id="s1", on=today, at=noon)


def after(*commands: Any) -> tuple[Event, ...]:
    """The events of these commands, one after the other."""
    history: list[Event] = []
    for command in commands:
        history += account.decide(command, account.fold(history))
    return tuple(history)


def rest(amount: int = 17_980_000) -> TakeReceipt:
    return replace(take, receipt_id="r2", number="RV-BJ1-20260302-002", kind="balance", method="transfer", amount=Money(amount))


def test_money_without_a_contract_is_another_payable() -> None:
    assert totals(after(open_account, take)) == {"1012": 1_000_000, "2241": -1_000_000}


def test_a_contract_turns_it_into_a_contract_liability_and_its_pending_vat() -> None:
    assert totals(after(open_account, take, sign)) == {"1012": 1_000_000, "2204": -884_956, "2221-pending": -115_044}


def test_under_a_contract_money_is_split_at_once() -> None:
    assert totals(after(open_account, sign, take)) == totals(after(open_account, take, sign))


def test_a_receipt_says_what_of_it_is_earnest_money() -> None:
    (*_, taken) = after(open_account, sign, take)
    assert isinstance(taken, ReceiptTaken)
    assert taken.earnest == Money(1_000_000)


def test_earnest_money_above_a_fifth_of_the_price_is_prepayment_and_never_refused() -> None:
    more = replace(take, receipt_id="r2", amount=Money(5_000_000))
    (*_, taken) = after(open_account, sign, take, more)
    assert isinstance(taken, ReceiptTaken)
    assert taken.earnest == Money(18_980_000 // 5 - 1_000_000)


def test_a_receipt_of_long_ago_keeps_to_the_law_of_its_day() -> None:
    long_ago = replace(take, amount=Money(5_000_000), on=date(2014, 12, 16))
    (*_, taken) = after(open_account, sign, long_ago)
    assert isinstance(taken, ReceiptTaken)
    assert taken.earnest == Money(18_980_000 // 5)
    given(*after(open_account, sign)).when(replace(long_ago, on=date(1990, 1, 1))).rejected("no-rule")


def test_other_kinds_are_no_earnest_money() -> None:
    (*_, taken) = after(open_account, sign, replace(take, kind="prepayment"))
    assert isinstance(taken, ReceiptTaken)
    assert taken.earnest == Money(0)


def test_a_repeated_receipt_is_one_receipt() -> None:
    given(*after(open_account, take)).when(take).then_nothing()


def test_nobody_pays_more_than_the_price() -> None:
    given(*after(open_account, sign, take)).when(rest(17_980_001)).rejected("overpaid")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_receipt_is_more_than_zero(amount: int) -> None:
    given(*after(open_account)).when(replace(take, amount=Money(amount))).rejected("amount-not-positive")


def test_a_receipt_is_in_the_currency_of_the_order() -> None:
    given(*after(open_account)).when(replace(take, amount=Money(1_000, "USD"))).rejected("currency-differs")


def test_money_for_an_unknown_order_is_refused() -> None:
    given().when(take).rejected("unknown-order")


def test_output_vat_arises_at_the_invoice_and_its_unpaid_part_is_receivable() -> None:
    assert totals(after(open_account, sign, take, invoice)) == {
        "1012": 1_000_000,
        "2204": -884_956,
        "1122": 2_183_540 - 115_044,
        "2221-output": -2_183_540,
    }


def test_the_invoice_splits_the_price() -> None:
    (*_, issued) = after(open_account, sign, invoice)
    assert isinstance(issued, InvoiceIssued)
    assert issued.net + issued.vat == issued.gross == price
    assert issued.net == Money(16_796_460)


def test_an_invoice_needs_a_contract() -> None:
    given(*after(open_account, take)).when(invoice).rejected("illegal-transition")


@pytest.mark.parametrize("owner", [None, "e2"])
def test_only_the_entity_that_bought_the_car_in_invoices_it(owner: str | None) -> None:
    given(*after(open_account, sign)).when(replace(invoice, owner=owner)).rejected("car-not-acquired")


def test_a_car_is_invoiced_once() -> None:
    issued = after(open_account, sign, invoice)
    given(*issued).when(invoice).then_nothing()
    given(*issued).when(replace(invoice, invoice_id="i2")).rejected("already-invoiced")
    claims = account.claims(issued[-1])
    assert Take(kind="invoice", key="stay1", problem="already-invoiced", reason="This car is invoiced to another order.") in claims


def test_a_red_invoice_takes_everything_back() -> None:
    assert totals(after(open_account, sign, take, invoice, red)) == totals(after(open_account, sign, take))
    given(*after(open_account, sign, invoice, red)).when(red).then_nothing()
    given(*after(open_account, sign)).when(red).rejected("not-invoiced")


def test_delivery_recognises_the_net_price_and_settles_the_rest() -> None:
    assert totals(after(open_account, take, sign, rest(), invoice, deliver)) == {
        "1012": 1_000_000,
        "1002": 17_980_000,
        "2221-output": -2_183_540,
        "6001": -16_796_460,
    }


def test_delivery_asks_the_car_for_its_cost() -> None:
    sell = SellCar(stay_id="stay1", order_id="o1", store_id="s1", revenue=Money(16_796_460), on=today, at=noon)
    given(*after(open_account, sign, take, rest())).when(deliver).timers(Schedule(key="sell", command=sell, to="car-stay1"))


def test_a_sale_is_recognised_once_and_under_contract_only() -> None:
    given(*after(open_account, sign, deliver)).when(deliver).then_nothing()
    given(*after(open_account)).when(deliver).rejected("illegal-transition")


def test_what_is_unpaid_at_delivery_is_receivable_until_it_is_paid() -> None:
    delivered = (open_account, sign, take, invoice, deliver)
    assert totals(after(*delivered))["1122"] == 17_980_000
    assert "1122" not in totals(after(*delivered, rest()))


def test_a_refund_needs_two_people() -> None:
    asked = after(open_account, take, refund)
    given(*asked).when(replace(approve, by="li")).rejected("four-eyes")
    assert totals((*asked, *account.decide(approve, account.fold(asked)))) == {}


def test_a_refund_is_paid_once() -> None:
    given(*after(open_account, take, refund, approve)).when(approve).then_nothing()
    given(*after(open_account, take, refund)).when(refund).then_nothing()


def test_refunds_asked_for_never_exceed_what_was_paid() -> None:
    asked = after(open_account, take, replace(refund, amount=Money(600_000)))
    given(*asked).when(replace(refund, refund_id="f2", amount=Money(400_001))).rejected("refund-beyond-paid")


def test_a_declined_refund_frees_its_amount() -> None:
    decline = DeclineRefund(refund_id="f1", by="wang", at=noon)
    asked = after(open_account, take, refund, decline, replace(refund, refund_id="f2"))
    assert isinstance(asked[-1], RefundRequested)
    given(*asked).when(approve).then_nothing()


def test_cancelling_asks_for_everything_back() -> None:
    cancelled = after(open_account, sign, take, cancel)
    given(*cancelled).when(cancel).then_nothing()
    paid_back = after(open_account, sign, take, cancel, replace(approve, refund_id="o1"))
    assert totals(paid_back) == {"1012": 1_000_000, "1002": -1_000_000}


def test_a_forfeit_keeps_the_earnest_money_only() -> None:
    more = replace(rest(500_000), kind="prepayment")
    back = replace(approve, refund_id="o1")
    kept = totals(after(open_account, sign, take, more, replace(cancel, forfeit=True), back))
    assert kept == {"1012": 1_000_000, "6051": -1_000_000}


def test_a_cancelled_order_takes_no_money_and_a_delivered_one_is_not_cancelled() -> None:
    given(*after(open_account, cancel)).when(take).rejected("illegal-transition")
    given(*after(open_account, sign, deliver)).when(cancel).rejected("illegal-transition")


def test_a_changed_price_counts_from_the_next_entry() -> None:
    change = ChangePrice(vin=vin, price=Money(18_000_000), store_id="s1", on=today, at=noon)
    given(*after(open_account, sign, change)).when(change).then_nothing()
    assert totals(after(open_account, sign, change, rest(), invoice, deliver))["6001"] == -15_929_204


def test_a_repeated_contract_changes_nothing() -> None:
    signed = after(open_account, sign)
    assert signed[-1] == ContractRecorded(vin=vin, price=price, earnest_agreed=Money(1_000_000), entry=None)
    given(*signed).when(sign).then_nothing()


def test_an_unknown_method_is_refused() -> None:
    given(*after(open_account)).when(replace(take, method="barter")).rejected("unknown-method")


# --- whatever the order of things -----------------------------------------------------------------------------------


@st.composite
def sales(draw: st.DrawFn) -> tuple[list[Any], int, int]:
    """Receipts of a price split at random, with contract, invoice, red invoice and refunds thrown in between."""
    total = draw(st.integers(1_000, 50_000_000))
    rate = draw(st.sampled_from([0, 5, 30, 90, 130, 170]))
    currency = "USD" if rate == 0 else "CNY"
    cuts = sorted(draw(st.lists(st.integers(1, total - 1), max_size=6, unique=True)))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
    kinds: st.SearchStrategy[ReceiptKind] = st.sampled_from(["earnest", "prepayment", "down-payment", "balance"])
    methods = st.sampled_from(["cash", "card", "transfer", "wechat", "alipay", "loan"])
    steps: list[Any] = [
        replace(take, receipt_id=f"r{n}", amount=Money(part, currency), kind=draw(kinds), method=draw(methods))
        for n, part in enumerate(parts)
    ]
    signed = draw(st.integers(0, len(steps)))
    steps.insert(signed, replace(sign, price=Money(total, currency), earnest_agreed=Money(0, currency)))
    first = draw(st.integers(signed + 1, len(steps)))
    if draw(st.booleans()):
        steps[first:first] = [invoice, red]
        first += 2
    steps.insert(draw(st.integers(first, len(steps))), replace(invoice, invoice_id="i2"))
    return [replace(open_account, price=Money(total, currency), vat_permille=rate), *steps], total, rate


@examples(sales())
def test_every_entry_balances_and_a_delivered_order_owes_nothing(sale: tuple[list[Any], int, int]) -> None:
    steps, total, rate = sale
    history = after(*steps, deliver)
    assert all(sum(line.amount for line in entry.lines) == 0 for entry in entries(history))
    ids = [entry.entry_id for entry in entries(history)]
    assert len(set(ids)) == len(ids)
    left = totals(history)
    assert not left.keys() & {"2204", "2241", "1122", "2221-pending"}
    net = -left["6001"]
    assert net - left.get("2221-output", 0) == total
    assert abs(net * (1000 + rate) - total * 1000) <= (1000 + rate) // 2


@examples(sales(), st.integers(0, 12), st.booleans())
def test_a_cancelled_order_ends_at_zero(sale: tuple[list[Any], int, int], stop: int, forfeit: bool) -> None:
    steps, _, _ = sale
    history = list(after(*steps[: 1 + stop], replace(cancel, forfeit=forfeit)))
    state = account.fold(history)
    assert isinstance(state, Account)
    undo: list[Command] = [replace(approve, refund_id=refund_id) for refund_id in state.asked]
    for command in [*undo, replace(red, invoice_id=state.invoice.invoice_id)] if state.invoice else undo:
        history += account.decide(command, account.fold(history))
    left = totals(history)
    money = sum(left.pop(number, 0) for number in ("1001", "1002", "1012"))
    assert left == ({"6051": -money} if money else {})
    assert forfeit or money == 0
