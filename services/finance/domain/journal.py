"""Entries made by hand: posted once, never edited, only reversed."""

from datetime import date, datetime
from typing import assert_never

from services.finance.domain.chart import CHART
from services.finance.domain.entry import Entry, Line, balanced, posted_in
from shared.decider import Claim, Decider, Rejected, message


@message
class PostEntry:
    journal_id: str
    entity_id: str
    store_id: str
    currency: str
    text: str
    lines: tuple[Line, ...]
    on: date
    by: str
    at: datetime


@message
class ReverseEntry:
    reason: str
    on: date
    by: str
    at: datetime


@message
class ManualEntryPosted:
    journal_id: str
    by: str
    entry: Entry


@message
class ManualEntryReversed:
    reason: str
    by: str
    entry: Entry


@message
class Absent: ...


@message
class Posted:
    journal_id: str
    entry: Entry


@message
class Reversed: ...


type Command = PostEntry | ReverseEntry
type Event = ManualEntryPosted | ManualEntryReversed
type State = Absent | Posted | Reversed


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case PostEntry(), Absent():
            return [post(command)]
        case PostEntry(), _:
            return []
        case ReverseEntry(), Posted():
            return [reverse(command, state)]
        case ReverseEntry(), Reversed():
            return []
        case ReverseEntry(), Absent():
            raise Rejected("illegal-transition", "Only an entry made by hand is reversed by hand.")
        case unknown:
            assert_never(unknown)


def post(command: PostEntry) -> ManualEntryPosted:
    for line in command.lines:
        if line.account not in CHART:
            raise Rejected("unknown-reference", "The chart has no such account.")
        if CHART[line.account].control:
            raise Rejected("control-account", f"{line.account} is the sum of a sub-ledger and takes no entry by hand.")
    entry = balanced(
        f"journal-{command.journal_id}.1",
        command.lines,
        entity_id=command.entity_id,
        store_id=command.store_id,
        currency=command.currency,
        on=command.on,
        text=command.text,
    )
    return ManualEntryPosted(journal_id=command.journal_id, by=command.by, entry=entry)


def reverse(command: ReverseEntry, posted: Posted) -> ManualEntryReversed:
    entry = balanced(
        f"journal-{posted.journal_id}.2",
        (Line(account=line.account, amount=-line.amount, vin=line.vin) for line in posted.entry.lines),
        entity_id=posted.entry.entity_id,
        store_id=posted.entry.store_id,
        currency=posted.entry.currency,
        on=command.on,
        text=f"Reversal: {command.reason}",
    )
    return ManualEntryReversed(reason=command.reason, by=command.by, entry=entry)


def evolve(state: State, event: Event) -> State:
    """The entry after an event."""
    match event:
        case ManualEntryPosted(journal_id=journal_id, entry=entry):
            return Posted(journal_id=journal_id, entry=entry)
        case ManualEntryReversed():
            return Reversed()
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """A place in the period of each entry."""
    return posted_in(event.entry)


journal = Decider[Command, State, Event](Absent(), decide, evolve, claims)
