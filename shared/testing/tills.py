"""A tiny aggregate for tests of the kit: a till that is opened, filled and closed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never

from shared.contracts import published
from shared.decider import Claim, Count, Decider, Rejected, Release, Schedule, Take, Timer, Unschedule, message
from shared.deciding import Aggregate
from shared.events.envelope import Meta, Recorded
from shared.events.registry import Registry
from shared.views.table import Fold, Table

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@message
class OpenTill:
    name: str
    clerk: str = "li"
    number: str = ""
    at: datetime = NOON


@message
class PutIn:
    amount: int
    at: datetime = NOON


@message
class CloseTill:
    at: datetime = NOON


@message
class TillOpened:
    name: str
    clerk: str
    number: str = ""


@message
class Filled:
    amount: int


@message
class TillClosed: ...


@published("testing.TillFilled")
class TillFilled:
    amount: int
    total: int


type Command = OpenTill | PutIn | CloseTill
type Event = TillOpened | Filled | TillClosed


@message
class Till:
    name: str = ""
    clerk: str = ""
    open: bool = False
    total: int = 0


def decide(command: Command, state: Till) -> list[Event]:
    match command:
        case OpenTill(name=name, clerk=clerk, number=number) if not state.name:
            return [TillOpened(name=name, clerk=clerk, number=number)]
        case PutIn(amount=amount) if state.open and amount > 0:
            return [Filled(amount=amount)]
        case CloseTill() if state.open:
            return [TillClosed()]
        case CloseTill() if state.name:
            return []
        case _:
            raise Rejected("illegal-transition", "The till does not allow that now.")


def evolve(state: Till, event: Event) -> Till:
    match event:
        case TillOpened(name=name, clerk=clerk):
            return Till(name=name, clerk=clerk, open=True)
        case Filled(amount=amount):
            return replace(state, total=state.total + amount)
        case TillClosed():
            return replace(state, open=False)
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    match event:
        case TillOpened(name=name):
            held = Take(kind="till", key=name, problem="till-taken", reason="There is such a till.")
            return [held, Count(kind="tills", key="all", by=1, most=500, problem="too-many-tills", reason="No more tills.")]
        case TillClosed():
            return [Release(kind="till")]
        case _:
            return []


def timers(event: Event) -> list[Timer]:
    match event:
        case TillOpened():
            return [Schedule(key="close", command=CloseTill(), at=NOON)]
        case TillClosed():
            return [Unschedule(key="close")]
        case _:
            return []


@message
class TillRow:
    till_id: str
    store_id: str
    name: str
    total: int
    open: bool


def apply(row: TillRow | None, recorded: Recorded[Event]) -> TillRow | None:
    match recorded.event:
        case TillOpened(name=name):
            till_id = recorded.stream.partition("-")[2]
            return TillRow(till_id=till_id, store_id=recorded.meta.store_id or "", name=name, total=0, open=True)
        case Filled(amount=amount) if row:
            return replace(row, total=row.total + amount)
        case TillClosed() if row:
            return replace(row, open=False)
    return row


def publish(event: Event, state: Till) -> list[object]:
    match event:
        case Filled(amount=amount):
            return [TillFilled(amount=amount, total=state.total)]
        case _:
            return []


till = Decider[Command, Till, Event](Till(), decide, evolve, claims, timers)
tills = Table("tills", 1, TillRow, key=("till_id",), indexes=("store_id, name",))
aggregate = Aggregate("till", till, views=(Fold(tills, apply),), publish=publish)
stored = Registry(
    "testing",
    {"TillOpened": TillOpened, "Filled": Filled, "TillClosed": TillClosed},
    commands={"OpenTill": OpenTill, "CloseTill": CloseTill},
)
meta = Meta(actor="li", store_id="s1", correlation_id="c1")
