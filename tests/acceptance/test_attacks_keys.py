"""Attacks on idempotency and concurrency, A25 to A31."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.testing.platform import Person
from shared.values.ids import new_id
from tests.acceptance.databases import Databases
from tests.acceptance.operations import OPERATIONS, Operation
from tests.acceptance.refusals import CANARY, assert_refused, unlike
from tests.acceptance.shop import Shop, at_once, cny, every, phone, serial, until

KEYED = tuple(one for one in OPERATIONS if one.route.wants_key and not one.route.plan.raw)
MATCHED = tuple(one for one in OPERATIONS if one.route.wants_match)

type Creation = tuple[Person, str, dict[str, Any]]


def creations(shop: Shop) -> dict[str, Creation]:
    """Something to be made in each service, by whom."""
    south, n = shop.values["south"], serial()
    today = shop.values["today"]
    lead = {"store_id": south, "brand": "Aurora", "channel": "phone", "name": "Key Holder", "phone": phone()}
    customer = {"store_id": south, "kind": "person", "name": "Key Holder", "phone": phone()}
    trim = {"brand": "Aurora", "series": "K", "model_year": 2026, "name": f"K {n}", "powertrain": "petrol", "guide_price": cny("99800.00")}
    campaign = {"store_id": south, "name": f"K {n}", "kind": "show", "place": "Hall 3", "starts_on": today, "ends_on": today}
    price = {"trim_id": shop.trim(), "price": cny("180000.00"), "down_payment": cny("60000.00")}
    lines = [{"account": "6602", "amount": cny("100.00")}, {"account": "1002", "amount": cny("-100.00")}]
    legal = {"name": f"Key {n} Ltd", "tax_number": f"91110105MK{n:07}K"}
    return {
        "leads": (shop.sales, "/leads", lead),
        "customers": (shop.sales, "/customers", customer),
        "inventory": (shop.stock, "/trims", trim),
        "orders": (shop.sales, "/orders", {"store_id": south, "customer_id": shop.customer(), **price}),
        "finance": (shop.accountant, "/ledger/entries", {"store_id": south, "text": f"Key {n}", "lines": lines}),
        "marketing": (shop.marketing, "/campaigns", {**campaign, "goal_leads": 1, "goal_orders": 1, "budget": cny("1000.00")}),
        "gateway": (shop.admin, "/legal-entities", legal),
    }


SERVICES = ("leads", "customers", "inventory", "orders", "finance", "marketing", "gateway")


def accepted(creation: Creation, key: str) -> dict[str, Any]:
    """The answer to a creation as soon as its service knows what it is about."""
    who, path, body = creation

    def made() -> dict[str, Any] | None:
        answer = who.post(path, body, idempotency_key=key)
        assert answer.status_code == 201 or answer.json()["type"] in ("/problems/unknown-reference", "/problems/not-yet-seen"), answer.text
        return answer.json() if answer.status_code == 201 else None

    return until(made)


@pytest.mark.usefixtures("untouched")
def test_a25_a_creation_without_a_key(everybody: Person) -> None:
    asked = {one.name: everybody.http.post(one.path(), json=one.body(), headers={"if-match": "*"}) for one in KEYED}
    wrong = {name: found for name, answer in asked.items() if (found := unlike(answer, (400,), ("idempotency-key-missing",)))}
    assert wrong == {}
    assert {one.context for one in KEYED} >= set(SERVICES)


@pytest.mark.parametrize("context", SERVICES)
def test_a26_the_same_key_for_another_body(shop: Shop, context: str) -> None:
    creation = creations(shop)[context]
    who, path, body = creation
    key = new_id()
    first = accepted(creation, key)
    name = "text" if context == "finance" else "channel" if context == "orders" else "name"
    assert_refused(who.post(path, {**body, name: CANARY}, idempotency_key=key), 422, "idempotency-key-reused")
    assert accepted(creation, key) == first


def test_a27_the_same_key_in_flight_waits_and_is_told_to_come_again(shop: Shop, databases: Databases) -> None:
    who, path, body = creations(shop)["inventory"]
    before, key, answers = len(every(who, path)), new_id(), []
    with databases.connect("inventory") as blocking, ThreadPoolExecutor(2) as pool:
        blocking.execute("begin")
        blocking.execute("lock table events in exclusive mode")
        copies = [pool.submit(who.post, path, body, idempotency_key=key) for _ in range(2)]
        answers = [copy.result() for copy in copies]
        blocking.execute("rollback")
    for answer in answers:
        assert unlike(answer, (409, 503), ("request-in-flight", "unavailable")) is None, answer.text
        assert int(answer.headers["retry-after"]) > 0
    first = until(lambda: (found := who.post(path, body, idempotency_key=key)).status_code == 201 and found.json())
    assert who.post(path, body, idempotency_key=key).json() == first
    assert len(every(who, path)) == before + 1


def test_a28_the_same_key_of_somebody_else_or_for_something_else(shop: Shop) -> None:
    key, body = new_id(), {"store_id": shop.values["south"], "kind": "person", "name": "Wu Fan"}
    south = shop.sales.did("/customers", {**body, "phone": phone()}, idempotency_key=key)
    other = shop.colleague.did("/customers", {**body, "phone": phone()}, idempotency_key=key)
    north = shop.north_sales.did("/customers", {**body, "phone": phone(), "store_id": shop.values["north"]}, idempotency_key=key)
    lead = shop.sales.did("/leads", {**creations(shop)["leads"][2]}, idempotency_key=key)
    assert len({south, other, north, lead}) == 4


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("key", ["x" * 256, "zq7canary93\x7f", "zq7canary93\t1", "钥匙".encode().decode("latin-1"), "zq7canary93\x80"])
def test_a29_a_key_that_is_none(everybody: Person, key: str) -> None:
    def ask(one: Operation) -> str | None:
        headers = {b"idempotency-key": key.encode("latin-1"), b"if-match": b"*"}
        return unlike(everybody.http.post(one.path(), json=one.body(), headers=headers), (400,), ("idempotency-key-invalid", "bad-request"))

    assert {one.name: wrong for one in KEYED if (wrong := ask(one))} == {}


@pytest.mark.usefixtures("untouched")
def test_a30_a_change_that_does_not_say_of_which_version(everybody: Person) -> None:
    def ask(one: Operation) -> str | None:
        answer = everybody.http.post(one.path(), json=one.body(), headers={"idempotency-key": new_id()})
        return unlike(answer, (428,), ("version-required",))

    assert {one.name: wrong for one in MATCHED if (wrong := ask(one))} == {}
    assert {one.context for one in MATCHED} >= set(SERVICES)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("version", ["3", 'W/"3"', '"a"', '"-1"', '"1", "2"', '""', '"99999999999"'])
def test_a30_a_version_that_is_none(everybody: Person, version: str) -> None:
    def ask(one: Operation) -> str | None:
        answer = everybody.http.post(one.path(), json=one.body(), headers={"idempotency-key": new_id(), "if-match": version})
        return unlike(answer, (400,), ("bad-header",))

    assert {one.name: wrong for one in MATCHED if (wrong := ask(one))} == {}


def test_a30_a_version_that_has_passed(shop: Shop) -> None:
    """In each service: what was read, was changed by another, and is not overwritten."""
    trim = shop.trim()
    vin = shop.car(trim)
    stay = shop.stock.get(f"/vehicles/{vin}").json()
    order, lead = shop.order(trim, vin), shop.lead()
    shop.sales.eventually(f"/leads/{lead}", status="assigned")
    customer = shop.customer()
    campaign = shop.marketing.did(*creations(shop)["marketing"][1:])
    entry = {"amount": cny("10.00"), "kind": "freight", "supplier": "Swift"}
    consent = {"purpose": "sms", "given": True, "wording": "v1"}
    shop.sales.did(f"/orders/{order}/submit")
    shop.stock.did(f"/vehicles/{vin}/costs", entry)
    shop.sales.did(f"/customers/{customer}/consents", consent)
    shop.marketing.did(f"/campaigns/{campaign}/submit")
    shop.accountant.eventually(f"/accounts/{order}", stage="open")
    shop.pay(order, "1000.00", "prepayment")
    refund = shop.cashier.did("/refunds", {"order_id": order, "amount": cny("1.00"), "method": "cash", "reason": "Too much"})
    stale: list[tuple[Person, str, Any]] = [
        (shop.manager, f"/orders/{order}/approve", None),
        (shop.sales, f"/leads/{lead}/follow-ups", {"kind": "phone", "text": CANARY}),
        (shop.stock, f"/vehicles/{vin}/costs", {**entry, "supplier": CANARY}),
        (shop.sales, f"/customers/{customer}/consents", {**consent, "given": False}),
        (shop.manager, f"/campaigns/{campaign}/approve", None),
        (shop.accountant, f"/refunds/{refund}/approve", None),
        (
            shop.admin,
            f"/users/{shop.values['colleague']}/assign",
            {"roles": ["marketing"], "store_ids": [shop.values["south"]], "capacity": 7},
        ),
    ]
    for who, path, body in stale:
        answer = who.post(path, body, if_match='"99"')
        assert_refused(answer, 412, "version-conflict")
        assert answer.headers["etag"] != '"99"', "the version it has now is told"
    assert shop.stock.get(f"/vehicles/{vin}").json()["version"] == stay["version"] + 1


def test_a30_two_edits_of_one_customer(shop: Shop) -> None:
    """Fifty at once with the version they all have read: one wins, nothing is overwritten unseen."""
    customer = shop.customer()
    version = shop.sales.get(f"/customers/{customer}").headers["etag"]
    path = f"/customers/{customer}/correct"
    answers = at_once(50, lambda n: shop.sales.post(path, {"notes": f"Edit {n}"}, if_match=version))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(412)) == (1, 49)


@pytest.mark.parametrize("context", SERVICES)
def test_a31_a_hundred_copies_of_one_request(shop: Shop, databases: Databases, context: str) -> None:
    who, path, body = creation = creations(shop)[context]
    if context == "orders":
        accepted(creation, new_id())
    key, staff = new_id(), shop.values.get(next(login for login, person in shop.people.items() if person is who), "")
    before = databases.settled_deeds(staff)
    answers = at_once(100, lambda _: who.post(path, body, idempotency_key=key))
    assert {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers if answer.status_code > 201][:3]
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    again = who.post(path, body, idempotency_key=key)
    assert (again.status_code, again.json()["id"]) == (201, next(a.json()["id"] for a in answers if a.status_code == 201))
    if staff:
        made = databases.rows(context, "select count(*) as n from idempotency where subject = %s and key = %s", staff, key)
        assert made == [{"n": 1}]
        assert databases.settled_deeds(staff) - before <= 3


def test_a31_a_hundred_copies_of_one_payment(shop: Shop) -> None:
    trim = shop.trim()
    order = shop.order(trim, shop.car(trim))
    shop.cashier.eventually(f"/accounts/{order}", stage="open")
    body, key = {"order_id": order, "kind": "prepayment", "method": "card", "amount": cny("500.00")}, new_id()
    answers = at_once(100, lambda _: shop.cashier.post("/receipts", body, idempotency_key=key))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert shop.cashier.get(f"/accounts/{order}").json()["paid"] == cny("500.00")
    assert len(shop.cashier.get("/receipts", order_id=order).json()["items"]) == 1


def test_a31_copies_of_a_change(shop: Shop) -> None:
    trim = shop.trim()
    vin = shop.car(trim)
    key, started = new_id(), threading.Barrier(25)

    def ask(_: int) -> Any:
        started.wait(10)
        return shop.stock.post(
            f"/vehicles/{vin}/costs", {"kind": "freight", "supplier": "Swift", "amount": cny("100.00")}, idempotency_key=key
        )

    assert {answer.status_code for answer in at_once(25, ask)} <= {200, 409}
    assert shop.stock.get(f"/vehicles/{vin}").json()["book_cost"] == cny("150100.00")
