"""Campaigns, plan against actual: leads and orders wanted and got, budget and spend, what a lead and an order cost."""

from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.marketing.domain import campaign as c
from services.marketing.known import touches
from services.marketing.views.credits import credits
from shared.decider import message, replace
from shared.deciding import NotFound
from shared.events.envelope import Recorded
from shared.values.money import Money, divide
from shared.views.table import Fold, Table
from shared.web.body import Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)

type Status = Literal["planned", "submitted", "approved", "running", "finished", "cancelled"]


@message
class Spend:
    """`amount` in minor units; `status` is spent, held (beyond the budget, undecided) or declined."""

    spend_id: str
    supplier: str
    purpose: str
    amount: int
    status: str
    by: str
    decided_by: str | None
    at: datetime


@message
class CampaignRow:
    """`budget` and `spent` in minor units of `currency`."""

    campaign_id: str
    store_id: str
    entity_id: str
    name: str
    kind: str
    place: str
    starts_on: date
    ends_on: date
    people: tuple[str, ...]
    goal_leads: int
    goal_orders: int
    budget: int
    currency: str
    status: str
    planned_by: str
    planned_at: datetime
    approved_by: str | None
    declined_for: str
    cancelled_for: str
    spent: int
    spends: tuple[Spend, ...]
    version: int


campaigns = Table("campaigns", 1, CampaignRow, key=("campaign_id",), indexes=("store_id, starts_on desc, campaign_id desc",))


def apply(row: CampaignRow | None, recorded: Recorded[c.Event]) -> CampaignRow | None:
    """The campaign's row after an event."""
    event = recorded.event
    if isinstance(event, c.CampaignPlanned):
        return planned(recorded, event)
    return changed(replace(row, version=recorded.version), recorded) if row else None


def planned(recorded: Recorded[c.Event], event: c.CampaignPlanned) -> CampaignRow:
    return CampaignRow(
        campaign_id=event.campaign_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        **plan(event.plan),
        status="planned",
        planned_by=event.by,
        planned_at=recorded.occurred_at,
        approved_by=None,
        declined_for="",
        cancelled_for="",
        spent=0,
        spends=(),
        version=recorded.version,
    )


def plan(plan: c.Plan) -> dict[str, Any]:
    """The columns of a plan."""
    return {
        "name": plan.name,
        "kind": plan.kind,
        "place": plan.place,
        "starts_on": plan.starts_on,
        "ends_on": plan.ends_on,
        "people": plan.people,
        "goal_leads": plan.goal_leads,
        "goal_orders": plan.goal_orders,
        "budget": plan.budget.minor,
        "currency": plan.budget.currency,
    }


def changed(row: CampaignRow, recorded: Recorded[c.Event]) -> CampaignRow:
    match recorded.event:
        case c.PlanRevised(plan=revised):
            return replace(row, **plan(revised))
        case c.CampaignSubmitted():
            return replace(row, status="submitted", declined_for="")
        case c.CampaignApproved(by=by):
            return replace(row, status="approved", approved_by=by)
        case c.CampaignDeclined(reason=reason):
            return replace(row, status="planned", declined_for=reason)
        case c.CampaignStarted():
            return replace(row, status="running")
        case c.CampaignFinished():
            return replace(row, status="finished")
        case c.CampaignCancelled(reason=reason):
            return replace(row, status="cancelled", cancelled_for=reason)
        case c.CampaignSpent(approved_by=approved_by) as spent:
            entry = spend(recorded, spent, "spent", approved_by)
            return replace(row, spends=with_spend(row, entry), spent=row.spent + entry.amount)
        case c.OverspendRequested() as held:
            return replace(row, spends=with_spend(row, spend(recorded, held, "held", None)))
        case c.OverspendDeclined(spend_id=spend_id, by=by):
            return replace(row, spends=tuple(declined(one, by) if one.spend_id == spend_id else one for one in row.spends))
        case _:
            return row


def spend(recorded: Recorded[c.Event], event: c.CampaignSpent | c.OverspendRequested, status: str, decided_by: str | None) -> Spend:
    return Spend(
        spend_id=event.spend_id,
        supplier=event.supplier,
        purpose=event.purpose,
        amount=event.amount.minor,
        status=status,
        by=event.by,
        decided_by=decided_by,
        at=recorded.occurred_at,
    )


