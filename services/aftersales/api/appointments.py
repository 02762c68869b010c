"""Booking, moving and cancelling appointments; the bay and the technician are found when nobody asks for certain ones."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from services.aftersales.api.refer import Shop, car_in_care, shop, technician, unknown
from services.aftersales.domain import appointment as a
from services.aftersales.domain.slots import Service, Slot, is_open, minutes_of, offered, pairs
from services.aftersales.views.appointments import appointments
from services.aftersales.views.bays import bays
from services.aftersales.workshop import Workshop, busy_on, workshop
from shared.decider import Rejected
from shared.handling import Done
from shared.values.clock import local_day
from shared.values.ids import derived_id
from shared.web.body import Body, Day, Id, Instant, Line, Text, VinText
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs
from shared.web.shape import shape

router = APIRouter(route_class=CommandRoute)

TRIES = 20
"""How often another pair is looked for when somebody else was faster."""

type Services = Annotated[tuple[Service, ...], Field(min_length=1, max_length=8)]


class Wish(Body):
    """When; and, if it matters, where and with whom."""

    starts_at: Instant
    bay_id: Id | None = None
    technician_id: Id | None = None


class NewAppointment(Wish):
    store_id: Id
    vin: VinText
    services: Services
    note: Text = ""


class Reason(Body):
    reason: Line


@router.post("/appointments", status_code=201, summary="Book an appointment", openapi_extra=needs("service.book"))
async def book_appointment(body: NewAppointment, call: Call) -> Done:
    """Within the opening hours, as long as its services take, with a free bay and a free technician."""
    place, car = await shop(call, body.store_id), await car_in_care(call, body.vin)
    appointment_id = str(derived_id("appointment", call.staff, call.key or ""))
    note = await call.vault.seal(car.customer_id, body.note)

    def command(slot: Slot) -> a.BookAppointment:
        return a.BookAppointment(
            appointment_id=appointment_id,
            vin=body.vin,
            customer_id=car.customer_id,
            store_id=body.store_id,
            services=body.services,
            slot=slot,
            note=note,
            by=call.staff,
            at=call.at,
        )

    return await placed(call, appointment_id, place, body, minutes_of(body.services), command, store_id=body.store_id)


@router.post("/appointments/{appointment_id}/move", summary="Move an appointment", openapi_extra=needs("service.book"))
async def move_appointment(appointment_id: Id, body: Wish, call: Call) -> Done:
    """To another time, bay or technician; one that awaits a slot gets it."""
    row = await call.need(f"select store_id, services from {appointments.sql_name} where appointment_id = %s", [appointment_id])
    place = await shop(call, row["store_id"])

    def command(slot: Slot) -> a.MoveAppointment:
        return a.MoveAppointment(slot=slot, by=call.staff, at=call.at)

    return await placed(call, appointment_id, place, body, minutes_of(row["services"]), command)


@router.post("/appointments/{appointment_id}/cancel", summary="Cancel an appointment", openapi_extra=needs("service.book"))
async def cancel_appointment(appointment_id: Id, body: Reason, call: Call) -> Done:
    """Bay and technician are free again."""
    return await call.handle("appointment", appointment_id, a.CancelAppointment(reason=body.reason, by=call.staff, at=call.at))


@router.post("/appointments/{appointment_id}/arrive", summary="The car is there", openapi_extra=needs("service.book", "service.work"))
async def arrive(appointment_id: Id, call: Call) -> Done:
    """Also late, when it counted as a no-show."""
    return await call.handle("appointment", appointment_id, a.ArriveForAppointment(by=call.staff, at=call.at))


@router.post("/appointments/{appointment_id}/miss", summary="Nobody came", openapi_extra=needs("service.book", "service.work"))
async def miss(appointment_id: Id, call: Call) -> Done:
    """Once it has begun; by itself when its time is over."""
    return await call.handle("appointment", appointment_id, a.MissAppointment(by=call.staff, at=call.at))


@router.get(
    "/appointments/slots",
    summary="Free times of a day",
    response_model=shape("FreeTimes", also={"items": [shape("FreeTime", Slot, only=("starts_at", "ends_at"))]}),
    openapi_extra=needs("service.book"),
)
async def free_slots(call: Call, store_id: Id, day: Day, service: Service = "maintenance") -> dict[str, Any]:
    """Every half hour at which a bay and a technician are free for the service."""
    place = await shop(call, store_id)
    there = await workshop(call.kit.store, place.store)
    busy = await busy_on(call.kit.store, day)
    found = offered(day, there.hours, minutes_of((service,)), there.bays, there.technicians, busy, call.at)
    return {"items": [{"starts_at": slot.starts_at, "ends_at": slot.ends_at} for slot in found]}


async def placed(
    call: Call,
    appointment_id: str,
    place: Shop,
    wish: Wish,
    minutes: int,
    command: Callable[[Slot], object],
    store_id: str | None = None,
) -> Done:
    """Handles the command with a free pair; when somebody else was faster, with the next. Raises Problem when none is left."""
    there = await workshop(call.kit.store, place.store)
    ends_at = within_hours(wish.starts_at, minutes, there)
    day = local_day(wish.starts_at, place.store.timezone)
    wanted_bays = [await open_bay(call, wish.bay_id, there)] if wish.bay_id else there.bays
    wanted_people = [await technician(call, wish.technician_id, there.store_id)] if wish.technician_id else there.technicians
    for _ in range(TRIES):
        busy = await busy_on(call.kit.store, day, but=appointment_id)
        free = pairs(wish.starts_at, ends_at, wanted_bays, wanted_people, busy)
        if not free:
            break
        slot = Slot(bay_id=free[0][0], technician_id=free[0][1], starts_at=wish.starts_at, ends_at=ends_at, day=day)
        try:
            return await call.handle("appointment", appointment_id, command(slot), store_id=store_id)
        except Rejected as no:
            if no.problem not in ("bay-taken", "technician-taken"):
                raise
    raise Problem("slot-taken", "No bay and technician are free together then.")


def within_hours(starts_at: datetime, minutes: int, there: Workshop) -> datetime:
    """When work of that length ends. Raises Problem when the store is not open all that time."""
    ends_at = starts_at + timedelta(minutes=minutes)
    if not is_open(starts_at, ends_at, local_day(starts_at, there.hours.timezone), there.hours):
        raise Problem("validation", errors=[FieldError("starts_at", "is outside the opening hours")])
    return ends_at


async def open_bay(call: Call, bay_id: str, there: Workshop) -> str:
    """The id of an open bay of the store. Raises Problem when there is none."""
    row = (await call.kit.store.rows(bays, [(bay_id,)])).get((bay_id,))
    if row is None or bay_id not in there.bays:
        raise unknown("bay_id")
    return bay_id
