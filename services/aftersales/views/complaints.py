"""Complaints: what is due, who works on it, and everything that was said, also before it was opened again."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.aftersales.domain import complaint as c
from services.aftersales.known import customers_known, staff_known
from services.aftersales.views.shown import opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Rows, Table
from shared.web.body import Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class ComplaintRow:
    """`escalated_to` is the role it was told to when it was late; `score` the customer's of the handling."""

    complaint_id: str
    store_id: str
    number: str
    customer_id: str
    vin: str | None
    severity: str
    status: str
    due_at: datetime
    opened_at: datetime
    assigned_to: str | None
    escalated_to: str | None
    resolved_at: datetime | None
    reopened: int
    score: int | None
    version: int


@message
class EntryRow:
    """One thing that happened; `text` is a token or empty."""

    complaint_id: str
    entry: int
    store_id: str
    what: str
    text: str
    detail: str
    by: str
    at: datetime


complaints = Table(
    "complaints", 1, ComplaintRow, key=("complaint_id",), indexes=("store_id, due_at, complaint_id", "customer_id", "assigned_to")
)
entries = Table("complaint_entries", 1, EntryRow, key=("complaint_id", "entry"))


def apply(row: ComplaintRow | None, recorded: Recorded[c.Event]) -> ComplaintRow | None:
    """The complaint's row after an event."""
    event = recorded.event
    if isinstance(event, c.ComplaintOpened):
        return ComplaintRow(
            complaint_id=event.complaint_id,
            store_id=event.store_id,
            number=event.number,
            customer_id=event.customer_id,
            vin=event.vin,
            severity=event.severity,
            status="open",
            due_at=event.due_at,
            opened_at=recorded.occurred_at,
            assigned_to=None,
            escalated_to=None,
            resolved_at=None,
            reopened=0,
            score=None,
            version=recorded.version,
        )
    return changed(replace(row, version=recorded.version), recorded) if row else None


def changed(row: ComplaintRow, recorded: Recorded[c.Event]) -> ComplaintRow:
    match recorded.event:
        case c.ComplaintAssigned(staff_id=staff_id):
            return replace(row, assigned_to=staff_id)
        case c.ComplaintEscalated(escalated_to=role):
            return replace(row, escalated_to=role)
        case c.ComplaintResolved():
            return replace(row, status="resolved", resolved_at=recorded.occurred_at)
        case c.FeedbackRecorded(score=score):
            return replace(row, score=score)
        case c.ComplaintReopened(due_at=due_at):
            return replace(row, status="open", due_at=due_at, escalated_to=None, resolved_at=None, score=None, reopened=row.reopened + 1)
        case _:
            return row


def told(recorded: Recorded[c.Event]) -> list[EntryRow]:
    """A row for everything that happened."""
    match recorded.event:
        case c.ComplaintOpened(text=text, severity=severity, by=by):
            return [entry(recorded, "opened", by, text, severity)]
        case c.ComplaintAssigned(staff_id=staff_id, by=by):
            return [entry(recorded, "assigned", by, detail=staff_id)]
        case c.ProgressRecorded(text=text, by=by):
            return [entry(recorded, "progress", by, text)]
        case c.ComplaintEscalated(escalated_to=role):
            return [entry(recorded, "escalated", "system", detail=role)]
        case c.ComplaintResolved(text=text, by=by):
            return [entry(recorded, "resolved", by, text)]
        case c.FeedbackRecorded(score=score, text=text, by=by):
            return [entry(recorded, "feedback", by, text, str(score))]
        case c.ComplaintReopened(text=text, by=by):
            return [entry(recorded, "reopened", by, text)]
        case _:
            return []


def entry(recorded: Recorded[c.Event], what: str, by: str, text: str = "", detail: str = "") -> EntryRow:
    return EntryRow(
        complaint_id=recorded.stream.removeprefix("complaint-"),
        entry=recorded.version,
        store_id=recorded.meta.store_id or "",
        what=what,
        text=text,
        detail=detail,
        by=by,
        at=recorded.occurred_at,
    )


complaint_list = Fold(complaints, apply)
complaint_entries = Rows(entries, told)

COMPLAINTS = f"""
select complaint.*, customer.name as customer, staff.name as assignee from {complaints.sql_name} complaint
left join {customers_known.sql_name} customer using (customer_id)
left join {staff_known.sql_name} staff on staff.staff_id = complaint.assigned_to
"""


NAMES = {"customer": str, "assignee": str | None}
SAID = shape("ComplaintEntry", EntryRow, only=("what", "text", "detail", "by", "at"))


@router.get(
    "/complaints",
    summary="Complaints by due date",
    response_model=page_of("ComplaintListed", ComplaintRow, also=NAMES),
    openapi_extra=needs("complaints.write", "service.read"),
)
async def list_complaints(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    status: Literal["open", "resolved"] | None = None,
    customer_id: Id | None = None,
    vin: VinText | None = None,
    assigned_to: Id | None = None,
) -> Page:
    """The most urgent first."""
    where = {"store_id": store_id, "status": status, "customer_id": customer_id, "vin": vin, "assigned_to": assigned_to}
    found = await page(call, COMPLAINTS, paging, order="due_at, complaint_id", where=where)
    await opened(call, found["items"], "customer")
    return found


@router.get(
    "/complaints/{complaint_id}",
    summary="A complaint",
    response_model=shape("Complaint", ComplaintRow, also={**NAMES, "entries": [SAID]}),
    openapi_extra=needs("complaints.write", "service.read"),
)
async def show_complaint(complaint_id: Id, call: Call) -> dict[str, Any]:
    """With everything that was said, oldest first."""
    row = await call.need(f"{COMPLAINTS} where complaint_id = %s", [complaint_id])
    said = await call.rows(f"select * from {entries.sql_name} where complaint_id = %s order by entry", [complaint_id])
    await opened(call, [row], "customer")
    shown = [{name: one[name] for name in ("what", "text", "detail", "by", "at")} for one in await opened(call, said, "text")]
    return row | {"entries": shown}
