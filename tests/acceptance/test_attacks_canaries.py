"""A word of one store, said in everything it can be said in, is found nowhere else: no answer, file, stream, cache or log. A54, A60, A100."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx2
import pytest
import redis
from pypdf import PdfReader

from shared.testing.group import Group
from shared.testing.platform import Person, Platform
from tests.acceptance.databases import Databases
from tests.acceptance.operations import GETS
from tests.acceptance.shop import Shop, cny, did, phone, serial
from tests.acceptance.sse import listening

SOUTH, NORTH, ELSEWHERE = WORDS = "Zqsouthern", "Zqnorthern", "Zqelsewhere"
"""North and south are two stores of one legal entity."""
PERSONAL = "Xperson"
"""Added to the word where it is about a person: sealed wherever it lies."""
_WORDLESS: dict[str, str] = {
    "numbers, codes and ids, no text": """/accounts /accounts/{order_id} /ledger/cars /ledger/trial-balance /orders /orders/{order_id}
        /orders/{order_id}/fulfilment /quotes /receipts /receipts/{receipt_id} /reports/events /reports/funnel
        /reports/funnel/leads /reports/inventory-turnover /reports/profit /stock-levels /periods /audit /shifts""",
    "written by administrators, not in a store": """/auth/me /auth/sessions /auth/jwks.json /authorities /leads/grading-rules
        /ledger/accounts /legal-entities /sales-rules /stores /users /users/{staff_id}""",
    "the group's: every store reads it, so no store's word is said in it": "/trims /trims/{trim_id} /trims/{trim_id}/price /vehicles",
    "there is none here: its ids are tried by test_attacks_tenancy": """/appointments /appointments/slots /appointments/{appointment_id}
        /campaigns/{campaign_id}/spend/{spend_id} /invoices /invoices/{invoice_id} /payments /payments/{payment_id} /stays/refused-sales
        /test-drives /test-drives/{test_drive_id} /transfers /transfers/{transfer_id}""",
}
"""Reads in which not even the store itself finds its word, and why."""
SILENT = {f"GET {path}": reason for reason, paths in _WORDLESS.items() for path in paths.split()}
OF_THE_GROUP = {
    "GET /service-cars/{vin}": "a car is serviced wherever it comes: who has it in the yard, and so its VIN, sees whose it is",
    "GET /intake/vendors": "a setting of the group: which store a vendor's leads go to",
}
"""Reads that tell a store's word to every other store, and why; no other does."""
NEEDED: dict[str, dict[str, str]] = {
    "/reports/funnel/leads": {"stage": "captured"},
    "/trims/{trim_id}/price": {"day": "2027-03-01"},
    "/appointments/slots": {"day": "2027-03-01"},
}


def seeded(person: Person, store: str, word: str, values: dict[str, str], vin: str) -> dict[str, str]:
    """Everything a store can say, with the word in it; the ids by the names they have in paths."""
    today = values["today"]
    who = {"name": f"{word}{PERSONAL} Lin", "phone": phone()}
    ids = {"store_id": store}
    ids["lead_id"] = did(
        person, "/leads", {"store_id": store, "brand": "Aurora", "channel": "phone", **who, "comments": f"{word}{PERSONAL} asks"}
    )
    customer = did(person, "/customers", {"store_id": store, **who, "phone": phone(), "notes": f"{word}{PERSONAL} notes"})
    ids["customer_id"] = customer
    mine = {"customer_id": customer, "store_id": store, "brand": "Aurora", "channel": "phone"}
    ids["opportunity_id"] = did(person, "/opportunities", mine)
    person.did(f"/opportunities/{ids['opportunity_id']}/follow-ups", {"kind": "phone", "text": f"{word}{PERSONAL} called"})
    plan = {"name": f"{word} show", "kind": "show", "place": f"{word} hall", "starts_on": today, "ends_on": today, "store_id": store}
    ids["campaign_id"] = did(person, "/campaigns", {**plan, "goal_leads": 1, "goal_orders": 1, "budget": cny("10.00")})
    ids["bay_id"] = did(person, "/service-bays", {"store_id": store, "name": f"{word} {serial()}"})
    ids["complaint_id"] = did(person, "/complaints", {"store_id": store, "customer_id": customer, "text": f"{word}{PERSONAL} squeaks"})
    trim = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": f"A5 C{serial()}", "powertrain": "petrol"}
    ids["trim_id"] = did(person, "/trims", {**trim, "guide_price": cny("1000.00")})
    car = {"vin": vin, "trim_id": ids["trim_id"], "store_id": store, "supplier": f"{word} Works", "certificate": "with-us"}
    did(person, "/vehicles", {**car, "purchase": cny("900.00")})
    line = {"trim_id": ids["trim_id"], "quantity": 1, "unit_price": cny("900.00")}
    ids["purchase_order_id"] = did(person, "/purchase-orders", {"store_id": store, "supplier": f"{word} Supplies", "lines": [line]})
    sale = {"store_id": store, "customer_id": customer, "trim_id": ids["trim_id"]}
    ids["quote_id"] = did(person, "/quotes", {**sale, "discount": cny("0.00")})
    person.did(f"/quotes/{ids['quote_id']}/feedback", {"liked": True, "text": f"{word}{PERSONAL} finds it dear"})
    ids["order_id"] = did(person, "/orders", {**sale, "vin": vin, "price": cny("990.00"), "down_payment": cny("990.00")})
    entry = [{"account": "6602", "amount": cny("1.00")}, {"account": "1002", "amount": cny("-1.00")}]
    ids["entry_id"] = did(person, "/ledger/entries", {"store_id": store, "text": f"{word} paper", "lines": entry})
    paid = {"order_id": ids["order_id"], "method": "cash", "amount": cny("10.00")}
    ids["receipt_id"] = did(person, "/receipts", {**paid, "kind": "prepayment"})
    ids["refund_id"] = did(person, "/refunds", {**paid, "reason": f"{word} back"})
    did(person, "/intake/vendors", {"vendor": f"{word} leads", "store_id": store})
    did(person, "/service-cars", {"vin": vin, "customer_id": customer, "store_id": store})
    ids["work_order_id"] = did(person, "/work-orders", {"store_id": store, "vin": vin, "services": ["repair"], "kilometres": 12})
    labour = {"kind": "labour", "text": f"{word} oil", "quantity": 1, "price": cny("2.00"), "cost": cny("1.00")}
    technician = person.get("/auth/me").json()["staff_id"]
    did(person, f"/work-orders/{ids['work_order_id']}/items", {**labour, "technician_id": technician})
    return ids | {"vin": vin, "stay_id": person.eventually(f"/vehicles/{vin}")["stay_id"]}


