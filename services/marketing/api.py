"""What marketing people do: plan campaigns, hand them in, spend; and what their managers decide."""

from datetime import UTC, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import Field

from services.marketing.domain import campaign as c
from services.marketing.known import entities_known, staff_known, stores_known
from services.marketing.views.campaigns import campaigns
from shared.decider import replace
from shared.handling import Done
from shared.values.ids import derived_id, new_id
from shared.web.body import Body, Clean, Day, Id, Line, PositiveAmount
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)

type Name = Annotated[str, Clean(most=80, least=1, example="Spring test-drive day")]
type Goal = Annotated[int, Field(ge=0, le=1_000_000, examples=[60])]


class CampaignPlan(Body):
    """`people` are the ids of colleagues of the store."""

    name: Name
    kind: Literal["show", "test-drive-day", "group-buy", "launch"]
    place: Line
    starts_on: Day
    ends_on: Day
    goal_leads: Goal
    goal_orders: Goal
    budget: PositiveAmount
    people: Annotated[tuple[Id, ...], Field(max_length=200)] = ()


class NewCampaign(CampaignPlan):
    store_id: Id


class NewSpend(Body):
    supplier: Name
    purpose: Line
    amount: PositiveAmount


class Reason(Body):
    reason: Line


@router.post("/campaigns", status_code=201, summary="Plan a campaign", openapi_extra=needs("campaigns.write"))
async def plan_campaign(body: NewCampaign, call: Call) -> Done:
    """Of one store, in the currency of its books."""
    store = await store_of(call, body.store_id)
    campaign_id = new_id()
    command = c.PlanCampaign(
        campaign_id=campaign_id,
        store_id=body.store_id,
        entity_id=store["entity_id"],
        plan=await plan_of(call, body, store),
        by=call.staff,
        at=call.at,
    )
    return await call.handle("campaign", campaign_id, command, store_id=body.store_id)


@router.post("/campaigns/{campaign_id}/revise", summary="Revise a plan", openapi_extra=needs("campaigns.write"))
async def revise_plan(campaign_id: Id, body: CampaignPlan, call: Call) -> Done:
    """Until it is handed in, and again when it was declined."""
    store = await store_of(call, (await campaign_of(call, campaign_id))["store_id"])
    return await call.handle("campaign", campaign_id, c.RevisePlan(plan=await plan_of(call, body, store), by=call.staff, at=call.at))


@router.post("/campaigns/{campaign_id}/submit", summary="Hand in a campaign for approval", openapi_extra=needs("campaigns.write"))
async def submit_campaign(campaign_id: Id, call: Call) -> Done:
    """The plan stands until it is decided on."""
    return await call.handle("campaign", campaign_id, c.SubmitCampaign(by=call.staff, at=call.at))


@router.post("/campaigns/{campaign_id}/approve", summary="Approve a campaign", openapi_extra=needs("campaigns.approve"))
async def approve_campaign(campaign_id: Id, call: Call) -> Done:
    """Refused to whoever planned it; it starts by itself on its first day."""
    return await call.handle("campaign", campaign_id, c.ApproveCampaign(by=call.staff, at=call.at))


@router.post("/campaigns/{campaign_id}/decline", summary="Decline a campaign", openapi_extra=needs("campaigns.approve"))
async def decline_campaign(campaign_id: Id, body: Reason, call: Call) -> Done:
    """With the reason; the plan may be revised and handed in again."""
    return await call.handle("campaign", campaign_id, c.DeclineCampaign(reason=body.reason, by=call.staff, at=call.at))


@router.post("/campaigns/{campaign_id}/finish", summary="Finish a campaign", openapi_extra=needs("campaigns.write"))
async def finish_campaign(campaign_id: Id, call: Call) -> Done:
    """It is over; late bills are still recorded."""
    return await call.handle("campaign", campaign_id, c.FinishCampaign(by=call.staff, at=call.at))


