"""Test drives: the diary of cars and specialists."""

from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.leads.domain import drive as d
from services.leads.views.clear import opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape


@message
class DriveRow:
    """`status` is booked, finished or cancelled; address and feedback are tokens."""

    test_drive_id: str
    store_id: str
    opportunity_id: str
    person_id: str
    vin: str
    specialist_id: str
    starts_at: datetime
    ends_at: datetime
    place: str
    address: str
    route: str
    status: str
    version: int
    licence_valid_until: date | None = None
    kilometres: int | None = None
    rating: int | None = None
    feedback: str = ""
    cancelled_for: str = ""


def apply(row: DriveRow | None, recorded: Recorded[d.Event]) -> DriveRow | None:
    """The row after one more event of its test drive."""
    event = recorded.event
    if isinstance(event, d.TestDriveBooked):
        return DriveRow(
            test_drive_id=event.test_drive_id,
            store_id=event.store_id,
            opportunity_id=event.opportunity_id,
            person_id=event.person_id,
            vin=event.vin,
            specialist_id=event.specialist_id,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            place=event.place,
            address=event.address,
            route=event.route,
            status="booked",
            version=recorded.version,
        )
    if row is None:
        return None
    row = replace(row, version=recorded.version)
    match event:
        case d.LicenceChecked(valid_until=until):
            return replace(row, licence_valid_until=until)
        case d.TestDriveFinished(kilometres=kilometres, rating=rating, feedback=feedback):
            return replace(row, status="finished", kilometres=kilometres, rating=rating, feedback=feedback)
        case d.TestDriveCancelled(reason=reason):
            return replace(row, status="cancelled", cancelled_for=reason)


drive_list = Table("drive_list", 1, DriveRow, key=("test_drive_id",), indexes=("store_id, starts_at desc, test_drive_id", "opportunity_id"))
drives = Fold(drive_list, apply)


router = APIRouter(route_class=CommandRoute)


@router.get(
    "/test-drives",
    summary="List test drives, the latest first",
    response_model=page_of("TestDrive", DriveRow),
    openapi_extra=needs("leads.read"),
)
async def list_test_drives(
    call: Call,
    paging: Paging,
    status: Literal["booked", "finished", "cancelled"] | None = None,
    vin: VinText | None = None,
    specialist_id: Id | None = None,
    opportunity_id: Id | None = None,
) -> Page:
    """The caller's stores' test drives."""
    where = {"status": status, "vin": vin, "specialist_id": specialist_id, "opportunity_id": opportunity_id}
    found = await page(call, drive_list, paging, order="starts_at desc, test_drive_id", where=where)
    await opened(call, found["items"], ("address", "feedback"), owner="specialist_id")
    return found


@router.get(
    "/test-drives/{test_drive_id}",
    summary="Read a test drive",
    response_model=shape("TestDrive", DriveRow),
    openapi_extra=needs("leads.read"),
)
async def read_test_drive(test_drive_id: Id, call: Call) -> dict[str, Any]:
    """One test drive."""
    row = await call.need(f"select * from {drive_list.sql_name} where test_drive_id = %(id)s", {"id": test_drive_id})
    return (await opened(call, [row], ("address", "feedback"), owner="specialist_id"))[0]
