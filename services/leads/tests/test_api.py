"""Leads over HTTP, on a real database: what the routes, claims, timers and views do together."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.leads.domain.lead import messages as m
from services.leads.tests.showroom import (
    ENTITY,
    LI,
    NORTH,
    OWNER,
    SOUTH,
    SOUTHERNER,
    WANG,
    ZHAO,
    Showroom,
    assigned,
    captured,
    lead,
    person,
    shift,
)
from shared.contracts import gateway, marketing
from shared.values.ids import new_id
from shared.values.money import Money


@pytest.mark.touches("LEA-01")
@pytest.mark.touches("LEA-04")
@pytest.mark.touches("LEA-05")
async def test_a_captured_lead_is_graded_and_assigned_with_its_explanation(showroom: Showroom) -> None:
    lead_id, seller = await assigned(showroom)
    row = await showroom.read(ZHAO, f"/leads/{lead_id}")
    assert (row["status"], row["grade"], row["grade_rule"]) == ("assigned", "H", "buys-within-a-week@1")
    assert (row["name"], row["phone"], row["comments"]) == ("Lin Yue", "+8613800138000", "white, please")
    assert seller in (LI, WANG)
    assert {one["seller_id"] for one in row["explanation"]["considered"]} == {LI, WANG}
    due = datetime.fromisoformat(row["contact_due_at"])
    assert timedelta(minutes=29) < due - datetime.now(UTC) < timedelta(minutes=31)
    assert await showroom.published() == ["leads.LeadCaptured.v1", "leads.LeadGraded.v1", "leads.LeadAssigned.v1"]


@pytest.mark.touches("LEA-01")
async def test_the_same_person_twice_is_one_lead_with_two_touches(showroom: Showroom) -> None:
    first, seller = await assigned(showroom)
    second = await captured(showroom, channel="auto-show", phone="+86 138-0013-8000", name="Lin")
    row = await showroom.read(ZHAO, f"/leads/{first}")
    assert second == first
    assert (row["touches"], row["channel"], row["last_channel"], row["seller_id"]) == (2, "website", "auto-show", seller)


async def test_a_touch_of_the_same_company_elsewhere_reaches_the_owner_and_shows_nothing(showroom: Showroom) -> None:
    first = await captured(showroom)
    assert await captured(showroom, SOUTHERNER, store_id=SOUTH) == first
    assert (await showroom.by(SOUTHERNER).get(f"/api/v1/leads/{first}")).status == 404
    assert await captured(showroom, brand="Audi") != first


async def test_many_captures_of_one_person_at_once_make_one_lead(showroom: Showroom) -> None:
    ids = await asyncio.gather(*(captured(showroom, source=f"site/{n}") for n in range(12)))
    assert len(set(ids)) == 1
    assert (await showroom.read(ZHAO, f"/leads/{ids[0]}"))["touches"] == 12


async def test_a_repeated_request_gets_the_first_answer(showroom: Showroom) -> None:
    answers = [await showroom.create(LI, "/leads", lead(), **{"idempotency-key": "k-1"}) for _ in range(3)]
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    assert (await showroom.read(ZHAO, f"/leads/{answers[0].json['id']}"))["touches"] == 1
    other = await showroom.create(LI, "/leads", lead(name="Someone"), **{"idempotency-key": "k-1"})
    assert (other.status, other.problem) == (422, "idempotency-key-reused")


async def test_a_number_that_does_not_parse_is_kept_flagged_and_matches_nobody(showroom: Showroom) -> None:
    first = await captured(showroom, phone="12")
    assert await captured(showroom, phone="12") != first
    row = await showroom.read(ZHAO, f"/leads/{first}")
    assert (row["phone"], row["phone_valid"]) == ("12", False)
    by_mail = await captured(showroom, phone="12", email="Lin@Example.com")
    assert await captured(showroom, phone="", email="lin@example.com") == by_mail


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"store_id": SOUTH}, "unknown-reference"),
    ({"store_id": "0192f3a4-0000-7000-8000-00000000dead"}, "unknown-reference"),
    ({"campaign_id": "0192f3a4-0000-7000-8000-00000000dead"}, "unknown-reference"),
    ({"phone": ""}, "validation"),
    ({"channel": "rumour"}, "validation"),
    ({"region": "cn"}, "validation"),
    ({"seller_id": LI}, "unknown-field"),
    ({"budget": {"amount": "0.00", "currency": "CNY"}}, "validation"),
]


async def test_what_a_capture_may_not_say(showroom: Showroom) -> None:
    for change, problem in REFUSED:
        answer = await showroom.create(LI, "/leads", lead(**change))
        assert (answer.status, answer.problem) == (422, problem), change


async def test_a_campaign_is_known_once_it_is_approved(showroom: Showroom) -> None:
    day = datetime.now(UTC).date()
    campaign = marketing.CampaignApproved(
        campaign_id=new_id(), name="Show", kind="show", store_id=NORTH, entity_id=ENTITY, starts_on=day, ends_on=day, budget=Money(1)
    )
    await showroom.hear(campaign)
    lead_id = await captured(showroom, campaign_id=campaign.campaign_id)
    assert (await showroom.read(ZHAO, f"/leads/{lead_id}"))["campaign_id"] == campaign.campaign_id


async def test_leads_arriving_together_are_shared_and_never_exceed_a_capacity(showroom: Showroom) -> None:
    await showroom.hear(person(LI, "sales-consultant", capacity=4), person(WANG, "sales-consultant", capacity=2))
    ids = await asyncio.gather(*(captured(showroom, phone=f"1380013{n:04}") for n in range(10)))
    await asyncio.gather(*(showroom.tick() for _ in range(3)))
    await showroom.tick()
    rows = [await showroom.read(ZHAO, f"/leads/{lead_id}") for lead_id in ids]
    held = [row["seller_id"] for row in rows if row["status"] == "assigned"]
    assert (held.count(LI), held.count(WANG)) == (4, 2)
    queue = (await showroom.read(ZHAO, "/leads?status=queued"))["items"]
    assert len(queue) == 4
    assert {tuple(one["refused"]) for one in queue[0]["explanation"]["considered"]} == {("at-capacity",)}
    (freed,) = [row["lead_id"] for row in rows if row["seller_id"] == WANG][:1]
    assert (await showroom.command(WANG, f"/leads/{freed}/disqualify", {"reason": "spam"})).status == 200
    assert (await showroom.command(ZHAO, f"/leads/{queue[0]['lead_id']}/assign", {})).status == 200
    assert (await showroom.read(ZHAO, f"/leads/{queue[0]['lead_id']}"))["seller_id"] == WANG


async def test_who_is_off_or_absent_gets_nothing_and_the_queue_is_tried_at_the_next_shift(showroom: Showroom) -> None:
    absent = shift(LI, -1)
    later = shift(WANG, 2)
    await showroom.hear(absent, later, gateway.ShiftCancelled(shift_id=absent.shift_id, staff_id=LI))
    lead_id = await captured(showroom)
    await showroom.tick()
    events = await showroom.events(f"lead-{lead_id}")
    queued = events[-1]
    assert isinstance(queued, m.LeadQueued)
    assert {one.seller_id: one.refused for one in queued.considered} == {LI: ("not-on-shift", "absent"), WANG: ("not-on-shift",)}
    assert queued.retry_at == later.starts_at
    await showroom.hear(shift(WANG, -1))
    assert (await showroom.command(ZHAO, f"/leads/{lead_id}/assign", {})).status == 200
    assert (await showroom.read(ZHAO, f"/leads/{lead_id}"))["seller_id"] == WANG


async def test_a_person_who_comes_back_goes_to_the_seller_he_knows(showroom: Showroom) -> None:
    first, seller = await assigned(showroom)
    await showroom.command(seller, f"/leads/{first}/convert")
    again, known = await assigned(showroom)
    rows = [await showroom.read(ZHAO, f"/leads/{lead_id}") for lead_id in (first, again)]
    assert again != first
    assert known == seller
    assert rows[1]["explanation"]["reason"] == "existing-relationship"
    assert rows[0]["person_id"] == rows[1]["person_id"]


async def test_a_manager_assigns_by_hand_within_his_store(showroom: Showroom) -> None:
    lead_id, seller = await assigned(showroom)
    other = LI if seller == WANG else WANG
    answer = await showroom.command(ZHAO, f"/leads/{lead_id}/assign", {"seller_id": other, "reason": "holiday"})
    assert answer.status == 200
    row = await showroom.read(ZHAO, f"/leads/{lead_id}")
    assert (row["seller_id"], row["explanation"]["by"], row["explanation"]["reason"]) == (other, ZHAO, "holiday")
    foreign = await showroom.command(ZHAO, f"/leads/{lead_id}/assign", {"seller_id": SOUTHERNER, "reason": "x"})
    assert (foreign.status, foreign.problem) == (422, "unknown-reference")
    assert (await showroom.command(LI, f"/leads/{lead_id}/assign", {})).status == 403
    assert (await showroom.command(ZHAO, f"/leads/{lead_id}/assign", {"seller_id": seller})).status == 422


@pytest.mark.touches("LEA-07")
async def test_the_first_follow_up_stops_the_clock_and_stands_on_the_timeline(showroom: Showroom) -> None:
    lead_id, seller = await assigned(showroom)
    next_at = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    body = {"kind": "phone", "text": "wants a loan", "doubts": ["price"], "plan": "send a quote", "next_at": next_at}
    stranger = LI if seller == WANG else WANG
    refused = await showroom.command(stranger, f"/leads/{lead_id}/follow-ups", body)
    assert (refused.status, refused.problem) == (403, "not-yours")
    assert (await showroom.command(seller, f"/leads/{lead_id}/follow-ups", body)).status == 200
    row = await showroom.read(seller, f"/leads/{lead_id}")
    assert (row["status"], row["within_sla"], row["overdue"]) == ("contacted", True, False)
    told = (await showroom.read(seller, f"/leads/{lead_id}/timeline"))["items"]
    assert [entry["what"] for entry in told] == ["captured", "assigned", "follow-up"]
    assert (told[-1]["text"], told[-1]["plan"], told[-1]["details"]) == (
        "wants a loan",
        "send a quote",
        {"kind": "phone", "doubts": ["price"]},
    )
    masked = (await showroom.read(stranger, f"/leads/{lead_id}/timeline"))["items"]
    assert masked[-1]["text"] == "***"


async def test_colleagues_see_each_others_customers_masked(showroom: Showroom) -> None:
    lead_id, seller = await assigned(showroom)
    stranger = LI if seller == WANG else WANG
    (row,) = (await showroom.read(stranger, "/leads"))["items"]
    assert (row["lead_id"], row["name"], row["phone"], row["comments"]) == (lead_id, "L**", "138****8000", "***")
    assert "identity" not in row
    assert (await showroom.read(SOUTHERNER, "/leads"))["items"] == []
    for path in (f"/leads/{lead_id}", f"/leads/{lead_id}/timeline"):
        assert (await showroom.by(SOUTHERNER).get(f"/api/v1{path}")).status == 404
    for name, body in (("convert", None), ("follow-ups", {"kind": "sms", "text": "x"}), ("disqualify", {"reason": "spam"}), ("grade", {})):
        assert (await showroom.command(SOUTHERNER, f"/leads/{lead_id}/{name}", body)).status == 404


async def test_a_missed_contact_is_escalated_once(showroom: Showroom) -> None:
    lead_id, _ = await assigned(showroom)
    await showroom.all_due()
    events = await showroom.events(f"lead-{lead_id}")
    assert [type(event) for event in events[-2:]] in ([m.ContactReminded, m.ContactOverdue], [m.ContactOverdue, m.ContactReminded])
    assert sum(isinstance(event, m.ContactOverdue) for event in events) == 1
    assert [row["lead_id"] for row in (await showroom.read(ZHAO, "/leads?overdue=true"))["items"]] == [lead_id]


async def test_new_facts_grade_anew_by_the_rules_in_force(showroom: Showroom) -> None:
    rules = {
        "rules": [
            {"id": "rich", "grade": "gold", "min_budget": {"amount": "500000.00", "currency": "CNY"}},
            {"id": "rest", "grade": "iron"},
        ]
    }
    assert (await showroom.by(OWNER).post("/api/v1/leads/grading-rules", rules)).status == 200
    assert (await showroom.read(ZHAO, "/leads/grading-rules"))["version"] == 2
    lead_id, seller = await assigned(showroom)
    assert (await showroom.read(ZHAO, f"/leads/{lead_id}"))["grade_rule"] == "rest@2"
    facts = {"intent": "order", "budget": {"amount": "600000.00", "currency": "CNY"}}
    assert (await showroom.command(seller, f"/leads/{lead_id}/grade", facts)).status == 200
    row = await showroom.read(seller, f"/leads/{lead_id}")
    assert (row["grade"], row["grade_rule"], row["grade_reason"]) == ("gold", "rich@2", "budget from 500000.00 CNY")
    endless = {"rules": [{"id": "a", "grade": "x", "within_days": 3}]}
    assert (await showroom.by(OWNER).post("/api/v1/leads/grading-rules", endless)).problem == "no-last-rule"
    assert (await showroom.by(ZHAO).post("/api/v1/leads/grading-rules", rules)).status == 403


@pytest.mark.touches("LEA-10")
async def test_a_disqualified_lead_comes_back_on_its_day_with_its_history(showroom: Showroom) -> None:
    lead_id, seller = await assigned(showroom)
    assert (await showroom.command(seller, f"/leads/{lead_id}/disqualify", {"reason": "not-now", "note": "next year"})).status == 200
    await showroom.all_due()  # the day has come
    await showroom.all_due()  # and the lead is routed anew
    row = await showroom.read(ZHAO, f"/leads/{lead_id}")
    assert (row["status"], row["seller_id"]) == ("assigned", seller)
    told = (await showroom.read(ZHAO, f"/leads/{lead_id}/timeline"))["items"]
    assert sorted(entry["what"] for entry in told) == ["assigned", "assigned", "captured", "disqualified", "remined"]


async def test_a_stale_version_is_refused(showroom: Showroom) -> None:
    lead_id, seller = await assigned(showroom)
    client = showroom.by(seller)
    version = (await showroom.read(seller, f"/leads/{lead_id}"))["version"]
    path = f"/api/v1/leads/{lead_id}/convert"
    assert (await client.post(path)).status == 428
    assert (await client.post(path, headers={"if-match": f'"{version - 1}"'})).status == 412
    assert (await client.post(path, headers={"if-match": f'"{version}"'})).status == 200


async def test_a_budget_crosses_the_api_as_an_amount(showroom: Showroom) -> None:
    budget = {"amount": "250000.00", "currency": "CNY"}
    lead_id = await captured(showroom, budget=budget)
    assert (await showroom.read(ZHAO, f"/leads/{lead_id}"))["interest"]["budget"] == budget
    rules = (await showroom.read(ZHAO, "/leads/grading-rules"))["rules"]
    assert {"amount": "100000.00", "currency": "CNY"} in [rule["min_budget"] for rule in rules]
