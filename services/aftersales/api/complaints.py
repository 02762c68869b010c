"""Taking complaints in, working on them, settling them, and opening them again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from services.aftersales.api.refer import Shop, colleague, customer, shop
from services.aftersales.domain import complaint as c
from services.aftersales.views.complaints import complaints
from services.aftersales.workshop import hours
from shared.handling import Done, Number
from shared.values.ids import new_id
from shared.values.worktime import add_working_minutes
from shared.web.body import Body, Clean, Id, VinText
from shared.web.call import Call
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)

type Words = Annotated[str, Clean(most=2000, least=1, lines=True, example="The wheels still squeak.")]


class NewComplaint(Body):
    customer_id: Id
    store_id: Id
    vin: VinText | None = None
    severity: c.Severity = "normal"
    text: Words


class Assignment(Body):
    staff_id: Id


class Said(Body):
    text: Words


class Feedback(Body):
    score: Annotated[int, Field(ge=1, le=5, examples=[4])]
    text: Annotated[str, Clean(most=2000, lines=True, example="Quick and friendly.")] = ""


@router.post("/complaints", status_code=201, summary="Take a complaint in", openapi_extra=needs("complaints.write"))
async def open_complaint(body: NewComplaint, call: Call) -> Done:
    """With a gapless number and a due date by its severity and the store's working hours."""
    place = await shop(call, body.store_id)
    await customer(call, body.customer_id)
    complaint_id, text = new_id(), await call.vault.seal(body.customer_id, body.text)
    series = f"CP-{place.store.code}"

    def command(n: int) -> c.OpenComplaint:
        return c.OpenComplaint(
            complaint_id=complaint_id,
            number=f"{series}-{place.today:%Y%m%d}-{n:03}",
            customer_id=body.customer_id,
            store_id=body.store_id,
            vin=body.vin,
            severity=body.severity,
            text=text,
            due_at=due(place, body.severity, call.at),
            by=call.staff,
            at=call.at,
        )

    number = Number(series=series, day=place.today)
    return await call.handle("complaint", complaint_id, command, number=number, store_id=body.store_id)


@router.post("/complaints/{complaint_id}/assign", summary="Assign a complaint", openapi_extra=needs("complaints.write"))
async def assign_complaint(complaint_id: Id, body: Assignment, call: Call) -> Done:
    """To a colleague of the store."""
    row = await call.need(f"select store_id from {complaints.sql_name} where complaint_id = %s", [complaint_id])
    staff_id = await colleague(call, body.staff_id, row["store_id"], "staff_id")
    return await call.handle("complaint", complaint_id, c.AssignComplaint(staff_id=staff_id, by=call.staff, at=call.at))


@router.post("/complaints/{complaint_id}/progress", summary="Record progress", openapi_extra=needs("complaints.write"))
async def record_progress(complaint_id: Id, body: Said, call: Call) -> Done:
    """What was done or said."""
    text = await sealed(call, complaint_id, body.text)
    return await call.handle("complaint", complaint_id, c.RecordProgress(text=text, by=call.staff, at=call.at))


@router.post("/complaints/{complaint_id}/resolve", summary="Resolve a complaint", openapi_extra=needs("complaints.write"))
async def resolve_complaint(complaint_id: Id, body: Said, call: Call) -> Done:
    """How it was settled; the clock stops."""
    text = await sealed(call, complaint_id, body.text)
    return await call.handle("complaint", complaint_id, c.ResolveComplaint(text=text, by=call.staff, at=call.at))


@router.post("/complaints/{complaint_id}/feedback", summary="Record the customer's feedback", openapi_extra=needs("complaints.write"))
async def record_feedback(complaint_id: Id, body: Feedback, call: Call) -> Done:
    """From 1 to 5, once for each resolution."""
    text = await sealed(call, complaint_id, body.text)
    return await call.handle("complaint", complaint_id, c.RecordFeedback(score=body.score, text=text, by=call.staff, at=call.at))


@router.post("/complaints/{complaint_id}/reopen", summary="Open a complaint again", openapi_extra=needs("complaints.write"))
async def reopen_complaint(complaint_id: Id, body: Said, call: Call) -> Done:
    """With a new due date; what was said before stays."""
    row = await call.need(f"select store_id, severity from {complaints.sql_name} where complaint_id = %s", [complaint_id])
    due_at = due(await shop(call, row["store_id"]), row["severity"], call.at)
    text = await sealed(call, complaint_id, body.text)
    return await call.handle("complaint", complaint_id, c.ReopenComplaint(text=text, due_at=due_at, by=call.staff, at=call.at))


def due(place: Shop, severity: c.Severity, at: datetime) -> datetime:
    """When a complaint of this severity is due by the store's clock."""
    clock = hours(place.store)
    return add_working_minutes(at, c.MINUTES[severity], clock.opens, clock.closes, clock.timezone)


async def sealed(call: Call, complaint_id: str, text: str) -> str:
    """The text under the customer's key; 404 for another store's complaint."""
    row = await call.need(f"select customer_id from {complaints.sql_name} where complaint_id = %s", [complaint_id])
    token: str = await call.vault.seal(row["customer_id"], text)
    return token
