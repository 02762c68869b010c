"""A shift: when a member of staff works in a store. Nobody is in two places at once."""

from datetime import datetime, timedelta
from typing import assert_never

from shared.decider import Claim, Decider, Rejected, Release, TakeSlot, message

LONGEST = timedelta(hours=24)


@message
class PlanShift:
    shift_id: str
    staff_id: str
    store_id: str
    starts_at: datetime
    ends_at: datetime
    at: datetime


@message
class CancelShift:
    at: datetime


@message
class ShiftPlanned:
    shift_id: str
    staff_id: str
    store_id: str
    starts_at: datetime
    ends_at: datetime


@message
class ShiftCancelled:
    shift_id: str
    staff_id: str


@message
class Unplanned: ...


@message
class Planned:
    shift_id: str
    staff_id: str


@message
class Cancelled: ...


type Command = PlanShift | CancelShift
type Event = ShiftPlanned | ShiftCancelled
type State = Unplanned | Planned | Cancelled


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case PlanShift(starts_at=start, ends_at=end), Unplanned() if not timedelta() < end - start <= LONGEST:
            raise Rejected("shift-length", "A shift ends after it starts and within a day.")
        case PlanShift(), Unplanned():
            return [
                ShiftPlanned(
                    shift_id=command.shift_id,
                    staff_id=command.staff_id,
                    store_id=command.store_id,
                    starts_at=command.starts_at,
                    ends_at=command.ends_at,
                )
            ]
        case CancelShift(), Planned(shift_id=shift_id, staff_id=staff_id):
            return [ShiftCancelled(shift_id=shift_id, staff_id=staff_id)]
        case CancelShift(), Cancelled():
            return []
        case _:
            raise Rejected("illegal-transition", "This shift does not allow that now.")


def evolve(state: State, event: Event) -> State:
    match event:
        case ShiftPlanned(shift_id=shift_id, staff_id=staff_id):
            return Planned(shift_id=shift_id, staff_id=staff_id)
        case ShiftCancelled():
            return Cancelled()
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    match event:
        case ShiftPlanned(staff_id=staff_id, starts_at=start, ends_at=end):
            reason = "This person already works then."
            return [TakeSlot(kind="shift", key=staff_id, start=start, end=end, problem="shift-overlaps", reason=reason)]
        case ShiftCancelled():
            return [Release(kind="shift")]
        case unknown:
            assert_never(unknown)


shift = Decider[Command, State, Event](Unplanned(), decide, evolve, claims)
