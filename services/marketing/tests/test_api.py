"""Marketing over HTTP on PostgreSQL: plans, four eyes, budgets, plan against actual."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.marketing.tests.hearing import OTHER_STORE, STORE, SUN, captured, delivered, touched
from services.marketing.tests.running import Running, running
from shared.testing.hearing import an_id
from shared.testing.servers import FreshDatabase


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made


def cny(amount: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": amount, "currency": "CNY"}


def plan(**more: Any) -> dict[str, Any]:
    """The body of a plan."""
    body = {
        "name": "Spring test-drive day",
        "kind": "test-drive-day",
        "place": "奥林匹克公园",
        "starts_on": "2026-03-07",
        "ends_on": "2026-03-08",
        "goal_leads": 60,
        "goal_orders": 6,
        "budget": cny("20000.00"),
        "people": [SUN],
        "store_id": STORE,
    }
    return body | more


def bill(amount: str) -> dict[str, Any]:
    """The body of a spend."""
    return {"supplier": "Print Co", "purpose": "posters", "amount": cny(amount)}


async def approved(desk: Running, **more: Any) -> str:
    """The id of an approved campaign."""
    planned = await desk.post("/campaigns", plan(**more))
    assert planned.status == 201, planned.body
    id: str = planned.json["id"]
    assert (await desk.post(f"/campaigns/{id}/submit")).status == 200
    done = await desk.post(f"/campaigns/{id}/approve", by="zhao")
    assert done.status == 200, done.body
    return id


@pytest.mark.touches("MKT-01")
@pytest.mark.touches("MKT-02")
async def test_a_campaign_from_plan_to_its_cost_per_order(desk: Running) -> None:
    id = await approved(desk)
    await desk.tick()
    assert (await desk.get(f"/campaigns/{id}")).json["status"] == "running"
    assert len(await desk.told("CampaignApproved")) == 1
    spent = await desk.post(f"/campaigns/{id}/spend", bill("15000.00"))
    assert spent.status == 201, spent.body
    assert (await desk.get(spent.headers["location"].removeprefix("/api/v1"))).json["status"] == "spent"
    (told,) = await desk.told("CampaignSpent")
    assert '"amount":{"minor":1500000,"currency":"CNY"}' in told
    leads = [captured(id, an_id(n)) for n in range(50, 54)]
    await desk.hear(*leads, captured(None, an_id(60)), touched(id, an_id(60)), delivered(id), delivered(id))
    shown = (await desk.get(f"/campaigns/{id}")).json
    assert (shown["goal_leads"], shown["leads"], shown["touches"]) == (60, 4, 5)
    assert (shown["goal_orders"], shown["orders"], shown["revenue"]) == (6, 1, cny("189800.00"))
    assert (shown["budget"], shown["spent"]) == (cny("20000.00"), cny("15000.00"))
    assert (shown["cost_per_lead"], shown["cost_per_order"]) == (cny("3750.00"), cny("15000.00"))
    (credited,) = await desk.told("CampaignCredited")
    assert '"model":"first-touch"' in credited
    assert (await desk.post(f"/campaigns/{id}/finish")).status == 200
    assert (await desk.get("/campaigns?status=finished")).json["items"][0]["campaign_id"] == id


@pytest.mark.touches("MKT-01")
async def test_an_unapproved_campaign_neither_runs_nor_spends(desk: Running) -> None:
    id = (await desk.post("/campaigns", plan(), by="owner")).json["id"]
    assert (await desk.post(f"/campaigns/{id}/finish")).problem == "illegal-transition"
    assert (await desk.post(f"/campaigns/{id}/spend", bill("1.00"))).problem == "campaign-not-approved"
    assert (await desk.post(f"/campaigns/{id}/approve", by="owner")).problem == "illegal-transition"
    await desk.post(f"/campaigns/{id}/submit")
    assert (await desk.post(f"/campaigns/{id}/approve", by="owner")).problem == "four-eyes"
    assert (await desk.post(f"/campaigns/{id}/approve")).problem == "forbidden"
    assert (await desk.post(f"/campaigns/{id}/decline", {"reason": "too dear"}, by="zhao")).status == 200
    shown = (await desk.get(f"/campaigns/{id}")).json
    assert (shown["status"], shown["declined_for"]) == ("planned", "too dear")
    await desk.hear(captured(id))
    assert (await desk.get(f"/campaigns/{id}")).json["leads"] == 1
    revised = {name: value for name, value in plan(budget=cny("9000.00")).items() if name != "store_id"}
    assert (await desk.post(f"/campaigns/{id}/revise", revised)).status == 200
    assert (await desk.post(f"/campaigns/{id}/cancel", {"reason": "storm"})).status == 200
    assert await desk.told("CampaignApproved") == []


@pytest.mark.touches("MKT-02")
async def test_parallel_spends_stay_within_the_budget(desk: Running) -> None:
    id = await approved(desk)
    answers = await asyncio.gather(*(desk.post(f"/campaigns/{id}/spend", bill("3000.00")) for _ in range(10)))
    assert {answer.status for answer in answers} == {201}
    shown = (await desk.get(f"/campaigns/{id}")).json
    assert shown["spent"] == cny("18000.00")
    assert sorted(one["status"] for one in shown["spends"]) == ["held"] * 4 + ["spent"] * 6
    held = next(one["spend_id"] for one in shown["spends"] if one["status"] == "held")
    assert (await desk.post(f"/campaigns/{id}/spend/{held}/approve")).problem == "forbidden"
    assert (await desk.post(f"/campaigns/{id}/spend/{held}/approve", by="zhao")).status == 200
    other = next(one["spend_id"] for one in shown["spends"] if one["status"] == "held" and one["spend_id"] != held)
    assert (await desk.post(f"/campaigns/{id}/spend/{other}/decline", by="zhao")).status == 200
    assert (await desk.get(f"/campaigns/{id}")).json["spent"] == cny("21000.00")
    assert len(await desk.told("CampaignSpent")) == 7


async def test_a_retried_spend_is_one_spend(desk: Running) -> None:
    id = await approved(desk)
    copies = await asyncio.gather(*(desk.post(f"/campaigns/{id}/spend", bill("500.00"), key="same") for _ in range(5)))
    assert {copy.status for copy in copies} == {201}
    assert len({copy.json["id"] for copy in copies}) == 1
    assert (await desk.post(f"/campaigns/{id}/spend", bill("600.00"), key="same")).problem == "idempotency-key-reused"
    assert (await desk.get(f"/campaigns/{id}")).json["spent"] == cny("500.00")


BAD_PLANS: list[tuple[dict[str, Any], str]] = [
    (plan(kind="flash-mob"), "validation"),
    (plan(ends_on="2026-03-06"), "validity-invalid"),
    (plan(budget=cny("0.00")), "validation"),
    (plan(budget={"amount": "1.00", "currency": "USD"}), "currency-differs"),
    (plan(goal_leads=-1), "validation"),
    (plan(store_id=OTHER_STORE), "unknown-reference"),
    (plan(people=[an_id(99)]), "unknown-reference"),
    (plan(spent=cny("1.00")), "unknown-field"),
]


async def test_a_bad_plan_is_refused(desk: Running) -> None:
    for body, problem in BAD_PLANS:
        assert (await desk.post("/campaigns", body)).problem == problem, body
    assert (await desk.get("/campaigns")).json["items"] == []


async def test_a_campaign_is_its_store_s(desk: Running) -> None:
    id = await approved(desk)
    assert (await desk.get(f"/campaigns/{id}", "southerner")).status == 404
    assert (await desk.get("/campaigns", "southerner")).json["items"] == []
    assert (await desk.post(f"/campaigns/{id}/spend", bill("1.00"), by="southerner")).status == 404
    assert (await desk.post(f"/campaigns/{id}/cancel", {"reason": "no"}, by="southerner")).status == 404
    assert (await desk.get(f"/campaigns/{id}/spend/{an_id(1)}")).status == 404
    assert (await desk.post(f"/campaigns/{an_id(9)}/submit")).status == 404


async def test_sellers_see_goals_not_money(desk: Running) -> None:
    id = await approved(desk)
    await desk.post(f"/campaigns/{id}/spend", bill("500.00"))
    shown = (await desk.get(f"/campaigns/{id}", "li")).json
    assert (shown["goal_leads"], shown["budget"], shown["spent"], shown["spends"]) == (60, None, None, [])


async def test_what_has_changed_meanwhile_is_not_overwritten(desk: Running) -> None:
    id = (await desk.post("/campaigns", plan())).json["id"]
    assert (await desk.post(f"/campaigns/{id}/submit", match='"1"')).status == 200
    assert (await desk.post(f"/campaigns/{id}/cancel", {"reason": "no"}, match='"1"')).problem == "version-conflict"


async def test_campaigns_are_listed_a_page_at_a_time(desk: Running) -> None:
    for day in ("2026-03-05", "2026-03-06", "2026-03-07"):
        await desk.post("/campaigns", plan(starts_on=day))
    first = (await desk.get("/campaigns?limit=2")).json
    second = (await desk.get(f"/campaigns?limit=2&cursor={first['next_cursor']}")).json
    assert [item["starts_on"] for item in first["items"] + second["items"]] == ["2026-03-07", "2026-03-06", "2026-03-05"]
    assert second["next_cursor"] is None
