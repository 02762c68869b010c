"""Attacks on amounts, A63 to A74 as far as this way goes: every amount of every route."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.testing.platform import Person
from shared.values.ids import new_id
from tests.acceptance.operations import JSON_POSTS, Operation
from tests.acceptance.refusals import assert_refused, unlike
from tests.acceptance.shop import Shop, at_once, cny, did, minor, until

AMOUNTS = tuple((one, place) for one in JSON_POSTS for place in one.amounts())
WRITTEN_WRONGLY: tuple[Any, ...] = (
    1.5,
    189800,
    "0.001",
    "1e3",
    "1_000.00",
    "١٢٣.٠٠",
    "１２３.００",
    "+1.00",
    "1.000",
    "1",
    "1.0",
    " 1.00",
    "1.00 ",
    "1,000.00",
    ".50",
    "1.",
    "0x10",
    "NaN",
    "",
    "1.00\n",
    "-0.00",
    "--1.00",
    "1234567890123.00",
    None,
    True,
    [],
    {},
    "¥1.00",
    "1/2",
)
MAY_BE_ZERO = frozenset(
    {"discount", "earnest", "down_payment", "rebate", "freight", "preparation", "input_vat", "transport", "relief_cap", "cost", "price"}
)
"""Fields that may be 0.00 somewhere; a price only of a service line, a cost only of one that costs nothing."""
SIGNED = frozenset({"/ledger/entries", "/vehicles/{vin}/costs", "/stays/{stay_id}/costs"})
"""Debits and credits, and a rebate that comes later; what their signs may be the domain says."""

pytestmark = pytest.mark.usefixtures("untouched")


def sent(person: Person, one: Operation, place: tuple[str | int, ...], value: Any) -> Any:
    """The documented example with one amount replaced."""
    headers = {"idempotency-key": new_id(), "if-match": "*"}
    return person.http.post(one.path(), json=one.with_value(place, value), headers=headers)


def test_there_are_amounts_in_every_service_that_has_money() -> None:
    assert {one.context for one, _ in AMOUNTS} == {"leads", "customers", "inventory", "orders", "finance", "marketing", "aftersales"}
    assert len(AMOUNTS) > 30


@pytest.mark.parametrize("value", WRITTEN_WRONGLY, ids=repr)
def test_a63_an_amount_written_wrongly(everybody: Person, value: Any) -> None:
    asked = ((one, place, sent(everybody, one, place, {"amount": value, "currency": "CNY"})) for one, place in AMOUNTS)
    wrong = {f"{one.name} {place}": found for one, place, answer in asked if (found := unlike(answer, (422,), ("validation",)))}
    assert wrong == {}


@pytest.mark.parametrize(
    "value", ["189800.00", 189800, [], {"amount": "1.00"}, {"currency": "CNY"}, {"amount": "1.00", "currency": "XXX"}, {"amount": "1.00", "currency": "cny"}, {"amount": "1.00", "currency": "JPY"}, {"amount": "1.00", "currency": "CNY", "minor": 1}]
)  # fmt: skip
def test_a63_an_amount_of_another_shape(everybody: Person, value: Any) -> None:
    asked = ((one, place, sent(everybody, one, place, value)) for one, place in AMOUNTS)
    wrong = {f"{one.name} {place}": found for one, place, answer in asked if (found := unlike(answer, (422,)))}
    assert wrong == {}


def test_a64_an_amount_below_zero(everybody: Person) -> None:
    asked = ((one, place, sent(everybody, one, place, cny("-1.00"))) for one, place in AMOUNTS if one.template not in SIGNED)
    wrong = {f"{one.name} {place}": found for one, place, answer in asked if (found := unlike(answer, (422,), ("validation",)))}
    assert wrong == {}


def test_a64_an_amount_of_nothing(everybody: Person) -> None:
    pairs = [(one, place) for one, place in AMOUNTS if one.template not in SIGNED and place[-1] not in MAY_BE_ZERO]
    pairs += [(one, place) for one, place in AMOUNTS if one.template in ("/orders", "/trims/{trim_id}/prices") and place == ("price",)]
    asked = ((one, place, sent(everybody, one, place, cny("0.00"))) for one, place in pairs)
    wrong = {f"{one.name} {place}": found for one, place, answer in asked if (found := unlike(answer, (422,), ("validation",)))}
    assert wrong == {}
    assert len(pairs) > 15


def counts() -> list[tuple[Operation, tuple[str | int, ...]]]:
    """Whole numbers in bodies."""
    found = []
    for one in JSON_POSTS:
        for place in one.places():
            value: Any = one.body()
            for step in place:
                value = value[step]
            if type(value) is int:
                found.append((one, place))
    return found


@pytest.mark.parametrize("value", [-1, -(2**40), 2**62, 1.5, "5"])
def test_a64_a_quantity_out_of_range(everybody: Person, value: Any) -> None:
    asked = ((one, place, sent(everybody, one, place, value)) for one, place in counts())
    wrong = {f"{one.name} {place}": found for one, place, answer in asked if (found := unlike(answer, (422,), ("validation",)))}
    assert wrong == {}
    assert len(counts()) > 15


def test_a64_what_a_sign_may_be_the_ledger_says(shop: Shop) -> None:
    trim = shop.trim()
    vin = shop.car(trim)
    for kind, amount in (("freight", "-1.00"), ("rebate", "1.00"), ("preparation", "0.00"), ("rebate", "-999999.00")):
        answer = shop.stock.post(f"/vehicles/{vin}/costs", {"kind": kind, "supplier": "Swift", "amount": cny(amount)})
        assert_refused(answer, 422, "cost-invalid")
    assert shop.stock.get(f"/vehicles/{vin}").json()["book_cost"] == cny("150000.00")


def test_a65_a_price_the_quote_does_not_say(shop: Shop) -> None:
    trim, customer = shop.trim(), shop.customer()
    south = shop.values["south"]
    quote = did(shop.sales, "/quotes", {"store_id": south, "customer_id": customer, "trim_id": trim, "discount": cny("800.00")})
    assert shop.sales.get(f"/quotes/{quote}").json()["price"] == cny("189000.00")
    body = {"store_id": south, "customer_id": customer, "quote_id": quote, "trim_id": trim, "down_payment": cny("60000.00")}
    assert_refused(shop.sales.post("/orders", {**body, "price": cny("1.00")}), 409, "price-changed")
    for total in ("total", "list_price", "tax", "vat"):
        assert_refused(shop.sales.post("/orders", {**body, "price": cny("189000.00"), total: cny("1.00")}), 422, "unknown-field")


def test_a66_another_currency_than_the_contracts(shop: Shop) -> None:
    trim = shop.trim()
    order = shop.order(trim, shop.car(trim))
    shop.cashier.eventually(f"/accounts/{order}", stage="open")
    dollars = {"amount": "100.00", "currency": "USD"}
    answer = shop.cashier.post("/receipts", {"order_id": order, "kind": "balance", "method": "cash", "amount": dollars})
    assert answer.status_code == 422
    assert answer.json()["type"] in ("/problems/currency-differs", "/problems/currency-mismatch")
    entry = [{"account": "6602", "amount": dollars}, {"account": "1002", "amount": {**dollars, "amount": "-100.00"}}]
    answer = shop.accountant.post("/ledger/entries", {"store_id": shop.values["south"], "text": "Dollars", "lines": entry})
    assert_refused(answer, 422, "currency-differs")
    car = {"vin": shop.vin(), "trim_id": trim, "store_id": shop.values["south"], "supplier": "Aurora", "certificate": "with-us"}
    assert_refused(shop.stock.post("/vehicles", {**car, "purchase": dollars}), 422, "currency-differs")


def test_a67_fifty_refunds_at_once_never_give_back_more_than_was_paid(shop: Shop) -> None:
    trim = shop.trim()
    order = shop.order(trim, shop.car(trim))
    shop.cashier.eventually(f"/accounts/{order}", stage="open")
    shop.pay(order, "1000.00", "prepayment")
    body = {"order_id": order, "amount": cny("300.00"), "method": "cash", "reason": "Asked back"}
    answers = at_once(50, lambda _: shop.cashier.post("/refunds", body))
    granted = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert 1 <= len(granted) <= 3
    assert {answer.json()["type"] for answer in answers if answer.status_code != 201} <= {
        "/problems/refund-beyond-paid",
        "/problems/illegal-transition",
    }
    for refund in granted:
        shop.accountant.did(f"/refunds/{refund}/approve")
    account = shop.accountant.get(f"/accounts/{order}").json()
    assert minor(account["paid"]) == 100_000 - 30_000 * len(granted)
    assert minor(account["refunded"]) == 30_000 * len(granted)


def test_a69_a71_a_closed_month_and_a_posted_entry(shop: Shop) -> None:
    south, entity = shop.values["south"], shop.values["entity"]
    lines = [{"account": "6602", "amount": cny("10.00")}, {"account": "1002", "amount": cny("-10.00")}]
    shop.owner.get("/periods")
    chief = shop.people.get("chief")
    if chief is None:
        from tests.acceptance.conftest import hired

        chief = hired(shop.group, "chief", "*", "finance")
    chief.did(f"/periods/{entity}/2026-01/close")
    past = {"store_id": south, "text": "Late", "lines": lines, "booked_on": "2026-01-15"}
    assert_refused(shop.accountant.post("/ledger/entries", past), 409, "period-closed")
    entry = shop.accountant.did("/ledger/entries", {"store_id": south, "text": "Now", "lines": lines})
    for method in ("PUT", "PATCH", "DELETE"):
        answer = shop.accountant.http.request(method, f"/ledger/entries/{entry}", json={}, headers={"if-match": "*"})
        assert_refused(answer, 405, "method-not-allowed")


def test_a70_an_entry_that_does_not_balance(shop: Shop) -> None:
    for amounts in (("10.00", "-9.99"), ("10.00",), ("10.00", "10.00"), ("0.00", "0.00"), ()):
        lines = [{"account": "6602", "amount": cny(amount)} for amount in amounts]
        answer = shop.accountant.post("/ledger/entries", {"store_id": shop.values["south"], "text": "Uneven", "lines": lines})
        assert answer.status_code == 422
        assert answer.json()["type"] in ("/problems/unbalanced", "/problems/validation")


def test_a72_a_race_for_the_last_of_a_budget(shop: Shop) -> None:
    """Ten spends of 300 from a budget of 1,000: three are made, the others wait for somebody's approval."""
    today = shop.values["today"]
    plan = {
        "store_id": shop.values["south"],
        "name": f"Race {new_id()}",
        "kind": "show",
        "place": "Hall",
        "starts_on": today,
        "ends_on": today,
    }
    campaign = shop.marketing.did("/campaigns", {**plan, "goal_leads": 1, "goal_orders": 1, "budget": cny("1000.00")})
    shop.marketing.did(f"/campaigns/{campaign}/submit")
    shop.manager.did(f"/campaigns/{campaign}/approve")
    body = {"supplier": "Printer", "purpose": "Posters", "amount": cny("300.00")}
    with ThreadPoolExecutor(10) as pool:
        until(lambda: shop.marketing.get(f"/campaigns/{campaign}").json()["status"] in ("approved", "running"))
        answers = list(pool.map(lambda _: shop.marketing.post(f"/campaigns/{campaign}/spend", body), range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert shop.marketing.get(f"/campaigns/{campaign}").json()["spent"] == cny("900.00")


def test_a74_a_state_is_not_skipped(shop: Shop) -> None:
    trim = shop.trim()
    order = shop.order(trim, shop.car(trim))
    assert_refused(shop.sales.post(f"/orders/{order}/deliver"), 409, "illegal-transition")
    assert_refused(shop.sales.post(f"/orders/{order}/sign", {"signer": "Lin", "earnest": cny("1.00")}), 409, "illegal-transition")
    assert_refused(shop.manager.post(f"/orders/{order}/approve"), 409, "illegal-transition")
    shop.cashier.eventually(f"/accounts/{order}", stage="open")
    assert shop.accountant.post("/invoices", {"order_id": order}).status_code == 409
    assert shop.sales.get(f"/orders/{order}").json()["stage"] == "placed"
