"""An appointment: one car in one bay with one technician, for a slot of time that nobody else has."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, assert_never

from services.aftersales.domain.slots import Service, Slot
from shared.decider import Claim, Decider, Rejected, Release, Schedule, TakeSlot, Timer, Unschedule, message, replace
from shared.values.personal import Personal

SOONEST = timedelta(minutes=5)
LATEST = timedelta(days=1)

type Status = Literal["awaited", "booked", "arrived", "cancelled", "missed"]


@message
class BookAppointment:
    """`note` is sealed."""

    appointment_id: str
    vin: str
    customer_id: str
    store_id: str
    services: tuple[Service, ...]
    slot: Slot
    note: str
    by: str
    at: datetime


@message
class ProposeMaintenance:
    """Books the first free slot from `not_before` on; `slot` is found when the command is handled, None when nothing is free."""

    appointment_id: str
    vin: str
    customer_id: str
    store_id: str
    services: tuple[Service, ...]
    not_before: datetime
    slot: Slot | None
    at: datetime


@message
class MoveAppointment:
    slot: Slot
    by: str
    at: datetime


@message
class CancelAppointment:
    reason: str
    by: str
    at: datetime


@message
class ArriveForAppointment:
    by: str
    at: datetime


@message
class MissAppointment:
    """The clock's command for the end of the slot, or a person's once it has begun."""

    by: str
    at: datetime


@message
class AppointmentBooked:
    appointment_id: str
    vin: str
    customer_id: str
    store_id: str
    services: tuple[Service, ...]
    slot: Slot
    note: Annotated[str, Personal]
    by: str


@message
class SlotAwaited:
    """Nothing was free; tried again at `retry_at`."""

    appointment_id: str
    vin: str
    customer_id: str
    store_id: str
    services: tuple[Service, ...]
    not_before: datetime
    tries: int
    retry_at: datetime


@message
class AppointmentMoved:
    slot: Slot
    by: str


@message
class AppointmentCancelled:
    reason: str
    by: str


@message
class CarArrived:
    by: str


@message
class AppointmentMissed:
    by: str


@message
class Absent: ...


@message
class Appointment:
    """`slot` is None while one is awaited."""

    appointment_id: str
    vin: str
    customer_id: str
    store_id: str
    services: tuple[Service, ...]
    slot: Slot | None
    status: Status
    tries: int = 0


type Command = BookAppointment | ProposeMaintenance | MoveAppointment | CancelAppointment | ArriveForAppointment | MissAppointment
type Event = AppointmentBooked | SlotAwaited | AppointmentMoved | AppointmentCancelled | CarArrived | AppointmentMissed
type State = Absent | Appointment


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case BookAppointment(), Absent():
            return [booked(command, ahead(command.slot, command.at), command.note, command.by)]
        case ProposeMaintenance(slot=None), (Absent() | Appointment(status="awaited")):
            return [awaited(command, state)]
        case ProposeMaintenance(slot=Slot() as slot), (Absent() | Appointment(status="awaited")):
            return [booked(command, slot, "", "system")]
        case ((BookAppointment() | ProposeMaintenance()), Appointment()):
            return []
        case MoveAppointment(slot=slot, by=by), Appointment(status="awaited" | "booked"):
            return [] if slot == state.slot else [AppointmentMoved(slot=ahead(slot, command.at), by=by)]
        case CancelAppointment(reason=reason, by=by), Appointment(status="awaited" | "booked"):
            return [AppointmentCancelled(reason=reason, by=by)]
        case ArriveForAppointment(by=by), Appointment(status="booked" | "missed"):
            return [CarArrived(by=by)]
        case MissAppointment(at=at), Appointment(status="booked", slot=Slot(starts_at=starts_at)) if at < starts_at:
            raise Rejected("in-the-future", "The appointment has not begun.")
        case MissAppointment(by=by), Appointment(status="booked"):
            return [AppointmentMissed(by=by)]
        case (
            (CancelAppointment(), Appointment(status="cancelled"))
            | (ArriveForAppointment(), Appointment(status="arrived"))
            | (MissAppointment(), Appointment(status="missed"))
        ):
            return []
        case _, Appointment():
            raise Rejected("illegal-transition", f"This appointment is {state.status}.")
        case _:
            raise Rejected("illegal-transition", "There is no such appointment.")


def ahead(slot: Slot, at: datetime) -> Slot:
    """The slot, when it lies ahead. Raises Rejected."""
    if slot.starts_at <= at:
        raise Rejected("in-the-past", "An appointment is made for a time to come.")
    return slot


def booked(command: BookAppointment | ProposeMaintenance, slot: Slot, note: str, by: str) -> AppointmentBooked:
    return AppointmentBooked(
        appointment_id=command.appointment_id,
        vin=command.vin,
        customer_id=command.customer_id,
        store_id=command.store_id,
        services=command.services,
        slot=slot,
        note=note,
        by=by,
    )


def awaited(command: ProposeMaintenance, state: State) -> SlotAwaited:
    """Tried again after minutes at first, later once a day."""
    tries = state.tries if isinstance(state, Appointment) else 0
    return SlotAwaited(
        appointment_id=command.appointment_id,
        vin=command.vin,
        customer_id=command.customer_id,
        store_id=command.store_id,
        services=command.services,
        not_before=command.not_before,
        tries=tries + 1,
        retry_at=command.at + min(SOONEST * 4 ** min(tries, 5), LATEST),
    )


def evolve(state: State, event: Event) -> State:
    """The appointment after an event."""
    match event, state:
        case AppointmentBooked(), _:
            return made(event, event.slot, "booked")
        case SlotAwaited(tries=tries), _:
            return replace(made(event, None, "awaited"), tries=tries)
        case AppointmentMoved(slot=slot), Appointment():
            return replace(state, slot=slot, status="booked")
        case AppointmentCancelled(), Appointment():
            return replace(state, status="cancelled")
        case CarArrived(), Appointment():
            return replace(state, status="arrived")
        case AppointmentMissed(), Appointment():
            return replace(state, status="missed")
        case _:
            raise AssertionError(f"{type(event).__name__} needs an appointment")


def made(event: AppointmentBooked | SlotAwaited, slot: Slot | None, status: Status) -> Appointment:
    return Appointment(
        appointment_id=event.appointment_id,
        vin=event.vin,
        customer_id=event.customer_id,
        store_id=event.store_id,
        services=event.services,
        slot=slot,
        status=status,
    )


def claims(event: Event) -> list[Claim]:
    """A bay holds one car and a technician works on one; both are free again when nobody comes."""
    free: list[Claim] = [Release(kind="bay"), Release(kind="technician")]
    match event:
        case AppointmentBooked(slot=slot):
            return taken(slot)
        case AppointmentMoved(slot=slot):
            return [*free, *taken(slot)]
        case AppointmentCancelled() | AppointmentMissed():
            return free
        case SlotAwaited() | CarArrived():
            return []
        case unknown:
            assert_never(unknown)


def taken(slot: Slot) -> list[Claim]:
    bay = TakeSlot(
        kind="bay", key=slot.bay_id, start=slot.starts_at, end=slot.ends_at, problem="bay-taken", reason="This bay is taken then."
    )
    technician = TakeSlot(
        kind="technician",
        key=slot.technician_id,
        start=slot.starts_at,
        end=slot.ends_at,
        problem="technician-taken",
        reason="This technician is at work on another car then.",
    )
    return [bay, technician]


def timers(event: Event) -> list[Timer]:
    """Who has not come by the end of the slot is a no-show; an awaited slot is looked for again."""
    match event:
        case AppointmentBooked(slot=slot):
            return [missed(slot)]
        case AppointmentMoved(slot=slot):
            return [Unschedule(key="slot"), missed(slot)]
        case SlotAwaited(retry_at=retry_at):
            again = ProposeMaintenance(
                appointment_id=event.appointment_id,
                vin=event.vin,
                customer_id=event.customer_id,
                store_id=event.store_id,
                services=event.services,
                not_before=event.not_before,
                slot=None,
                at=retry_at,
            )
            return [Schedule(key="slot", command=again, at=retry_at)]
        case AppointmentCancelled():
            return [Unschedule(key="slot"), Unschedule(key="missed")]
        case CarArrived():
            return [Unschedule(key="missed")]
        case AppointmentMissed():
            return []
        case unknown:
            assert_never(unknown)


def missed(slot: Slot) -> Schedule:
    return Schedule(key="missed", command=MissAppointment(by="system", at=slot.ends_at), at=slot.ends_at)


appointment = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