def with_spend(row: CampaignRow, entry: Spend) -> tuple[Spend, ...]:
    return (*(one for one in row.spends if one.spend_id != entry.spend_id), entry)


def declined(entry: Spend, by: str) -> Spend:
    return replace(entry, status="declined", decided_by=by)


campaign_book = Fold(campaigns, apply)

ACTUAL = f"""
select campaign.*, touched.leads, touched.touches, credited.orders, credited.revenue from {campaigns.sql_name} campaign
cross join lateral (
    select count(*) filter (where first) as leads, count(*) as touches from {touches.sql_name} where campaign_id = campaign.campaign_id
) touched
cross join lateral (
    select count(*) as orders, coalesce(sum(revenue) filter (where currency = campaign.currency), 0)::bigint as revenue
    from {credits.sql_name} where campaign_id = campaign.campaign_id
) credited
"""


SPEND = shape("CampaignSpend", Spend, amounts=("amount",))
ACTUALLY = {"leads": int, "touches": int, "orders": int, "spends": [SPEND]}
CAMPAIGN = shape(
    "Campaign",
    CampaignRow,
    without=("currency",),
    amounts=("budget", "spent"),
    nullable=("budget", "spent"),
    also=ACTUALLY | dict.fromkeys(("revenue", "cost_per_lead", "cost_per_order"), Money | None),
)


@router.get(
    "/campaigns",
    summary="Campaigns, plan against actual",
    response_model=page_of(CAMPAIGN),
    openapi_extra=needs("campaigns.read"),
)
async def list_campaigns(call: Call, paging: Paging, store_id: Id | None = None, status: Status | None = None) -> Page:
    """The latest first. A lead counts for the campaign of its first touch, an order by the model its credit names."""
    where = {"store_id": store_id, "status": status}
    found = await page(call, ACTUAL, paging, order="starts_on desc, campaign_id desc", where=where)
    return {"items": [shown(call, row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/campaigns/{campaign_id}",
    summary="A campaign, plan against actual",
    response_model=CAMPAIGN,
    openapi_extra=needs("campaigns.read"),
)
async def show_campaign(campaign_id: Id, call: Call) -> dict[str, Any]:
    """With each spend, for those who may see money."""
    return shown(call, await call.need(f"{ACTUAL} where campaign_id = %s", [campaign_id]))


@router.get(
    "/campaigns/{campaign_id}/spend/{spend_id}",
    summary="A spend of a campaign",
    response_model=SPEND,
    openapi_extra=needs("campaigns.spend", "campaigns.approve"),
)
async def show_spend(campaign_id: Id, spend_id: Id, call: Call) -> dict[str, Any]:
    """What was or would be spent, with whom, and who decided."""
    row = await call.need(f"select spends, currency from {campaigns.sql_name} where campaign_id = %s", [campaign_id])
    found: dict[str, Any] | None = next((one for one in row["spends"] if one["spend_id"] == spend_id), None)
    if found is None:
        raise NotFound
    return found | {"amount": amount(Money(found["amount"], row["currency"]))}


def shown(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    """The row with amounts; sellers see what is planned and what came of it, not the money."""
    currency = row.pop("currency")
    money = call.auth.may("campaigns.write", "campaigns.spend", "campaigns.approve", "reports.margin")

    def cash(minor: int | None) -> dict[str, str] | None:
        return amount(Money(minor, currency)) if money and minor is not None else None

    row |= {
        "budget": cash(row["budget"]),
        "spent": cash(row["spent"]),
        "revenue": cash(row["revenue"]),
        "cost_per_lead": cash(each(row["spent"], row["leads"])),
        "cost_per_order": cash(each(row["spent"], row["orders"])),
        "spends": [one | {"amount": cash(one["amount"])} for one in row["spends"]] if money else [],
    }
    return row


def each(total: int, count: int) -> int | None:
    """The total per one of `count`, rounded half-up; None when there is none."""
    return divide(total, count) if count else None
