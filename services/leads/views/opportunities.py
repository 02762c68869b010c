"""Opportunities: the stage of each, since when, and how long the stages before took."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from services.leads.domain import opportunity as o
from services.leads.domain.stages import LOST, WON
from services.leads.views.clear import opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id, Line
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape


@message
class Spell:
    """One stay in a stage; `until` None: still there."""

    stage: str
    since: datetime
    until: datetime | None = None


@message
class OpportunityRow:
    """Empty texts are unknown, personal ones are tokens; `loss_by` is who asked to close it as lost and waits for the answer."""

    opportunity_id: str
    store_id: str
    entity_id: str
    lead_id: str
    person_id: str
    seller_id: str
    campaign_id: str
    channel: str
    brand: str
    series: str
    name: str
    phone: str
    stage: str
    since: datetime
    opened_at: datetime
    dwell: tuple[Spell, ...]
    version: int
    next_at: datetime | None = None
    loss_reason: str = ""
    loss_competitor: str = ""
    loss_by: str = ""
    order_id: str = ""


def apply(row: OpportunityRow | None, recorded: Recorded[o.Event]) -> OpportunityRow | None:
    """The row after one more event of its opportunity."""
    event = recorded.event
    if isinstance(event, o.OpportunityOpened):
        return _opened(event, recorded.version)
    if row is None:
        return None
    row = replace(row, version=recorded.version)
    match event:
        case o.StageEntered(stage_to=stage, entered_at=at):
            return _moved(row, stage, at)
        case o.FollowUpRecorded(next_at=next_at):
            return replace(row, next_at=next_at)
        case o.LossRequested(reason=reason, competitor=competitor, by=by):
            return replace(row, loss_reason=reason, loss_competitor=competitor or "", loss_by=by)
        case o.LossRefused():
            return replace(row, loss_reason="", loss_competitor="", loss_by="")
        case o.OpportunityLost(lost_at=at):
            return replace(_moved(row, LOST, at), loss_by="", next_at=None)
        case o.OpportunityWon(order_id=order, won_at=at):
            return replace(_moved(row, WON, at), order_id=order, loss_reason="", loss_competitor="", loss_by="", next_at=None)


def _opened(event: o.OpportunityOpened, version: int) -> OpportunityRow:
    return OpportunityRow(
        opportunity_id=event.opportunity_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        lead_id=event.lead_id or "",
        person_id=event.person_id,
        seller_id=event.seller_id,
        campaign_id=event.campaign_id or "",
        channel=event.channel,
        brand=event.brand,
        series=event.series,
        name=event.name,
        phone=event.phone,
        stage=event.stage,
        since=event.opened_at,
        opened_at=event.opened_at,
        dwell=(Spell(stage=event.stage, since=event.opened_at),),
        version=version,
    )


def _moved(row: OpportunityRow, stage: str, at: datetime) -> OpportunityRow:
    ended = (*row.dwell[:-1], replace(row.dwell[-1], until=at))
    return replace(row, stage=stage, since=at, dwell=(*ended, Spell(stage=stage, since=at)))


opportunity_list = Table(
    "opportunity_list",
    1,
    OpportunityRow,
    key=("opportunity_id",),
    indexes=("store_id, opened_at desc, opportunity_id", "opened_at desc, opportunity_id", "stage, since"),
)
opportunities = Fold(opportunity_list, apply)


router = APIRouter(route_class=CommandRoute)


@router.get(
    "/opportunities",
    summary="List opportunities, the newest first",
    response_model=page_of("Opportunity", OpportunityRow),
    openapi_extra=needs("leads.read"),
)
async def list_opportunities(
    call: Call,
    paging: Paging,
    stage: Line | None = None,
    seller_id: Id | None = None,
    store_id: Id | None = None,
    idle_days: Annotated[int, Field(ge=0, le=3650, examples=[14])] | None = None,
) -> Page:
    """The caller's stores' opportunities; `idle_days` keeps those that have stood in their stage for so long."""
    since = None if idle_days is None else call.at - timedelta(days=idle_days)
    where = {"stage": stage, "seller_id": seller_id, "store_id": store_id, "since <=": since}
    order = {"newest": "opened_at desc, opportunity_id", "idle": "since, opportunity_id"}
    found = await page(call, opportunity_list, paging, order=order, where=where)
    await opened(call, found["items"], ("name", "phone"))
    return found


@router.get(
    "/opportunities/{opportunity_id}",
    summary="Read an opportunity",
    response_model=shape("Opportunity", OpportunityRow),
    openapi_extra=needs("leads.read"),
)
async def read_opportunity(opportunity_id: Id, call: Call) -> dict[str, Any]:
    """One opportunity with its stages and how long each took."""
    row = await call.need(f"select * from {opportunity_list.sql_name} where opportunity_id = %(id)s", {"id": opportunity_id})
    return (await opened(call, [row], ("name", "phone")))[0]