@router.post("/campaigns/{campaign_id}/cancel", summary="Cancel a campaign", openapi_extra=needs("campaigns.write"))
async def cancel_campaign(campaign_id: Id, body: Reason, call: Call) -> Done:
    """It does not take place, or no longer; nothing more is spent."""
    return await call.handle("campaign", campaign_id, c.CancelCampaign(reason=body.reason, by=call.staff, at=call.at))


@router.post(
    "/campaigns/{campaign_id}/spend", status_code=201, summary="Spend of a campaign's budget", openapi_extra=needs("campaigns.spend")
)
async def record_spend(campaign_id: Id, body: NewSpend, call: Call) -> Done:
    """Within the budget finance owes it at once; beyond, it is held until somebody else approves it. Answers the spend's id."""
    spend_id = str(derived_id("spend", campaign_id, call.staff, call.key or ""))
    command = c.RecordSpend(spend_id=spend_id, supplier=body.supplier, purpose=body.purpose, amount=body.amount, by=call.staff, at=call.at)
    return made(await call.handle("campaign", campaign_id, command, new=False), spend_id)


@router.post(
    "/campaigns/{campaign_id}/spend/{spend_id}/approve",
    summary="Approve an overspend",
    openapi_extra=needs("campaigns.approve", match=False),
)
async def approve_overspend(campaign_id: Id, spend_id: Id, call: Call) -> Done:
    """Refused to who wants to spend."""
    command = c.ApproveOverspend(spend_id=spend_id, by=call.staff, at=call.at)
    return made(await call.handle("campaign", campaign_id, command), spend_id)


@router.post(
    "/campaigns/{campaign_id}/spend/{spend_id}/decline",
    summary="Decline an overspend",
    openapi_extra=needs("campaigns.approve", match=False),
)
async def decline_overspend(campaign_id: Id, spend_id: Id, call: Call) -> Done:
    """Nothing is owed."""
    command = c.DeclineOverspend(spend_id=spend_id, by=call.staff, at=call.at)
    return made(await call.handle("campaign", campaign_id, command), spend_id)


async def store_of(call: Call, store_id: str) -> dict[str, Any]:
    """A store of the caller's with the currency of its books. Raises Problem when it is not his."""
    store = await call.one(
        f"select s.*, e.currency from {stores_known.sql_name} s join {entities_known.sql_name} e using (entity_id) where store_id = %s",
        [store_id],
    )
    if store is None or not call.auth.has_store(store_id):
        raise Problem("unknown-reference", errors=[FieldError("store_id", "unknown")])
    return store


async def campaign_of(call: Call, campaign_id: str) -> dict[str, Any]:
    """A campaign of the caller's stores; else 404."""
    return await call.need(f"select * from {campaigns.sql_name} where campaign_id = %s", [campaign_id])


async def plan_of(call: Call, body: CampaignPlan, store: dict[str, Any]) -> c.Plan:
    """The plan a body describes. Raises Problem for a foreign currency and for people who do not work at the store."""
    if body.budget.currency != store["currency"]:
        raise Problem("currency-differs")
    people = await call.rows(
        f"select staff_id from {staff_known.sql_name} where staff_id = any(%s) and enabled and store_ids ? %s",
        [list(body.people), store["store_id"]],
    )
    if len(people) < len(set(body.people)):
        raise Problem("unknown-reference", errors=[FieldError("people", "unknown")])
    return c.Plan(
        name=body.name,
        kind=body.kind,
        place=body.place,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        starts_at=datetime.combine(body.starts_on, time(0), ZoneInfo(store["timezone"])).astimezone(UTC),
        goal_leads=body.goal_leads,
        goal_orders=body.goal_orders,
        budget=body.budget,
        people=tuple(dict.fromkeys(body.people)),
    )


def made(done: Done, id: str) -> Done:
    """The answer names the spend, not the campaign it is kept in."""
    return replace(done, stream=f"made-{id}")