def said(answer: httpx2.Response) -> str:
    """All it says, also in headers and in the compressed pages of a PDF."""
    text = ""
    if answer.headers.get("content-type", "").startswith("application/pdf"):
        paper = PdfReader(BytesIO(answer.content))
        text = f"{paper.metadata} {''.join(page.extract_text() for page in paper.pages)}"
    return f"{answer.headers} {answer.content.decode('latin-1')} {answer.text} {text}"


def answers(person: Person, ids: dict[str, str], parameters: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every read there is, with the ids of somebody's things: its name and all it says, in headers and files too."""
    for one in GETS:
        asked = {**NEEDED.get(one.template, {}), **({"store_id": parameters["store_id"]} if "store_id" in one.route.plan.query else {})}
        for query in ({**NEEDED.get(one.template, {})}, asked):
            answer = person.http.get(one.path(**ids), params=query, headers={"accept": "*/*"})
            yield one.name, said(answer)


@pytest.fixture(scope="module")
def told(group: Group, shop: Shop, everybody: Person, sister: Person, foreigner: Person) -> dict[str, Any]:
    """A person with every role and all things with their word, in each of three stores."""
    people = {SOUTH: (everybody, "south"), NORTH: (sister, "north"), ELSEWHERE: (foreigner, "elsewhere")}
    return {word: (person, seeded(person, group.values[store], word, group.values, shop.vin())) for word, (person, store) in people.items()}


@pytest.mark.parametrize("word", WORDS)
def test_a54_a_stores_word_is_in_no_answer_to_another(told: dict[str, Any], word: str) -> None:
    writer, ids = told[word]
    own = {name for name, text in answers(writer, ids, ids) if word in text}
    silent = {one.name for one in GETS} - own
    assert (silent - SILENT.keys(), SILENT.keys() - silent) == (set(), set())
    for reader in set(WORDS) - {word}:
        heard = {name for name, text in answers(told[reader][0], ids, ids) if word in text}
        assert heard == OF_THE_GROUP.keys(), f"{word} told to {reader}"


def test_a54_the_stream_of_events_tells_no_word_at_all(told: dict[str, Any], group: Group) -> None:
    """What is free text is personal, and personal fields never leave; codes and numbers do, of one's own stores."""
    stranger, ids = told[ELSEWHERE]
    with listening(group.people["owner"]) as events:
        did(stranger, "/customers", {"store_id": ids["store_id"], "name": f"{ELSEWHERE}{PERSONAL} Wen", "phone": phone()})
        event = next(event for event in events if event.name == "customers.CustomerRegistered.v1")
    assert ELSEWHERE not in event.text


def test_a60_no_cache_holds_a_word(told: dict[str, Any], platform: Platform, databases: Databases) -> None:
    """Redis counts requests; nothing that anybody wrote is in it, so no key can show it to another."""
    client = redis.from_url(databases.environment("gateway")["FORECOURT_REDIS_URL"])
    keys = list(client.scan_iter(count=1000))
    assert keys, "requests are counted there"
    for key in keys:
        held = b"" if client.type(key) != b"string" else client.get(key) or b""
        assert client.type(key) in (b"string", b"none")
        assert not any(word.encode() in key + held for word in WORDS)


def test_a100_no_log_holds_a_word_or_a_number(told: dict[str, Any], platform: Platform) -> None:
    """What people are called, say and can be reached at is in no log line and no address that was logged."""
    logs = list((platform.folder / "logs").glob("*"))
    assert len(logs) >= 5
    for file in logs:
        text = file.read_text(encoding="utf-8", errors="replace")
        assert [word for word in (*WORDS, "+861391") if word in text] == [], file.name


def test_a100_no_file_of_a_server_holds_a_persons_word(told: dict[str, Any], platform: Platform) -> None:
    """Tables, write-ahead log and topics hold tokens; what is no person's, such as a campaign's name, is found there."""
    held = dict.fromkeys(WORDS, False)
    kept = [platform.folder / "postgres", platform.folder / "redis", *platform.folder.glob("kafka*")]
    assert len(kept) >= 3
    for folder in kept:
        for file in (path for path in folder.rglob("*") if path.is_file()):
            content = file.read_bytes()
            assert PERSONAL.encode() not in content, file.relative_to(platform.folder)
            held = {word: found or word.encode() in content for word, found in held.items()}
    assert held == dict.fromkeys(WORDS, True)
