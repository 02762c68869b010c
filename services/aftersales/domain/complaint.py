"""A complaint: somebody's by a due date, told to the manager when it is late, and open again when it was not settled."""

from datetime import datetime
from typing import Annotated, Literal, assert_never

from shared.decider import Decider, Rejected, Schedule, Timer, Unschedule, message, replace
from shared.values.personal import Personal

type Severity = Literal["urgent", "normal", "minor"]

MINUTES: dict[Severity, int] = {"urgent": 4 * 60, "normal": 16 * 60, "minor": 40 * 60}
"""Within how many working minutes of the store a complaint is to be resolved."""

MANAGER = "sales-manager"
"""The role a late complaint is told to: whoever leads the store."""


@message
class OpenComplaint:
    """`text` is sealed; `due_at` is told by the store's clock."""

    complaint_id: str
    number: str
    customer_id: str
    store_id: str
    vin: str | None
    severity: Severity
    text: str
    due_at: datetime
    by: str
    at: datetime


@message
class AssignComplaint:
    staff_id: str
    by: str
    at: datetime


@message
class RecordProgress:
    """`text` is sealed."""

    text: str
    by: str
    at: datetime


@message
class ResolveComplaint:
    """`text`: how it was settled, sealed."""

    text: str
    by: str
    at: datetime


@message
class RecordFeedback:
    """The customer's `score` of the handling, 1 to 5; `text` is sealed."""

    score: int
    text: str
    by: str
    at: datetime


@message
class ReopenComplaint:
    """`text`: why, sealed."""

    text: str
    due_at: datetime
    by: str
    at: datetime


@message
class EscalateComplaint:
    """The clock's command for the due date."""

    due_at: datetime
    at: datetime


@message
class ComplaintOpened:
    complaint_id: str
    number: str
    customer_id: str
    store_id: str
    vin: str | None
    severity: Severity
    text: Annotated[str, Personal]
    due_at: datetime
    by: str


@message
class ComplaintAssigned:
    staff_id: str
    by: str


@message
class ProgressRecorded:
    text: Annotated[str, Personal]
    by: str


@message
class ComplaintEscalated:
    due_at: datetime
    escalated_to: str


@message
class ComplaintResolved:
    text: Annotated[str, Personal]
    by: str


@message
class FeedbackRecorded:
    score: int
    text: Annotated[str, Personal]
    by: str


@message
class ComplaintReopened:
    text: Annotated[str, Personal]
    due_at: datetime
    by: str


@message
class Absent: ...


@message
class Complaint:
    complaint_id: str
    number: str
    customer_id: str
    store_id: str
    vin: str | None
    due_at: datetime
    assigned_to: str | None = None
    escalated: bool = False
    rated: bool = False
    status: Literal["open", "resolved"] = "open"


type Command = OpenComplaint | AssignComplaint | RecordProgress | ResolveComplaint | RecordFeedback | ReopenComplaint | EscalateComplaint
type Event = (
    ComplaintOpened | ComplaintAssigned | ProgressRecorded | ComplaintEscalated | ComplaintResolved | FeedbackRecorded | ComplaintReopened
)
type State = Absent | Complaint


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case OpenComplaint(), Absent():
            return [opened(command)]
        case OpenComplaint(), Complaint():
            return []
        case AssignComplaint(staff_id=staff_id, by=by), Complaint(status="open"):
            return [] if staff_id == state.assigned_to else [ComplaintAssigned(staff_id=staff_id, by=by)]
        case RecordProgress(text=text, by=by), Complaint(status="open"):
            return [ProgressRecorded(text=text, by=by)]
        case EscalateComplaint(due_at=due_at), Complaint(status="open", escalated=False) if due_at == state.due_at:
            return [ComplaintEscalated(due_at=due_at, escalated_to=MANAGER)]
        case EscalateComplaint(), Complaint():
            return []
        case ResolveComplaint(text=text, by=by), Complaint(status="open"):
            return [ComplaintResolved(text=text, by=by)]
        case ResolveComplaint(), Complaint(status="resolved"):
            return []
        case RecordFeedback(score=score, text=text, by=by), Complaint(status="resolved", rated=False):
            return [FeedbackRecorded(score=score, text=text, by=by)]
        case ReopenComplaint(text=text, due_at=due_at, by=by), Complaint(status="resolved"):
            return [ComplaintReopened(text=text, due_at=due_at, by=by)]
        case ReopenComplaint(), Complaint(status="open"):
            return []
        case _, Complaint():
            raise Rejected("illegal-transition", f"This complaint is {state.status}.")
        case _:
            raise Rejected("illegal-transition", "There is no such complaint.")


def opened(command: OpenComplaint) -> ComplaintOpened:
    return ComplaintOpened(
        complaint_id=command.complaint_id,
        number=command.number,
        customer_id=command.customer_id,
        store_id=command.store_id,
        vin=command.vin,
        severity=command.severity,
        text=command.text,
        due_at=command.due_at,
        by=command.by,
    )


def evolve(state: State, event: Event) -> State:
    """The complaint after an event."""
    if isinstance(event, ComplaintOpened):
        return Complaint(
            complaint_id=event.complaint_id,
            number=event.number,
            customer_id=event.customer_id,
            store_id=event.store_id,
            vin=event.vin,
            due_at=event.due_at,
        )
    assert isinstance(state, Complaint)
    match event:
        case ComplaintAssigned(staff_id=staff_id):
            return replace(state, assigned_to=staff_id)
        case ProgressRecorded():
            return state
        case ComplaintEscalated():
            return replace(state, escalated=True)
        case ComplaintResolved():
            return replace(state, status="resolved")
        case FeedbackRecorded():
            return replace(state, rated=True)
        case ComplaintReopened(due_at=due_at):
            return replace(state, status="open", due_at=due_at, escalated=False, rated=False)
        case unknown:
            assert_never(unknown)


def timers(event: Event) -> list[Timer]:
    """Once it is due, the clock asks whether it is settled."""
    match event:
        case ComplaintOpened(due_at=due_at) | ComplaintReopened(due_at=due_at):
            return [Schedule(key="due", command=EscalateComplaint(due_at=due_at, at=due_at), at=due_at)]
        case ComplaintResolved():
            return [Unschedule(key="due")]
        case _:
            return []


complaint = Decider[Command, State, Event](Absent(), decide, evolve, timers=timers)
