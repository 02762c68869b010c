"""Customers over HTTP on PostgreSQL: found, corrected, put away, forgotten, and seen whole."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.customers.tests import hearing as h
from services.customers.tests.hearing import OTHER_STORE, PERSON, WANG
from services.customers.tests.running import Running, lin, registered, running
from services.customers.tests.test_listens import ALL
from services.customers.views.customer_list import table
from shared.contracts import leads, published_name
from shared.testing.hearing import an_id
from shared.testing.servers import FreshDatabase
from shared.values.clock import local_day, utc_now


@pytest.fixture
async def customers(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made


@pytest.mark.touches("CUS-01")
@pytest.mark.touches("CUS-04")
async def test_registered_found_corrected_and_forgotten(customers: Running) -> None:
    answer = await customers.post("/customers", lin())
    assert answer.status == 201, answer.body
    id = answer.json["id"]
    assert answer.headers["location"] == f"/api/v1/customers/{id}"
    assert answer.headers["forecourt-seen"].startswith(f"customers/customer-{id}@")
    (row,) = await customers.items("/customers?phone=138-0013-8000")
    assert (row["name"], row["phone"], row["email"], row["stage"]) == ("林悦", "+8613800138000", "Lin.Yue@example.com", "lead")
    one = await customers.get(f"/customers/{id}")
    assert (one.headers["etag"], one.json["birthday"], one.json["notes"]) == ('"1"', "1990-05-17", "likes blue")
    assert one.json["preferences"]["budget"] == {"amount": "180000.00", "currency": "CNY"}
    assert one.json["number"] == f"C-BJ1-{local_day(utc_now(), 'Asia/Shanghai'):%Y%m%d}-001"

    assert (await customers.post(f"/customers/{id}/correct", {"name": "林月"}, match='"1"')).status == 200
    stale = await customers.post(f"/customers/{id}/correct", {"name": "林岳"}, match='"1"')
    assert (stale.status, stale.problem) == (412, "version-conflict")

    wrong = await customers.post(f"/customers/{id}/forget", {"confirm": "C-BJ1-20260101-999"}, "zhao")
    assert (wrong.problem, list(wrong.errors)) == ("validation", ["confirm"])
    assert (await customers.post(f"/customers/{id}/forget", {"confirm": one.json["number"]})).problem == "forbidden"
    assert (await customers.post(f"/customers/{id}/forget", {"confirm": one.json["number"]}, "zhao")).status == 200
    for path in ("", "/timeline", "/history"):
        gone = await customers.get(f"/customers/{id}{path}", "zhao")
        assert (gone.status, gone.problem) == (410, "erased")
    assert (await customers.post(f"/customers/{id}/correct", {"name": "x"}, "zhao")).problem == "erased"
    assert await customers.items("/customers?phone=13800138000", "zhao") == []
    assert "customers.CustomerForgotten.v1" in await customers.published()


@pytest.mark.touches("CUS-01")
@pytest.mark.parametrize(
    "more, field",
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"phone": None}, "phone"),
        ({"phone": "12"}, "phone"),
        ({"phone": "+86 138"}, "phone"),
        ({"store_id": None}, "store_id"),
        ({"email": "lin"}, "email"),
        ({"birthday": "1990-02-30"}, "birthday"),
        ({"birthday": "2099-01-01"}, "birthday"),
        ({"kind": "robot"}, "kind"),
        ({"preferences": {"budget": {"amount": "-1.00", "currency": "CNY"}}}, "preferences.budget"),
        ({"consents": [{"purpose": "X", "given": True, "wording": "a"}]}, "consents.0.purpose"),
        ({"seller_id": h.SUN}, "seller_id"),
        ({"store_id": OTHER_STORE}, "store_id"),
    ],
)
async def test_a_field_that_is_missing_or_wrong_is_named(customers: Running, more: dict[str, Any], field: str) -> None:
    body = {name: value for name, value in lin(**more).items() if value is not None}
    answer = await customers.post("/customers", body)
    assert answer.status == 422, answer.body
    assert list(answer.errors) == [field]


async def test_numbers_have_no_gaps_and_a_telephone_number_one_customer(customers: Running) -> None:
    answers = await asyncio.gather(*(customers.post("/customers", lin(phone=f"1380013800{n // 2}")) for n in range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 4 + [409] * 4
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.problem == "customer-exists"
    assert "138" not in refused.body.decode()
    rows = await customers.items("/customers?sort=number")
    assert [row["number"][-3:] for row in rows] == ["001", "002", "003", "004"]


async def test_a_retried_registration_is_one_customer(customers: Running) -> None:
    copies = await asyncio.gather(*(customers.post("/customers", lin(), key="same") for _ in range(4)))
    assert {copy.status for copy in copies} == {201}
    assert len({copy.json["id"] for copy in copies}) == 1


async def test_a_telephone_number_is_read_with_the_stores_customs(customers: Running) -> None:
    id = await registered(customers, "sun", store_id=OTHER_STORE, phone="(202) 555-0123")
    assert (await customers.get(f"/customers/{id}", "sun")).json["phone"] == "+12025550123"
    assert [row["customer_id"] for row in await customers.items("/customers?phone=2025550123&region=US", "sun")] == [id]


async def test_a_list_is_filtered_sorted_and_paged(customers: Running) -> None:
    first = await registered(customers)
    second = await registered(customers, phone="13900139000", email="x@example.com", kind="company", name="远行公司")
    for query in ("phone_last4=9000", "email=X@example.com", "kind=company", "phone=%2B8613900139000"):
        assert [row["customer_id"] for row in await customers.items(f"/customers?{query}")] == [second], query
    assert [row["customer_id"] for row in await customers.items("/customers")] == [second, first]
    page = (await customers.get("/customers?limit=1&sort=number")).json
    assert [row["customer_id"] for row in page["items"]] == [first]
    following = await customers.items(f"/customers?limit=1&sort=number&cursor={page['next_cursor']}")
    assert [row["customer_id"] for row in following] == [second]
    number = page["items"][0]["number"]
    assert [row["customer_id"] for row in await customers.items(f"/customers?number={number}")] == [first]
    assert (await customers.get("/customers?sort=name")).problem == "validation"
    assert (await customers.get("/customers?phone=12345")).errors.keys() == {"phone"}
    assert await customers.items("/customers?stage=owner") == []


async def test_who_sees_what(customers: Running) -> None:
    id = await registered(customers)
    (row,) = await customers.items("/customers", "wang")
    assert (row["name"], row["phone"], row["email"], row["masked"]) == ("林**", "138****8000", "****", True)
    one = (await customers.get(f"/customers/{id}", "wang")).json
    assert (one["address"], one["notes"], one["masked"]) == ("****", "****", True)
    for by in ("li", "zhao", "owner"):
        assert (await customers.get(f"/customers/{id}", by)).json["phone"] == "+8613800138000"
    assert (await customers.get(f"/customers/{id}", "sun")).status == 404
    assert await customers.items("/customers", "sun") == []
    assert (await customers.post(f"/customers/{id}/archive", by="sun")).status == 404
    for path in ("timeline", "history"):
        assert (await customers.get(f"/customers/{id}/{path}", "sun")).status == 404
    assert (await customers.get(f"/customers/{id}", "ma")).status == 403


async def test_with_the_vault_down_personal_fields_are_masked_and_new_ones_refused(customers: Running) -> None:
    id = await registered(customers)
    customers.vault.available = False
    customers.vault.drop_cached()
    one = await customers.get(f"/customers/{id}")
    assert (one.status, one.json["name"], one.json["phone"]) == (200, "****", "****")
    assert (await customers.post("/customers", lin(phone="13900139000"))).status == 503
    assert (await customers.post(f"/customers/{id}/archive")).status == 200


async def test_the_history_tells_each_field(customers: Running) -> None:
    id = await registered(customers)
    body = {"name": "林月", "phone": "+8613800138000", "preferences": {"brand": "VW", "series": "ID.3"}}
    assert (await customers.post(f"/customers/{id}/correct", body)).json["version"] == 2
    assert (await customers.post(f"/customers/{id}/correct", body)).json["version"] == 2
    consent = {"purpose": "marketing-sms", "given": False, "wording": "privacy-2026-01"}
    assert (await customers.post(f"/customers/{id}/consents", consent)).status == 200
    items = await customers.items(f"/customers/{id}/history")
    changed = {item["field"]: (item["was"], item["now"]) for item in items if item["version"] > 1}
    assert changed == {
        "name": ("林悦", "林月"),
        "series": ("ID.4", "ID.3"),
        "budget": ("180000.00 CNY", ""),
        "consent marketing-sms": ("given: privacy-2026-01", "refused: privacy-2026-01"),
    }
    assert {item["by"] for item in items} == {h.LI}
    (name, *_) = [item for item in await customers.items(f"/customers/{id}/history", "wang") if item["field"] == "name"]
    assert (name["was"], name["now"]) == ("林**", "林**")
    assert (await customers.get(f"/customers/{id}")).json["consents"][0]["given"] is False
    page = (await customers.get(f"/customers/{id}/history?limit=3")).json
    assert page["next_cursor"]


async def test_a_new_telephone_number_frees_the_old_one(customers: Running) -> None:
    id = await registered(customers)
    assert (await customers.post(f"/customers/{id}/correct", {"phone": "13900139000"})).status == 200
    assert [row["customer_id"] for row in await customers.items("/customers?phone=13900139000")] == [id]
    other = await registered(customers)
    refused = await customers.post(f"/customers/{other}/correct", {"phone": "13900139000"})
    assert refused.problem == "customer-exists"


async def test_invalid_archived_restored(customers: Running) -> None:
    id = await registered(customers)
    marked = await customers.post(f"/customers/{id}/invalid", {"reason": "wrong-number", "note": "a stranger answers"})
    assert marked.status == 200
    assert await customers.items("/customers") == []
    assert [row["customer_id"] for row in await customers.items("/customers?status=invalid")] == [id]
    assert (await customers.post(f"/customers/{id}/correct", {"name": "x"})).problem == "illegal-transition"
    other = await registered(customers)
    assert (await customers.post(f"/customers/{id}/restore")).problem == "customer-exists"
    assert (await customers.post(f"/customers/{other}/archive")).status == 200
    assert (await customers.post(f"/customers/{other}/restore")).status == 200
    assert (await customers.post(f"/customers/{id}/invalid", {"reason": "because"})).errors.keys() == {"reason"}


async def test_a_converted_lead_becomes_a_customer_who_can_be_found(customers: Running) -> None:
    name, phone = [await customers.vault.seal(PERSON, text) for text in ("林悦", "+8613800138000")]
    await customers.hear(h.converted(name=name, phone=phone), h.converted(name=name, phone=phone), h.opened)
    one = (await customers.get(f"/customers/{PERSON}")).json
    assert (one["name"], one["number"], one["stage"], one["seller_id"]) == ("林悦", "C-BJ1-20260302-001", "opportunity", h.LI)
    assert await customers.items("/customers?phone=13800138000") == []
    await customers.caretaker.once()
    assert [row["customer_id"] for row in await customers.items("/customers?phone=13800138000")] == [PERSON]
    assert (await customers.post("/customers", lin())).problem == "customer-exists"
    await customers.hear(h.converted(an_id(31), name="", phone=""))
    assert (await customers.get(f"/customers/{an_id(31)}")).json["number"] == "C-BJ1-20260302-002"
    assert await customers.events(PERSON) == ["CustomerRegistered", "ContactsIndexed"]


async def test_a_lead_of_a_known_number_is_shown_as_a_possible_duplicate(customers: Running) -> None:
    id = await registered(customers)
    phone = await customers.vault.seal(PERSON, "+8613800138000")
    await customers.hear(h.converted(name=phone, phone=phone))
    await customers.caretaker.once()
    assert (await customers.get(f"/customers/{PERSON}")).json["duplicate_of"] == id
    assert {row["customer_id"] for row in await customers.items("/customers?phone=13800138000")} == {id, PERSON}


async def test_a_number_that_never_parsed_is_no_match(customers: Running) -> None:
    phone = await customers.vault.seal(PERSON, "call my wife")
    await customers.hear(h.converted(name=phone, phone=phone))
    await customers.caretaker.once()
    assert (await customers.events(PERSON))[-1] == "ContactsIndexed"
    assert (await customers.store.scan(table, customer_id=PERSON))[0].phone_index == ""


@pytest.mark.touches("CUS-07")
async def test_the_whole_picture_in_one_request(customers: Running) -> None:
    text = await customers.vault.seal(PERSON, "wants blue")
    spoken = leads.FollowUpRecorded(**{**h.followed_up.__dict__, "text": text})
    await customers.hear(*[spoken if event is h.followed_up else event for event in ALL if event is not h.cancelled])
    one = (await customers.get(f"/customers/{PERSON}")).json
    for section in ("leads", "opportunities", "test_drives", "quotes", "orders", "vehicles", "payments", "appointments", "services"):
        assert len(one[section]) == 1, section
    assert len(one["complaints"]) == 1
    assert (one["stage"], one["orders"][0]["status"], one["orders"][0]["invoice"]) == ("owner", "delivered", h.invoiced.number)
    assert one["vehicles"][0]["vin"] == h.VIN
    items = await customers.items(f"/customers/{PERSON}/timeline?limit=200")
    assert {item["context"] for item in items} == {"customers", "leads", "orders", "finance", "inventory", "aftersales"}
    assert {item["type"] for item in items} >= {published_name(event) for event in ALL if event is not h.cancelled}
    assert {item["text"] for item in items} == {"", "wants blue"}
    assert {item["text"] for item in await customers.items(f"/customers/{PERSON}/timeline", "wang")} == {"", "****"}


async def test_the_timeline_is_paged_without_loss(customers: Running) -> None:
    await customers.hear(h.converted(), h.placed, h.approved, h.paid, h.invoiced)
    whole = [item["event_id"] for item in await customers.items(f"/customers/{PERSON}/timeline")]
    seen, cursor = [], ""
    while True:
        page = (await customers.get(f"/customers/{PERSON}/timeline?limit=2{cursor}")).json
        seen += [item["event_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == whole
    assert len(whole) == 6


async def test_events_heard_before_the_customer_is_known_are_his_later(customers: Running) -> None:
    await customers.hear(h.captured, h.graded, h.opened)
    assert (await customers.get(f"/customers/{PERSON}")).status == 404
    await customers.hear(h.converted())
    told = {item["type"].split(".")[1] for item in await customers.items(f"/customers/{PERSON}/timeline")}
    assert told == {"LeadCaptured", "LeadGraded", "OpportunityOpened", "LeadConverted", "CustomerRegistered"}


async def test_a_customer_of_a_store_not_heard_of_yet_gets_his_number_when_it_is(customers: Running) -> None:
    """As when everything is heard again from the beginning: leads may tell before the gateway does."""
    late = an_id(99)
    stranger = leads.LeadConverted(**{**h.converted().__dict__, "store_id": late})
    await customers.hear(stranger, h.placed)
    await customers.caretaker.once()
    assert await customers.events(PERSON) == ["CustomerRegistered", "DealRecorded"]
    assert await customers.published() == []
    await customers.hear(h.store(late, "BJ9"))
    await customers.caretaker.once()
    await customers.caretaker.once()
    one = (await customers.get(f"/customers/{PERSON}", "owner")).json
    assert (one["number"], one["stage"]) == ("C-BJ9-20260302-001", "order")
    assert await customers.events(PERSON) == ["CustomerRegistered", "DealRecorded", "CustomerNumbered"]
    assert await customers.published() == ["customers.CustomerRegistered.v1"]


async def test_a_seller_of_the_store_may_be_named(customers: Running) -> None:
    id = await registered(customers, "zhao", seller_id=WANG)
    assert (await customers.get(f"/customers/{id}", "li")).json["masked"] is True
    assert (await customers.post(f"/customers/{id}/correct", {"seller_id": h.LI}, "zhao")).status == 200
    assert (await customers.get(f"/customers/{id}", "li")).json["masked"] is False


async def test_the_api_is_described_with_its_permissions(customers: Running) -> None:
    paths = (await customers.client.get("/openapi.json")).json["paths"]
    assert paths["/api/v1/customers/{customer_id}/forget"]["post"]["x-permission"] == ["customers.erase"]
    assert paths["/api/v1/customers"]["get"]["x-permission"] == ["customers.read"]


@pytest.mark.parametrize(
    "query, field", [("stage=rich", "stage"), ("phone_last4=12", "phone_last4"), ("number=x", "number"), ("limit=0", "limit")]
)
async def test_a_wrong_filter_is_named(customers: Running, query: str, field: str) -> None:
    answer = await customers.get(f"/customers?{query}")
    assert (answer.status, list(answer.errors)) == (422, [field])
