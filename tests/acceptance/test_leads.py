"""Leads through the gateway: captured once, graded and assigned with the reason, contacted in time, converted, driven."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.testing.platform import Person
from tests.acceptance.databases import Databases
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, at_once, cny, did, phone, serial, until

CHANNELS = ("walk-in", "phone", "website", "mini-program", "auto-show", "ad", "social", "third-party", "referral", "campaign", "partner")


@pytest.mark.touches("LEA-01")
def test_the_same_person_from_every_channel_is_one_lead(shop: Shop) -> None:
    number = phone()
    spellings = (number, f"+86 {number}", f"{number[:3]} {number[3:7]} {number[7:]}", f"0086{number}")
    leads = {shop.lead(channel=channel, phone=spellings[n % 4], consent="privacy-2026-01") for n, channel in enumerate(CHANNELS)}
    assert len(leads) == 1
    row = shop.manager.get(f"/leads/{leads.pop()}").json()
    assert (row["touches"], row["channel"], row["last_channel"], row["phone"]) == (11, "walk-in", "partner", f"+86{number}")


@pytest.mark.touches("LEA-01")
def test_the_same_person_twice_at_the_same_instant_is_one_lead(shop: Shop) -> None:
    body = {"store_id": shop.values["south"], "brand": "Aurora", "channel": "website", "name": "Lin Yue", "phone": phone()}
    answers = at_once(20, lambda _: shop.sales.post("/leads", body))
    assert {answer.status_code for answer in answers} == {201}
    leads = {answer.json()["id"] for answer in answers}
    assert len(leads) == 1
    assert shop.manager.get(f"/leads/{leads.pop()}").json()["touches"] == 20


@pytest.mark.touches("LEA-02")
def test_a_partners_feed_becomes_leads_of_its_store_and_a_repeat_changes_nothing(shop: Shop) -> None:
    vendor, number, reference = f"Feed {serial()}", phone(), serial()
    shop.admin.did("/intake/vendors", {"vendor": vendor, "store_id": shop.values["south"]})
    prospects = "".join(
        f"<prospect><id source='feed'>{reference}-{n}</id><customer><contact><name part='full'>Lin & Sons</name>"
        f"<phone>{number if n == 0 else phone()}</phone></contact></customer><vehicle><make>Aurora</make></vehicle>"
        f"<vendor><vendorname>{vendor}</vendorname></vendor></prospect>"
        for n in range(3)
    )

    def sent(key: str) -> Any:
        headers = {"content-type": "application/xml", "idempotency-key": key}
        return shop.marketing.http.post("/intake/adf", content=f"<adf>{prospects}</adf>".encode(), headers=headers)

    first = until(lambda: (answer := sent(f"adf-{reference}")).status_code == 201 and answer.json()["items"])
    assert [item["store_id"] for item in first] == [shop.values["south"]] * 3
    assert any("mended" in warning for warning in first[0]["warnings"])
    again = sent(f"adf-{reference}-again").json()["items"]
    assert [item["id"] for item in again] == [item["id"] for item in first]
    assert shop.manager.get(f"/leads/{first[0]['id']}").json()["touches"] == 1


@pytest.mark.feature("LEA-04")
def test_grades_are_given_by_rules_that_are_data_and_given_again_when_facts_change(shop: Shop) -> None:
    before = shop.manager.get("/leads/grading-rules").json()
    number = phone()
    lead = shop.lead(phone=number, intent="compare", within_days=28)
    graded = shop.manager.get(f"/leads/{lead}").json()
    assert (graded["grade"], graded["grade_rule"]) == ("B", f"within-a-month@{before['version']}")
    assert graded["grade_reason"] == "within 28 days"
    shop.lead(phone=number, intent="order", within_days=3)
    assert shop.manager.get(f"/leads/{lead}").json()["grade"] == "H", "a new touch brought new facts"
    shop.manager.did(f"/leads/{lead}/grade", {"intent": "browse"})
    assert shop.manager.get(f"/leads/{lead}").json()["grade_rule"] == f"later@{before['version']}"
    ours = [
        {"id": "rich", "grade": "S", "intents": ["order", "buy"], "min_budget": cny("500000.00")},
        {"id": "rest", "grade": "N"},
    ]
    shop.admin.did("/leads/grading-rules", {"rules": ours})
    try:
        assert shop.manager.get("/leads/grading-rules").json()["version"] > before["version"]
        shop.manager.did(f"/leads/{lead}/grade", {"intent": "buy", "budget": cny("500000.00")})
        row = shop.manager.get(f"/leads/{lead}").json()
        assert (row["grade"], row["grade_rule"].partition("@")[0]) == ("S", "rich")
        assert row["grade_reason"] == "intent buy; budget from 500000.00 CNY"
        assert shop.manager.get(f"/leads/{shop.lead(intent='browse')}").json()["grade"] == "N"
        assert_refused(shop.admin.post("/leads/grading-rules", {"rules": ours[:1]}), 422, "no-last-rule")
    finally:
        names = ("id", "grade", "intents", "within_days", "min_budget")
        restored = [{name: rule[name] for name in names if rule.get(name)} for rule in before["rules"]]
        shop.admin.did("/leads/grading-rules", {"rules": restored})


@pytest.fixture(scope="module")
def branch(shop: Shop) -> dict[str, Any]:
    """A store with three sellers who may hold three leads each, one of them for another brand; and its manager."""
    from tests.acceptance.conftest import hired

    n = serial() % 1000
    about = {"name": f"Branch {n}", "entity_id": shop.values["entity"], "region": "south", "opens": "00:00", "closes": "23:59"}
    store = shop.admin.did("/stores", {**about, "code": f"BR{n}"})
    sellers = {}
    for name, brands in (("ping", []), ("pang", ["Aurora"]), ("other", ["Zephyr"])):
        body = {
            "username": f"{name}.{n}",
            "name": name,
            "roles": ["sales-consultant"],
            "store_ids": [store],
            "brands": brands,
            "capacity": 3,
        }
        sellers[name] = shop.admin.did("/users", {**body, "password": "First-Pass-1"})
    boss = hired(shop.group, f"boss.{n}.", store, "sales-manager")
    return {"store": store, "boss": boss, **sellers}


@pytest.mark.feature("LEA-05")
def test_leads_at_the_same_instant_never_break_a_capacity_and_the_rest_wait_in_a_queue(branch: dict[str, Any]) -> None:
    """Every decision explained; two sellers of three leads each take six of twenty, fourteen are seen in the queue."""
    boss: Person = branch["boss"]
    body = {"store_id": branch["store"], "brand": "Aurora", "channel": "website", "name": "Lin Yue"}
    did(boss, "/leads", {**body, "phone": phone()})
    answers = at_once(19, lambda _: boss.post("/leads", {**body, "phone": phone()}))
    assert {answer.status_code for answer in answers} == {201}

    def decided() -> list[dict[str, Any]] | None:
        rows: list[dict[str, Any]] = boss.get("/leads", store_id=branch["store"], limit=200).json()["items"]
        return rows if all(row["status"] in ("assigned", "queued") for row in rows) else None

    rows = until(decided, 40)
    assigned = [row for row in rows if row["status"] == "assigned"]
    assert len(rows) == 20
    assert {name: sum(row["seller_id"] == branch[name] for row in assigned) for name in ("ping", "pang", "other")} == {
        "ping": 3,
        "pang": 3,
        "other": 0,
    }
    for row in rows:
        why = row["explanation"]
        assert (why["by"], why["rule"]) == ("rule", "relationship-then-load")
        assert {one["seller_id"] for one in why["considered"]} == {branch["ping"], branch["pang"], branch["other"]}
        refused = {one["seller_id"]: one["refused"] for one in why["considered"]}
        assert "other-brand" in refused[branch["other"]]
        if row["status"] == "queued":
            assert why["reason"] == "nobody-eligible"
            assert refused[branch["ping"]] == refused[branch["pang"]] == ["at-capacity"]
        else:
            assert refused[row["seller_id"]] == []
    waiting = boss.get("/leads", status="queued", limit=200).json()["items"]
    assert len(waiting) == 14
    _room_is_made_by_hand(branch, assigned, waiting)


def _room_is_made_by_hand(branch: dict[str, Any], assigned: list[dict[str, Any]], waiting: list[dict[str, Any]]) -> None:
    """Beyond the capacity nobody assigns, not even by hand; when a lead is closed, the manager gives the next one, with his reason."""
    boss: Person = branch["boss"]
    full = boss.post(f"/leads/{waiting[0]['lead_id']}/assign", {"seller_id": branch["ping"], "reason": "He knows her"})
    assert_refused(full, 409, "seller-at-capacity")
    hers = next(row["lead_id"] for row in assigned if row["seller_id"] == branch["ping"])
    boss.did(f"/leads/{hers}/disqualify", {"reason": "spam", "remine": False})
    boss.did(f"/leads/{waiting[0]['lead_id']}/assign", {"seller_id": branch["ping"], "reason": "He knows her"})
    row = boss.get(f"/leads/{waiting[0]['lead_id']}").json()
    assert (row["seller_id"], row["explanation"]["rule"], row["explanation"]["reason"]) == (branch["ping"], "manual", "He knows her")


@pytest.mark.touches("LEA-05")
def test_who_is_not_on_shift_gets_no_lead(shop: Shop) -> None:
    """`colleague` has no shift today in a store where others have."""
    row = shop.sales.eventually(f"/leads/{shop.lead()}", status="assigned")
    refused = {one["seller_id"]: one["refused"] for one in row["explanation"]["considered"]}
    assert row["seller_id"] == shop.values["sales"]
    assert "not-on-shift" in refused[shop.values["colleague"]]


@pytest.mark.touches("LEA-06")
def test_a_missed_contact_is_reminded_and_escalated_once_even_across_a_kill(shop: Shop, databases: Databases) -> None:
    """The clock is a row of the database: it survives kill -9, and firing it twice does nothing twice."""
    lead = shop.lead()
    row = shop.sales.eventually(f"/leads/{lead}", status="assigned")
    due = datetime.fromisoformat(row["contact_due_at"])
    assert timedelta(minutes=28) < due - datetime.now(UTC) <= timedelta(minutes=31)  # the store is closed for the last minute of a day
    stream = f"lead-{lead}"
    kept = databases.rows("leads", "select * from timers where stream = %s", stream)
    shop.group.platform.kill("leads")
    assert databases.hasten("leads", stream) == len(kept) >= 2
    until(lambda: shop.manager.get(f"/leads/{lead}").status_code == 200, 40)
    shop.manager.eventually(f"/leads/{lead}", overdue=True)
    again = "insert into timers (key, due_at, stream, type, data, meta) values (%s, now(), %s, %s, %s, %s)"
    for timer in kept:
        databases.rows("leads", again, timer["key"], stream, timer["type"], timer["data"], timer["meta"])
    until(lambda: databases.rows("leads", "select key from timers where stream = %s and due_at < now()", stream) == [])
    told = databases.rows("leads", "select type, count(*) as n from events where stream = %s group by type", stream)
    counts = {row["type"]: row["n"] for row in told}
    assert (counts["ContactReminded"], counts["ContactOverdue"]) == (1, 1)
    shop.sales.did(f"/leads/{lead}/follow-ups", {"kind": "phone", "text": "Reached at last"})
    row = shop.sales.get(f"/leads/{lead}").json()
    assert (row["status"], row["overdue"], row["within_sla"]) == ("contacted", False, True)


@pytest.mark.touches("LEA-07")
def test_follow_ups_stand_on_the_timelines_in_order(shop: Shop) -> None:
    opportunity = shop.opportunity()
    row = shop.sales.get(f"/opportunities/{opportunity}").json()
    kinds = ("visit", "wechat", "sms", "email")
    tomorrow = shop.values["tomorrow"]
    for n, kind in enumerate(kinds):
        said = {"kind": kind, "text": f"Contact {n}", "doubts": ["price", "range"], "plan": f"Plan {n}", "next_at": tomorrow}
        shop.sales.did(f"/opportunities/{opportunity}/follow-ups", said)
    entries = [entry for entry in shop.sales.get(f"/opportunities/{opportunity}/timeline").json()["items"] if entry["what"] == "follow-up"]
    assert [entry["details"]["kind"] for entry in entries] == ["phone", *kinds]
    assert [entry["text"] for entry in entries] == ["Wants to see it", *(f"Contact {n}" for n in range(4))]
    assert entries[-1]["details"]["doubts"] == ["price", "range"]
    assert entries[-1]["plan"] == "Plan 3"
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    past = {"kind": "phone", "text": "Later", "next_at": "2020-01-01T00:00:00Z"}
    assert_refused(shop.sales.post(f"/opportunities/{opportunity}/follow-ups", past), 422, "in-the-past")

    def told() -> list[str]:
        items = shop.sales.get(f"/customers/{row['person_id']}/timeline", limit=200).json().get("items", [])
        return [item["facts"]["through"] for item in reversed(items) if item["type"] == "leads.FollowUpRecorded.v1"]

    until(lambda: told() == ["phone", *kinds])


@pytest.mark.feature("LEA-10")
def test_a_lead_is_converted_or_disqualified_and_a_remined_one_keeps_its_history(shop: Shop, databases: Databases) -> None:
    number = phone()
    lead = shop.lead(phone=number, comments="White, please")
    shop.sales.eventually(f"/leads/{lead}", status="assigned")
    shop.sales.did(f"/leads/{lead}/follow-ups", {"kind": "phone", "text": "Not this quarter"})
    assert_refused(shop.sales.post(f"/leads/{lead}/disqualify", {"reason": "because"}), 422, "validation")
    shop.sales.did(f"/leads/{lead}/disqualify", {"reason": "not-now", "note": "Asks again in spring"})
    row = shop.sales.get(f"/leads/{lead}").json()
    assert (row["status"], row["disqualified_for"]) == ("disqualified", "not-now")
    due = databases.rows("leads", "select due_at from timers where stream = %s and key like '%%remine'", f"lead-{lead}")
    assert timedelta(days=89) < due[0]["due_at"] - datetime.now(UTC) < timedelta(days=91)
    before = shop.sales.get(f"/leads/{lead}/timeline").json()["items"]
    assert databases.hasten("leads", f"lead-{lead}", "remine", retold=True) == 1
    row = shop.sales.eventually(f"/leads/{lead}", status="assigned")
    assert (row["phone"], row["comments"], row["touches"]) == (f"+86{number}", "White, please", 1)
    after = shop.sales.get(f"/leads/{lead}/timeline").json()["items"]
    assert after[: len(before)] == before
    assert [entry["what"] for entry in after[len(before) :]] == ["remined", "assigned"]
    assert shop.lead(phone=number) == lead, "it is the person's open lead again"
    shop.sales.did(f"/leads/{lead}/follow-ups", {"kind": "phone", "text": "Now she buys"})
    shop.sales.did(f"/leads/{lead}/convert")
    opportunity = shop.sales.get(f"/leads/{lead}").json()["opportunity_id"]
    shop.sales.eventually(f"/opportunities/{opportunity}", stage="first-contact")
    whole = shop.sales.get(f"/opportunities/{opportunity}/timeline").json()["items"]
    assert [entry["what"] for entry in whole[: len(after)]] == [entry["what"] for entry in after]
    assert_refused(shop.sales.post(f"/leads/{lead}/convert"), 409, "lead-closed")


@pytest.mark.touches("LEA-11")
def test_an_opportunity_moves_only_as_allowed_and_tells_how_long_it_stood(shop: Shop) -> None:
    opportunity = shop.opportunity()
    path = f"/opportunities/{opportunity}/advance"
    refused = shop.sales.post(path, {"to": "negotiation"})
    assert_refused(refused, 409, "illegal-transition")
    assert "first-contact" in refused.json()["detail"]
    assert_refused(shop.sales.post(path, {"to": "won"}), 409, "illegal-transition")
    assert_refused(shop.sales.post(path, {"to": "nirvana"}), 422, "unknown-stage")
    for stage in ("needs", "presentation", "test-drive", "quote", "negotiation"):
        shop.sales.did(path, {"to": stage})
    row = shop.sales.get(f"/opportunities/{opportunity}").json()
    stages = ["first-contact", "needs", "presentation", "test-drive", "quote", "negotiation"]
    assert [spell["stage"] for spell in row["dwell"]] == stages
    assert [spell["until"] for spell in row["dwell"][:-1]] == [spell["since"] for spell in row["dwell"][1:]]
    assert row["dwell"][-1]["until"] is None
    idle = shop.sales.get("/opportunities", idle_days=0, sort="idle", limit=200).json()["items"]
    assert [one["since"] for one in idle] == sorted(one["since"] for one in idle)
    assert shop.sales.get("/opportunities", idle_days=1).json()["items"] == []


@pytest.mark.feature("LEA-16")
def test_a_test_drive_never_books_a_car_or_a_person_twice(shop: Shop) -> None:
    """Twenty at the same instant for one car with twenty people's wishes, twenty for one person: one wins each time."""
    trim = shop.trim()
    car, other = shop.car(trim, category="demo"), shop.car(trim, category="demo")
    opportunity = shop.opportunity()
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30 + serial() % 300)
    body = {"opportunity_id": opportunity, "vin": car, "specialist_id": shop.values["sales"], "licence_valid_until": "2035-01-01"}

    def slot(minutes: int, length: int = 60) -> dict[str, str]:
        start = begins + timedelta(minutes=minutes)
        return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=length)).isoformat()}

    did(shop.sales, "/test-drives", {**body, **slot(-600)})
    did(shop.sales, "/test-drives", {**body, "vin": other, **slot(-300)})
    who = (shop.values["sales"], shop.values["colleague"])
    same_car = at_once(20, lambda n: shop.sales.post("/test-drives", {**body, "specialist_id": who[n % 2], **slot(n % 50)}))
    assert sorted(answer.status_code for answer in same_car) == [201] + [409] * 19
    assert {answer.json()["type"] for answer in same_car if answer.status_code == 409} == {"/problems/slot-taken"}
    same_person = at_once(20, lambda n: shop.sales.post("/test-drives", {**body, "vin": (car, other)[n % 2], **slot(200 + n)}))
    assert sorted(answer.status_code for answer in same_person) == [201] + [409] * 19
    booked = next(answer.json()["id"] for answer in same_car if answer.status_code == 201)
    shop.sales.did(f"/test-drives/{booked}/cancel", {"reason": "Rain"})
    after = did(shop.sales, "/test-drives", {**body, **slot(0), "licence_valid_until": None})
    assert_refused(shop.sales.post(f"/test-drives/{after}/finish", {"kilometres": 12}), 409, "licence-unchecked")
    expired = shop.sales.post(f"/test-drives/{after}/check-licence", {"valid_until": "2026-01-01"})
    assert_refused(expired, 409, "licence-expired")
    shop.sales.did(f"/test-drives/{after}/check-licence", {"valid_until": "2035-01-01"})
    shop.sales.did(f"/test-drives/{after}/finish", {"kilometres": 12, "rating": 5, "feedback": "Quiet"})
    row = shop.sales.get(f"/test-drives/{after}").json()
    assert (row["status"], row["kilometres"], row["feedback"]) == ("finished", 12, "Quiet")
    next_to = did(shop.sales, "/test-drives", {**body, **slot(60)})
    assert shop.sales.get(f"/test-drives/{next_to}").json()["status"] == "booked", "one may begin when another ends"
