"""One month of a legal entity's books: open until it is closed, and nothing is posted into it after."""

from datetime import date, datetime
from typing import assert_never

from services.finance.domain.entry import CLOSED, period_count, period_of
from shared.decider import Claim, Decider, Rejected, message


@message
class ClosePeriod:
    """`period` such as `2026-03`; `on` is today."""

    entity_id: str
    period: str
    on: date
    by: str
    at: datetime


@message
class ReopenPeriod:
    reason: str
    by: str
    at: datetime


@message
class PeriodClosed:
    entity_id: str
    period: str
    by: str


@message
class PeriodReopened:
    entity_id: str
    period: str
    reason: str
    by: str


@message
class Period:
    entity_id: str = ""
    period: str = ""
    closed: bool = False


type Command = ClosePeriod | ReopenPeriod
type Event = PeriodClosed | PeriodReopened


def decide(command: Command, state: Period) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case ClosePeriod(), Period(closed=True):
            return []
        case ClosePeriod(period=period, on=on), _ if period >= period_of(on):
            raise Rejected("period-not-over", "A month is closed once it is over.")
        case ClosePeriod(), _:
            return [PeriodClosed(entity_id=command.entity_id, period=command.period, by=command.by)]
        case ReopenPeriod(), Period(closed=True):
            return [PeriodReopened(entity_id=state.entity_id, period=state.period, reason=command.reason, by=command.by)]
        case ReopenPeriod(), _:
            return []
        case unknown:
            assert_never(unknown)


def evolve(state: Period, event: Event) -> Period:
    """The period after an event."""
    return Period(entity_id=event.entity_id, period=event.period, closed=isinstance(event, PeriodClosed))


def claims(event: Event) -> list[Claim]:
    """A closed period's tally has no room for an entry; entry.py has the other half."""
    match event:
        case PeriodClosed():
            return [period_count(event.entity_id, event.period, by=CLOSED, most=2 * CLOSED - 1)]
        case PeriodReopened():
            return [period_count(event.entity_id, event.period, by=-CLOSED, most=0)]
        case unknown:
            assert_never(unknown)


period = Decider[Command, Period, Event](Period(), decide, evolve, claims)
