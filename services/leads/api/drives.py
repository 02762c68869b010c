"""The commands of a test drive over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from services.leads import known
from services.leads.api.fields import Word
from services.leads.api.people import colleague, referred, stored_row
from services.leads.domain import drive as d
from services.leads.views.drives import drive_list
from services.leads.views.opportunities import opportunity_list
from shared.handling import Done
from shared.values.clock import local_day
from shared.values.ids import new_id
from shared.web.body import Body, Day, Id, Instant, Line, Text, VinText
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewDrive(Body):
    """`licence_valid_until` when the licence was seen at booking; `address` for a drive from the customer's place."""

    opportunity_id: Id
    vin: VinText
    specialist_id: Id
    starts_at: Instant
    ends_at: Instant
    place: Literal["store", "customer"] = "store"
    address: Text = ""
    route: Word = ""
    licence_valid_until: Day | None = None


class Licence(Body):
    valid_until: Day


class Finish(Body):
    kilometres: Annotated[int, Field(ge=0, le=2000)]
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    feedback: Text = ""


class Cancel(Body):
    reason: Line


@router.post("/test-drives", status_code=201, summary="Book a test drive", openapi_extra=needs("opportunities.work"))
async def book_test_drive(body: NewDrive, call: Call) -> Done:
    """A car and a colleague of the opportunity's store, each in one drive at a time."""
    opportunity = await referred(call, opportunity_list, body.opportunity_id, "opportunity_id")
    if all(car.store_id != opportunity.store_id for car in await call.kit.store.scan(known.cars, vin=body.vin)):
        raise Problem("unknown-reference", errors=[FieldError("vin", "unknown")])
    await colleague(call, body.specialist_id, opportunity.store_id, "specialist_id")
    store = (await call.kit.store.rows(known.stores, [(opportunity.store_id,)])).get((opportunity.store_id,))
    id = new_id()
    command = d.BookTestDrive(
        test_drive_id=id,
        opportunity_id=body.opportunity_id,
        person_id=opportunity.person_id,
        store_id=opportunity.store_id,
        vin=body.vin,
        specialist_id=body.specialist_id,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        starts_on=local_day(body.starts_at, store.timezone if store else "UTC"),
        place=body.place,
        address=await call.vault.seal(opportunity.person_id, body.address),
        route=body.route,
        licence_valid_until=body.licence_valid_until,
        by=call.staff,
        at=call.at,
    )
    return await call.handle("testdrive", id, command, store_id=opportunity.store_id)


@router.post("/test-drives/{test_drive_id}/check-licence", summary="Record a licence seen", openapi_extra=needs("opportunities.work"))
async def check_licence(test_drive_id: Id, body: Licence, call: Call) -> Done:
    """It must be valid on the day of the drive."""
    command = d.CheckLicence(valid_until=body.valid_until, by=call.staff, at=call.at)
    return await call.handle("testdrive", test_drive_id, command)


@router.post("/test-drives/{test_drive_id}/finish", summary="Finish a test drive", openapi_extra=needs("opportunities.work"))
async def finish_test_drive(test_drive_id: Id, body: Finish, call: Call) -> Done:
    """With the kilometres driven and what the customer said."""
    row = await stored_row(call, drive_list, test_drive_id)
    feedback = await call.vault.seal(row.person_id, body.feedback)
    command = d.FinishTestDrive(kilometres=body.kilometres, rating=body.rating, feedback=feedback, by=call.staff, at=call.at)
    return await call.handle("testdrive", test_drive_id, command)


@router.post("/test-drives/{test_drive_id}/cancel", summary="Cancel a test drive", openapi_extra=needs("opportunities.work"))
async def cancel_test_drive(test_drive_id: Id, body: Cancel, call: Call) -> Done:
    """Car and colleague are free again."""
    return await call.handle("testdrive", test_drive_id, d.CancelTestDrive(reason=body.reason, by=call.staff, at=call.at))
