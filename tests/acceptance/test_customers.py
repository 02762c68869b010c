"""Customers through the gateway: one record per person, everything about him in one answer, and forgotten when he asks."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.plan import SERVICES
from tests.acceptance.databases import Databases
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, at_once, cny, did, every, phone, serial, until


@pytest.mark.feature("CUS-01")
def test_a_record_has_what_it_needs_says_what_is_missing_and_is_there_once(shop: Shop) -> None:
    """Each required field named when missing; the telephone number in E.164; a gapless number; wishes, source, stage, notes; companies."""
    number = phone()
    whole = {"store_id": shop.values["south"], "kind": "person", "name": "Qian Wei", "phone": number}
    for field in ("store_id", "name", "phone"):
        answer = shop.sales.post("/customers", {name: value for name, value in whole.items() if name != field})
        assert_refused(answer, 422, "validation")
        assert answer.json()["errors"] == [{"field": field, "reason": "is required"}]
    for field, value in (
        ("phone", "12"),
        ("email", "nobody"),
        ("birthday", "2999-01-01"),
        ("gender", "x"),
        ("kind", "robot"),
        ("name", ""),
    ):
        answer = shop.sales.post("/customers", {**whole, field: value})
        assert_refused(answer, 422, "validation")
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    about = {"email": "Qian.Wei@Example.com", "wechat": "wxid_q", "address": "Beijing, 1 Jianguo Road", "birthday": "1990-05-17"}
    about |= {"gender": "female", "notes": "Two children", "contact": "Her brother", "id_number": "11010519900517002X"}
    wishes = {"brand": "Aurora", "series": "A5", "trim": "Max", "colour": "white", "budget": cny("250000.00")}
    consents = [{"purpose": "marketing-sms", "given": True, "wording": "privacy-2026-01"}]
    made = {
        **whole,
        **about,
        "preferences": wishes,
        "channel": "referral",
        "consents": consents,
        "phone": f"0086 {number[:3]} {number[3:]}",
    }
    customer = shop.sales.did("/customers", made)
    row = shop.sales.get(f"/customers/{customer}").json()
    assert (row["phone"], row["email"], row["name"]) == (f"+86{number}", "Qian.Wei@example.com", "Qian Wei")
    assert {name: row[name] for name in about if name != "email"} == {name: value for name, value in about.items() if name != "email"}
    assert (row["preferences"], row["channel"], row["stage"]) == (wishes, "referral", "lead")
    assert [(one["purpose"], one["given"]) for one in row["consents"]] == [("marketing-sms", True)]
    assert re.fullmatch(r"C-[A-Z0-9]+-\d{8}-\d{3,}", row["number"])
    company = {
        "store_id": shop.values["south"],
        "kind": "company",
        "name": "Lantian Logistics Ltd",
        "contact": "Ms Hao",
        "phone": "010 6505 2288",
    }
    firm = shop.sales.get(f"/customers/{shop.sales.did('/customers', {**company, 'phone': f'010 6505 {serial() % 9000 + 1000}'})}").json()
    assert (firm["kind"], firm["phone"][:9]) == ("company", "+86106505")
    _is_there_once(shop, whole)
    _its_stage_follows_its_dealings(shop)


def _is_there_once(shop: Shop, whole: dict[str, str]) -> None:
    """Twenty desks register the same telephone number at once: one record, and no number is lost on the others."""
    fresh = phone()
    answers = at_once(20, lambda n: shop.sales.post("/customers", {**whole, "phone": fresh if n % 2 else f"+86{fresh}"}))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {"/problems/customer-exists"}
    code = f"C-S{shop.group.number:02}-"
    rows = [row["number"] for status in ("active", "archived", "invalid") for row in every(shop.manager, "/customers", status=status)]
    days: dict[str, list[int]] = {}
    for number in rows:
        if number.startswith(code):
            days.setdefault(number[:-4], []).append(int(number[-3:]))
    assert days
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in days.values())


def _its_stage_follows_its_dealings(shop: Shop) -> None:
    opportunity = shop.opportunity()
    customer = shop.sales.get(f"/opportunities/{opportunity}").json()["person_id"]
    shop.sales.eventually(f"/customers/{customer}", stage="opportunity")
    trim = shop.trim()
    order = shop.delivered(trim, shop.car(trim), customer_id=customer, opportunity_id=opportunity)
    shop.sales.eventually(f"/customers/{customer}", stage="owner")
    assert [one["id"] for one in shop.sales.get(f"/customers/{customer}").json()["orders"]] == [order]


@pytest.mark.touches("CUS-03")
@pytest.mark.touches("CUS-04")
def test_a_record_is_corrected_marked_archived_and_restored_with_its_history(shop: Shop) -> None:
    number = phone()
    customer = shop.customer("Sun Li", phone=number)
    shop.sales.did(f"/customers/{customer}/correct", {"name": "Sun Lili", "notes": "Calls after six"})
    history = shop.sales.get(f"/customers/{customer}/history").json()["items"]
    assert {(row["field"], row["was"], row["now"]) for row in history} >= {("name", "Sun Li", "Sun Lili"), ("notes", "", "Calls after six")}
    shop.sales.did(f"/customers/{customer}/invalid", {"reason": "wrong-number"})
    right = shop.customer("Sun Lili", phone=number)
    assert right != customer, "the number is free for the right record"
    assert_refused(shop.sales.post(f"/customers/{customer}/restore"), 409, "customer-exists")
    shop.sales.did(f"/customers/{right}/archive")
    assert right not in [row["customer_id"] for row in every(shop.sales, "/customers")]
    assert right in [row["customer_id"] for row in every(shop.sales, "/customers", status="archived")]
    shop.sales.did(f"/customers/{right}/restore")
    assert shop.sales.get(f"/customers/{right}").json()["status"] == "active"


@pytest.mark.touches("CUS-04")
def test_a_forgotten_person_is_unreadable_in_every_service_and_the_ledger_still_balances(shop: Shop, databases: Databases) -> None:
    """Lead, opportunity, quote, contract and receipt of one person; after erasure no service and no store can tell who it was."""
    name, number = f"Forgotten Zq{serial()}", phone()
    opportunity = shop.opportunity(name=name, phone=number)
    row = shop.sales.get(f"/opportunities/{opportunity}").json()
    customer, lead = row["person_id"], row["lead_id"]
    shop.sales.eventually(f"/customers/{customer}")
    trim = shop.trim()
    order = shop.signed(trim, shop.car(trim), customer_id=customer, opportunity_id=opportunity)
    shop.pay(order, "20000.00", "earnest")
    _nowhere_in_clear(databases, name, number)
    told = shop.sales.get(f"/customers/{customer}").json()
    assert told["name"] == name
    assert_refused(shop.sales.post(f"/customers/{customer}/forget", {"confirm": told["number"]}), 403, "forbidden")
    assert_refused(shop.manager.post(f"/customers/{customer}/forget", {"confirm": "yes"}), 422, "validation")
    shop.manager.did(f"/customers/{customer}/forget", {"confirm": told["number"]})
    assert_refused(shop.manager.get(f"/customers/{customer}"), 410, "erased")
    assert shop.manager.get("/customers", phone=number).json()["items"] == []
    paths = (
        f"/leads/{lead}",
        f"/opportunities/{opportunity}",
        f"/leads/{lead}/timeline",
        f"/orders/{order}",
        f"/reports/events?order_id={order}",
    )
    until(lambda: not any(name in (text := shop.manager.http.get(path).text) or number in text for path in paths))
    assert_refused(until(lambda: a if (a := shop.manager.get(f"/orders/{order}/contract.pdf")).status_code != 200 else None), 410, "erased")
    keys = databases.vault("select count(*) as n from keys where person_id = %s", customer)
    assert keys == [{"n": 0}]
    for total in shop.owner.get("/ledger/trial-balance").json()["totals"]:
        assert total["balance"]["amount"] == "0.00"
    assert shop.cashier.get(f"/accounts/{order}").json()["paid"] == cny("20000.00")


def _nowhere_in_clear(databases: Databases, *words: str) -> None:
    """Even before, no store holds these words: they are sealed wherever they lie."""
    for context in SERVICES:
        tables = databases.rows(context, "select table_name as name from information_schema.tables where table_schema = 'public'")
        for table in tables:
            for word in words:
                sql = f'select count(*) as n from "{table["name"]}" as t where position(%s in t::text) > 0 or position(%s in t::text) > 0'
                assert databases.rows(context, sql, word, word.encode().hex()) == [{"n": 0}], f"{context}.{table['name']}"


@pytest.mark.touches("CUS-07")
def test_everything_about_a_customer_is_one_answer(shop: Shop) -> None:
    """Lead, opportunity, test drive, quote, order, car, payment, appointment, service and complaint, each from its own context's events."""
    opportunity = shop.opportunity()
    customer = shop.sales.get(f"/opportunities/{opportunity}").json()["person_id"]
    shop.sales.eventually(f"/customers/{customer}")
    trim = shop.trim()
    vin, demo = shop.car(trim), shop.car(trim, category="demo")
    begins = datetime.now(UTC) + timedelta(days=40, minutes=40 * (serial() % 500))
    slot = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(minutes=30)).isoformat(), "specialist_id": shop.values["sales"]}
    did(shop.sales, "/test-drives", {"opportunity_id": opportunity, "vin": demo, **slot})
    south = shop.values["south"]
    did(shop.sales, "/quotes", {"store_id": south, "customer_id": customer, "trim_id": trim, "discount": cny("0.00")})
    did(shop.service, "/service-bays", {"store_id": south, "name": f"Bay {serial()}"})
    shop.delivered(trim, vin, customer_id=customer, opportunity_id=opportunity)
    did(shop.service, "/work-orders", {"store_id": south, "vin": vin, "services": ["maintenance"], "kilometres": 10})
    did(shop.service, "/complaints", {"store_id": south, "customer_id": customer, "vin": vin, "text": "It squeaks."})
    sections = (
        "leads",
        "opportunities",
        "test_drives",
        "quotes",
        "orders",
        "vehicles",
        "payments",
        "appointments",
        "services",
        "complaints",
    )

    def whole() -> bool:
        row = shop.sales.get(f"/customers/{customer}").json()
        return all(row[section] for section in sections)

    until(whole)
    row = shop.sales.get(f"/customers/{customer}").json()
    assert row["stage"] == "owner"
    assert [car["id"] for car in row["vehicles"]] == [vin] or vin in str(row["vehicles"])
    timeline = every(shop.sales, f"/customers/{customer}/timeline")
    assert {entry["context"] for entry in timeline} >= {"leads", "customers", "orders", "finance", "aftersales"}
    assert [entry["occurred_at"] for entry in timeline] == sorted((entry["occurred_at"] for entry in timeline), reverse=True)
