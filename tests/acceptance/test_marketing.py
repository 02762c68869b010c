"""Campaigns through the gateway: none runs unapproved, and the plan stands beside what came of it."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, cny, did, serial, until


@pytest.mark.feature("MKT-01")
def test_a_campaign_cannot_run_unapproved_and_shows_its_plan_against_what_came(shop: Shop) -> None:
    today = date.fromisoformat(shop.values["today"])
    south = shop.values["south"]
    plan: dict[str, Any] = {
        "store_id": south,
        "name": f"Spring show {serial()}",
        "kind": "test-drive-day",
        "place": "Showroom",
        "people": [shop.values["sales"]],
    }
    plan |= {"starts_on": (today - timedelta(days=1)).isoformat(), "ends_on": (today + timedelta(days=7)).isoformat()}
    plan |= {"goal_leads": 20, "goal_orders": 3}
    campaign = did(shop.marketing, "/campaigns", {**plan, "budget": cny("8000.00")})
    spend = {"supplier": "Printer", "purpose": "Posters", "amount": cny("2500.00")}
    refused = [shop.marketing.post(f"/campaigns/{campaign}/spend", spend)]
    shop.marketing.did(f"/campaigns/{campaign}/submit")
    refused.append(shop.marketing.post(f"/campaigns/{campaign}/spend", spend))
    for answer in refused:
        assert_refused(answer, 409, "campaign-not-approved")
    assert_refused(shop.marketing.post(f"/campaigns/{campaign}/approve"), 403, "forbidden")
    shop.manager.did(f"/campaigns/{campaign}/decline", {"reason": "Too dear"})
    refused = [shop.marketing.post(f"/campaigns/{campaign}/spend", spend), shop.manager.post(f"/campaigns/{campaign}/approve")]
    assert [answer.status_code for answer in refused] == [409, 409], "a declined plan is handed in anew"
    row = shop.marketing.get(f"/campaigns/{campaign}").json()
    assert (row["status"], row["declined_for"]) == ("planned", "Too dear")
    revised = {name: value for name, value in plan.items() if name != "store_id"}
    shop.marketing.did(f"/campaigns/{campaign}/revise", {**revised, "budget": cny("5000.00")})
    shop.marketing.did(f"/campaigns/{campaign}/submit")
    shop.manager.did(f"/campaigns/{campaign}/approve")
    until(lambda: shop.marketing.get(f"/campaigns/{campaign}").json()["status"] == "running")
    did(shop.marketing, f"/campaigns/{campaign}/spend", spend)
    _what_came(shop, campaign)


def _what_came(shop: Shop, campaign: str) -> None:
    """Two leads, one of them a delivered order: counted once, with what a lead and an order cost."""
    opportunity = shop.opportunity(campaign_id=campaign, channel="campaign")
    shop.lead(campaign_id=campaign, channel="campaign")
    customer = shop.sales.get(f"/opportunities/{opportunity}").json()["person_id"]
    shop.sales.eventually(f"/customers/{customer}")
    trim = shop.trim()
    shop.delivered(trim, shop.car(trim), "186000.00", customer_id=customer, opportunity_id=opportunity)

    def counted() -> bool:
        row = shop.marketing.get(f"/campaigns/{campaign}").json()
        return (row["leads"], row["orders"]) == (2, 1)

    until(counted)
    row = shop.marketing.get(f"/campaigns/{campaign}").json()
    assert (row["goal_leads"], row["goal_orders"], row["budget"]) == (20, 3, cny("5000.00"))
    assert (row["spent"], row["revenue"]) == (cny("2500.00"), cny("186000.00"))
    assert (row["cost_per_lead"], row["cost_per_order"]) == (cny("1250.00"), cny("2500.00"))
    assert row["people"] == [shop.values["sales"]]
    finance = until(lambda: [one for one in shop.accountant.get("/payables", limit=200).json()["items"] if one["supplier"] == "Printer"])
    assert cny("2500.00") in [one["amount"] for one in finance]
