"""A test drive: one car and one specialist for a slot of time, at the store or at the customer's place."""

from datetime import date, datetime, timedelta
from typing import Annotated, assert_never

from shared.decider import Claim, Decider, Rejected, Release, TakeSlot, message, replace
from shared.values.personal import Personal

LONGEST = timedelta(hours=8)


@message
class BookTestDrive:
    """`starts_on` is the day of the drive at the store; `licence_valid_until` is set when the licence was seen at booking."""

    test_drive_id: str
    opportunity_id: str
    person_id: str
    store_id: str
    vin: str
    specialist_id: str
    starts_at: datetime
    ends_at: datetime
    starts_on: date
    place: str = "store"
    address: str = ""
    route: str = ""
    licence_valid_until: date | None = None
    by: str
    at: datetime


@message
class CheckLicence:
    valid_until: date
    by: str
    at: datetime


@message
class FinishTestDrive:
    """`kilometres` driven; `rating` 1 to 5; `feedback` is sealed."""

    kilometres: int
    rating: int | None = None
    feedback: str = ""
    by: str
    at: datetime


@message
class CancelTestDrive:
    reason: str
    by: str
    at: datetime


@message
class TestDriveBooked:
    test_drive_id: str
    opportunity_id: str
    person_id: str
    store_id: str
    vin: str
    specialist_id: str
    starts_at: datetime
    ends_at: datetime
    starts_on: date
    place: str
    address: Annotated[str, Personal]
    route: str
    by: str


@message
class LicenceChecked:
    valid_until: date
    by: str


@message
class TestDriveFinished:
    kilometres: int
    rating: int | None
    feedback: Annotated[str, Personal]
    by: str


@message
class TestDriveCancelled:
    reason: str
    by: str


@message
class Absent: ...


@message
class Drive:
    test_drive_id: str
    opportunity_id: str
    person_id: str
    store_id: str
    vin: str
    starts_on: date
    licence_checked: bool = False
    status: str = "booked"
    """`booked`, `finished` or `cancelled`."""


type Command = BookTestDrive | CheckLicence | FinishTestDrive | CancelTestDrive
type Event = TestDriveBooked | LicenceChecked | TestDriveFinished | TestDriveCancelled
type State = Absent | Drive


def decide(command: Command, state: State) -> list[Event]:
    """What a test drive allows."""
    match command, state:
        case BookTestDrive(), Absent():
            return _book(command)
        case BookTestDrive(), Drive(status="booked"):
            return []
        case CheckLicence(valid_until=until, by=by), Drive(status="booked"):
            return [] if state.licence_checked else [_licence(until, state.starts_on, by)]
        case FinishTestDrive(), Drive(status="booked", licence_checked=False):
            raise Rejected("licence-unchecked", "Nobody has seen the driving licence.")
        case FinishTestDrive(kilometres=kilometres, rating=rating, feedback=feedback, by=by), Drive(status="booked"):
            return [TestDriveFinished(kilometres=kilometres, rating=rating, feedback=feedback, by=by)]
        case CancelTestDrive(reason=reason, by=by), Drive(status="booked"):
            return [TestDriveCancelled(reason=reason, by=by)]
        case (FinishTestDrive(), Drive(status="finished")) | (CancelTestDrive(), Drive(status="cancelled")):
            return []
        case _, Drive():
            raise Rejected("illegal-transition", f"This test drive is {state.status}.")
        case _:
            raise Rejected("illegal-transition", "There is no such test drive.")


def _book(command: BookTestDrive) -> list[Event]:
    if command.ends_at <= command.starts_at or command.ends_at - command.starts_at > LONGEST:
        raise Rejected("bad-slot", "A test drive ends after it starts, within eight hours.")
    if command.starts_at <= command.at:
        raise Rejected("in-the-past", "A test drive is booked for a time to come.")
    booked = TestDriveBooked(
        test_drive_id=command.test_drive_id,
        opportunity_id=command.opportunity_id,
        person_id=command.person_id,
        store_id=command.store_id,
        vin=command.vin,
        specialist_id=command.specialist_id,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        starts_on=command.starts_on,
        place=command.place,
        address=command.address,
        route=command.route,
        by=command.by,
    )
    if command.licence_valid_until is None:
        return [booked]
    return [booked, _licence(command.licence_valid_until, command.starts_on, command.by)]


def _licence(valid_until: date, starts_on: date, by: str) -> LicenceChecked:
    if valid_until < starts_on:
        raise Rejected("licence-expired", "The driving licence runs out before the drive.")
    return LicenceChecked(valid_until=valid_until, by=by)


def evolve(state: State, event: Event) -> State:
    """The state after one more event."""
    if isinstance(event, TestDriveBooked):
        return Drive(
            test_drive_id=event.test_drive_id,
            opportunity_id=event.opportunity_id,
            person_id=event.person_id,
            store_id=event.store_id,
            vin=event.vin,
            starts_on=event.starts_on,
        )
    assert isinstance(state, Drive)
    match event:
        case LicenceChecked():
            return replace(state, licence_checked=True)
        case TestDriveFinished():
            return replace(state, status="finished")
        case TestDriveCancelled():
            return replace(state, status="cancelled")
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """No car and no person in two drives at once; both are free again when it is over."""
    match event:
        case TestDriveBooked(vin=vin, specialist_id=specialist, starts_at=start, ends_at=end):
            return [
                _slot("test-drive-car", vin, start, end, "slot-taken", "This car is booked for another test drive then."),
                _slot("test-drive-specialist", specialist, start, end, "slot-taken", "This colleague has another test drive then."),
            ]
        case TestDriveFinished() | TestDriveCancelled():
            return [Release(kind="test-drive-car"), Release(kind="test-drive-specialist")]
        case _:
            return []


def _slot(kind: str, key: str, start: datetime, end: datetime, problem: str, reason: str) -> TakeSlot:
    return TakeSlot(kind=kind, key=key, start=start, end=end, problem=problem, reason=reason)


test_drive = Decider[Command, State, Event](Absent(), decide, evolve, claims)
