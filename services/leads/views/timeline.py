"""The timeline of a lead and of its opportunity: what happened and what was said, in order."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.leads.domain import opportunity as o
from services.leads.domain.lead import messages as m
from services.leads.views.clear import opened
from services.leads.views.opportunities import opportunity_list
from services.leads.views.pipeline import lead_list
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.route import CommandRoute, needs
from shared.web.shape import shape


@message
class Entry:
    """`what` is the event in a word, `text` and `plan` are tokens, `details` hold codes and numbers only."""

    at: datetime
    what: str
    by: str
    text: str = ""
    plan: str = ""
    next_at: datetime | None = None
    details: dict[str, Any]


@message
class TimelineRow:
    """All that was told of one stream, oldest first. Streams are short, and a lead placed later takes its past along to the store."""

    stream: str
    store_id: str
    entries: tuple[Entry, ...]


def apply(row: TimelineRow | None, recorded: Recorded[m.Event] | Recorded[o.Event]) -> TimelineRow:
    """One more entry for what a person wants to read; grading, reminders and the like tell themselves in the pipeline."""
    event = recorded.event
    row = row or TimelineRow(stream=recorded.stream, store_id="", entries=())
    if isinstance(event, m.LeadCaptured | m.LeadPlaced | o.OpportunityOpened):
        row = replace(row, store_id=event.store_id or "")
    told = _told(event)
    if told is None:
        return row
    spoken = event if isinstance(event, m.FollowUpRecorded | o.FollowUpRecorded) else None
    entry = Entry(
        at=recorded.occurred_at,
        what=told[0],
        by=recorded.meta.actor,
        text=spoken.text if spoken else getattr(event, "comments", getattr(event, "note", "")),
        plan=spoken.plan if spoken else "",
        next_at=spoken.next_at if spoken else None,
        details=told[1],
    )
    return replace(row, entries=(*row.entries, entry))


def _told(event: m.Event | o.Event) -> tuple[str, dict[str, Any]] | None:
    match event:
        case m.LeadCaptured(channel=channel) | m.LeadTouched(channel=channel):
            return "captured" if isinstance(event, m.LeadCaptured) else "touched", {"channel": channel}
        case m.LeadPlaced(store_id=store):
            return "placed", {"store_id": store}
        case m.LeadAssigned(seller_id=seller, by=by, reason=reason):
            return "assigned", {"seller_id": seller, "by": by, "reason": reason}
        case m.LeadQueued(reason=reason):
            return "queued", {"reason": reason}
        case m.ContactOverdue(contact=contact, escalated_to=role):
            return "overdue", {"contact": contact, "escalated_to": role}
        case m.FollowUpRecorded(kind=kind, doubts=doubts) | o.FollowUpRecorded(kind=kind, doubts=doubts):
            return "follow-up", {"kind": kind, "doubts": list(doubts)}
        case m.LeadConverted(opportunity_id=opportunity):
            return "converted", {"opportunity_id": opportunity}
        case m.LeadDisqualified(reason=reason):
            return "disqualified", {"reason": reason}
        case m.LeadRemined():
            return "remined", {}
        case o.OpportunityOpened(stage=stage):
            return "opened", {"stage": stage}
        case o.StageEntered(stage_from=origin, stage_to=target):
            return "advanced", {"from": origin, "to": target}
        case o.LossRequested(reason=reason, competitor=competitor):
            return "loss-requested", {"reason": reason, "competitor": competitor}
        case o.LossRefused(reason=reason):
            return "loss-refused", {"reason": reason}
        case o.OpportunityLost(reason=reason, competitor=competitor, approved_by=approver):
            return "lost", {"reason": reason, "competitor": competitor, "approved_by": approver}
        case o.OpportunityWon(order_id=order):
            return "won", {"order_id": order}
        case _:
            return None


lead_timeline = Table("lead_timeline", 1, TimelineRow, key=("stream",))
opportunity_timeline = Table("opportunity_timeline", 1, TimelineRow, key=("stream",))
lead_entries = Fold[TimelineRow, m.Event](lead_timeline, apply)
opportunity_entries = Fold[TimelineRow, o.Event](opportunity_timeline, apply)
router = APIRouter(route_class=CommandRoute)


TOLD = shape("Timeline", also={"items": list[Entry]})


@router.get("/leads/{lead_id}/timeline", summary="Read a lead's timeline", response_model=TOLD, openapi_extra=needs("leads.read"))
async def read_lead_timeline(lead_id: Id, call: Call) -> dict[str, Any]:
    """What happened to a lead, in order."""
    row = await call.need(f"select seller_id from {lead_list.sql_name} where lead_id = %(id)s", {"id": lead_id})
    return await _told_to(call, row["seller_id"], f"lead-{lead_id}", "")


@router.get(
    "/opportunities/{opportunity_id}/timeline",
    summary="Read an opportunity's timeline",
    response_model=TOLD,
    openapi_extra=needs("leads.read"),
)
async def read_opportunity_timeline(opportunity_id: Id, call: Call) -> dict[str, Any]:
    """What happened to an opportunity and, before that, to its lead."""
    sql = f"select seller_id, lead_id from {opportunity_list.sql_name} where opportunity_id = %(id)s"
    row = await call.need(sql, {"id": opportunity_id})
    return await _told_to(call, row["seller_id"], f"lead-{row['lead_id']}", f"opportunity-{opportunity_id}")


async def _told_to(call: Call, seller_id: str, lead: str, opportunity: str) -> dict[str, Any]:
    """The entries of both streams, oldest first; what was said is clear to the owner and to managers."""
    sql = f"""select entries from {lead_timeline.sql_name} where stream = %(lead)s
        union all select entries from {opportunity_timeline.sql_name} where stream = %(opportunity)s"""
    rows = await call.rows(sql, {"lead": lead, "opportunity": opportunity})
    entries = sorted((entry for row in rows for entry in row["entries"]), key=lambda entry: datetime.fromisoformat(entry["at"]))
    told = await opened(call, [{**entry, "seller_id": seller_id} for entry in entries], ("text", "plan"))
    return {"items": [{name: value for name, value in entry.items() if name != "seller_id"} for entry in told]}
