"""The pipeline: every lead with its owner, grade, deadline and what was said last."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.leads.domain.assignment import Considered
from services.leads.domain.grading import Interest
from services.leads.domain.lead import messages as m
from services.leads.views.clear import opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id, Line, plain
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape


@message
class Explanation:
    """Why the lead has this owner, or none."""

    by: str
    reason: str
    rule: str
    rule_version: int
    considered: tuple[Considered, ...]


@message
class LeadRow:
    """`status` is unplaced, new, queued, assigned, contacted, converted or disqualified. Empty texts are unknown, personal ones are tokens."""

    lead_id: str
    store_id: str
    entity_id: str
    person_id: str
    identity: str
    status: str
    brand: str
    series: str
    channel: str
    campaign_id: str
    last_channel: str
    touches: int
    interest: Interest
    grade: str
    grade_rule: str
    grade_reason: str
    phone_valid: bool
    name: str
    phone: str
    email: str
    wechat: str
    comments: str
    captured_at: datetime
    changed_at: datetime
    version: int
    seller_id: str = ""
    explanation: Explanation | None = None
    contact_due_at: datetime | None = None
    contacted_at: datetime | None = None
    within_sla: bool | None = None
    overdue: bool = False
    next_at: datetime | None = None
    opportunity_id: str = ""
    disqualified_for: str = ""


def apply(row: LeadRow | None, recorded: Recorded[m.Event]) -> LeadRow | None:
    """The row after one more event of its lead."""
    event, at = recorded.event, recorded.occurred_at
    if isinstance(event, m.LeadCaptured):
        return _captured(event, recorded)
    if row is None:
        return None
    row = replace(row, version=recorded.version, changed_at=at)
    match event:
        case m.LeadTouched(channel=channel):
            return replace(row, last_channel=channel, touches=row.touches + 1)
        case m.InterestStated(interest=interest):
            return replace(row, interest=interest)
        case m.LeadGraded(grade=grade, rule=rule, rule_version=version, reason=reason):
            return replace(row, grade=grade, grade_rule=f"{rule}@{version}", grade_reason=reason)
        case m.LeadPlaced(store_id=store, entity_id=entity):
            return replace(row, store_id=store, entity_id=entity, status="new")
        case m.LeadQueued():
            return replace(row, status="queued", explanation=_why("rule", event))
        case m.LeadAssigned():
            return _assigned(row, event)
        case m.ContactOverdue():
            return replace(row, overdue=True)
        case m.LeadContacted(within_sla=within, second=second):
            return replace(row, status="contacted", contacted_at=at, within_sla=within, contact_due_at=second.due_at, overdue=False)
        case m.FollowUpRecorded(contact=contact, next_at=next_at):
            row = replace(row, next_at=next_at)
            return row if contact == 1 else replace(row, overdue=False, contact_due_at=None)
        case m.LeadConverted(opportunity_id=opportunity):
            return replace(row, status="converted", opportunity_id=opportunity, contact_due_at=None, overdue=False, next_at=None)
        case m.LeadDisqualified(reason=reason):
            row = replace(row, status="disqualified", disqualified_for=reason)
            return replace(row, contact_due_at=None, overdue=False, next_at=None)
        case m.LeadRemined():
            row = replace(row, status="new" if row.store_id else "unplaced", disqualified_for="", seller_id="", explanation=None)
            return replace(row, contacted_at=None, within_sla=None)
        case _:
            return row


def _captured(event: m.LeadCaptured, recorded: Recorded[m.Event]) -> LeadRow:
    return LeadRow(
        lead_id=event.lead_id,
        store_id=event.store_id or "",
        entity_id=event.entity_id or "",
        person_id=event.person_id,
        identity=event.identity or "",
        status="new" if event.store_id else "unplaced",
        brand=event.brand,
        series=event.series,
        channel=event.channel,
        campaign_id=event.campaign_id or "",
        last_channel=event.channel,
        touches=1,
        interest=event.interest,
        grade="",
        grade_rule="",
        grade_reason="",
        phone_valid=event.phone_valid,
        name=event.name,
        phone=event.phone,
        email=event.email,
        wechat=event.wechat,
        comments=event.comments,
        captured_at=recorded.occurred_at,
        changed_at=recorded.occurred_at,
        version=recorded.version,
    )


def _assigned(row: LeadRow, event: m.LeadAssigned) -> LeadRow:
    """A new owner; the first contact, once made, stays made."""
    owned = replace(row, seller_id=event.seller_id, explanation=_why(event.by, event))
    if row.contacted_at is not None:
        return owned
    return replace(owned, status="assigned", contact_due_at=event.deadline.due_at, overdue=False)


def _why(by: str, event: m.LeadAssigned | m.LeadQueued) -> Explanation:
    return Explanation(by=by, reason=event.reason, rule=event.rule, rule_version=event.rule_version, considered=event.considered)


lead_list = Table(
    "lead_list",
    1,
    LeadRow,
    key=("lead_id",),
    indexes=("store_id, captured_at desc, lead_id", "captured_at desc, lead_id", "seller_id, captured_at desc", "identity"),
)
pipeline = Fold(lead_list, apply)


router = APIRouter(route_class=CommandRoute)

Status = Literal["unplaced", "new", "queued", "assigned", "contacted", "converted", "disqualified"]
PERSONAL = ("name", "phone", "email", "wechat", "comments")
SHOWN = tuple(name for name in lead_list.columns if name != "identity")


@router.get(
    "/leads", summary="List leads, the newest first", response_model=page_of("Lead", LeadRow, only=SHOWN), openapi_extra=needs("leads.read")
)
async def list_leads(
    call: Call,
    paging: Paging,
    status: Status | None = None,
    seller_id: Id | None = None,
    store_id: Id | None = None,
    grade: Line | None = None,
    overdue: bool | None = None,
) -> Page:
    """The caller's stores' leads; colleagues' customers are masked. `status=queued` is the queue of leads nobody could be given."""
    where = {"status": status, "seller_id": seller_id, "store_id": store_id, "grade": grade, "overdue": overdue}
    order = {"newest": "captured_at desc, lead_id", "oldest": "captured_at, lead_id", "changed": "changed_at desc, lead_id"}
    found = await page(call, lead_list, paging, order=order, where=where, columns=SHOWN)
    return {"items": plain(await opened(call, found["items"], PERSONAL)), "next_cursor": found["next_cursor"]}


@router.get("/leads/{lead_id}", summary="Read a lead", response_model=shape("Lead", LeadRow, only=SHOWN), openapi_extra=needs("leads.read"))
async def read_lead(lead_id: Id, call: Call) -> dict[str, Any]:
    """One lead, with the explanation of its grade and owner."""
    row = await call.need(f"select {', '.join(SHOWN)} from {lead_list.sql_name} where lead_id = %(id)s", {"id": lead_id})
    shown: dict[str, Any] = plain((await opened(call, [row], PERSONAL))[0])
    return shown
