"""The workshop's diary: who comes when, for what, in which bay and with whom."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter

from services.aftersales.domain import appointment as a
from services.aftersales.domain.slots import Slot
from services.aftersales.known import customers_known, staff_known
from services.aftersales.views.bays import bays
from services.aftersales.views.shown import opened
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Day, Id, VinText
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class AppointmentRow:
    """While a slot is awaited, `starts_at` is from when it is due and there is no day, bay or technician. `note` is a token."""

    appointment_id: str
    store_id: str
    vin: str
    customer_id: str
    services: tuple[str, ...]
    status: str
    starts_at: datetime
    ends_at: datetime | None
    day: date | None
    bay_id: str | None
    technician_id: str | None
    note: str
    booked_by: str
    cancelled_for: str
    version: int


appointments = Table(
    "appointments",
    1,
    AppointmentRow,
    key=("appointment_id",),
    indexes=("store_id, starts_at, appointment_id", "day", "vin, starts_at", "customer_id"),
)


def apply(row: AppointmentRow | None, recorded: Recorded[a.Event]) -> AppointmentRow | None:
    """The appointment's row after an event."""
    event, version = recorded.event, recorded.version
    match event:
        case a.AppointmentBooked(slot=slot, note=note, by=by):
            return replace(begun(event, slot.starts_at, version), status="booked", note=note, booked_by=by, **placed(slot))
        case a.SlotAwaited(not_before=not_before):
            return begun(event, not_before, version)
        case a.AppointmentMoved(slot=slot) if row:
            return replace(row, status="booked", version=version, **placed(slot))
        case a.AppointmentCancelled(reason=reason) if row:
            return replace(row, status="cancelled", cancelled_for=reason, version=version)
        case a.CarArrived() if row:
            return replace(row, status="arrived", version=version)
        case a.AppointmentMissed() if row:
            return replace(row, status="missed", version=version)
        case _:
            return row


def begun(event: a.AppointmentBooked | a.SlotAwaited, starts_at: datetime, version: int) -> AppointmentRow:
    return AppointmentRow(
        appointment_id=event.appointment_id,
        store_id=event.store_id,
        vin=event.vin,
        customer_id=event.customer_id,
        services=event.services,
        status="awaited",
        starts_at=starts_at,
        ends_at=None,
        day=None,
        bay_id=None,
        technician_id=None,
        note="",
        booked_by="system",
        cancelled_for="",
        version=version,
    )


def placed(slot: Slot) -> dict[str, Any]:
    return {
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "day": slot.day,
        "bay_id": slot.bay_id,
        "technician_id": slot.technician_id,
    }


diary = Fold(appointments, apply)

DIARY = f"""
select appointment.*, customer.name as customer, staff.name as technician, bay.name as bay from {appointments.sql_name} appointment
left join {customers_known.sql_name} customer using (customer_id)
left join {staff_known.sql_name} staff on staff.staff_id = appointment.technician_id
left join {bays.sql_name} bay on bay.bay_id = appointment.bay_id
"""


NAMES = {"customer": str, "technician": str | None, "bay": str | None}


@router.get(
    "/appointments",
    summary="The workshop's diary",
    response_model=page_of("Appointment", AppointmentRow, also=NAMES),
    openapi_extra=needs("service.book", "service.read"),
)
async def list_appointments(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    status: a.Status | None = None,
    day: Day | None = None,
    vin: VinText | None = None,
    customer_id: Id | None = None,
) -> Page:
    """By time, the earliest first."""
    where = {"store_id": store_id, "status": status, "day": day, "vin": vin, "customer_id": customer_id}
    found = await page(call, DIARY, paging, order="starts_at, appointment_id", where=where)
    await opened(call, found["items"], "customer", "note")
    return found


@router.get(
    "/appointments/{appointment_id}",
    summary="An appointment",
    response_model=shape("Appointment", AppointmentRow, also=NAMES),
    openapi_extra=needs("service.book", "service.read"),
)
async def show_appointment(appointment_id: Id, call: Call) -> dict[str, Any]:
    """Whose car, when, for what, in which bay and with whom."""
    return (await opened(call, [await call.need(f"{DIARY} where appointment_id = %s", [appointment_id])], "customer", "note"))[0]
