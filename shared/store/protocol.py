"""What a store promises. PostgreSQL keeps it for real, memory for unit tests and simulation; one conformance suite holds both to it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from shared.decider import Count, Release, Take, TakeSlot, message
from shared.views.table import Table

# Rows are not frozen: that would cost four times as much, several times per command.


@dataclass(slots=True)
class EventRow:
    """A stored event; `data` and `meta` are JSON text."""

    stream: str
    version: int
    id: UUID
    type: str
    type_version: int
    data: str
    meta: str
    occurred_at: datetime
    recorded_at: datetime | None = None
    """None until the database has set it."""
    hash: str = ""
    """Of the event before it in its stream and of itself, in hex; see shared/events/chain.py."""


@dataclass(slots=True)
class OutboxRow:
    """A public event on its way to Kafka. `headers` are the CloudEvents attributes as JSON text, names without `ce_`."""

    id: UUID
    stream: str
    sequence: int
    type: str
    data: str
    headers: str
    position: int = 0
    recorded_at: datetime | None = None


@message
class Key:
    """An idempotency key within its scope."""

    subject: str
    route: str
    key: str


@dataclass(kw_only=True, slots=True)
class Answer:
    """The stored first answer to a key: never a body."""

    key: Key
    body_hash: str
    status: int
    stream: str
    version: int
    seen: str | None


@message
class TimerRow:
    """A command that waits; `key` is unique in the service."""

    key: str
    due_at: datetime
    stream: str
    type: str
    data: str
    meta: str
    tries: int = 0
    """How often it could not be handled."""
    cause: str = ""
    """Why the last time."""


@message
class Refusal:
    """A rule said no to a command that followed from an event or a timer, and no event of the stream says so."""

    consumer: str
    cause: str
    stream: str
    command: str
    problem: str
    reason: str


@dataclass(kw_only=True)
class Commit:
    """Everything one transaction writes. Within it, events of a stream are in version order."""

    events: list[EventRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    claims: list[tuple[str, Take | TakeSlot | Count | Release]] = field(default_factory=list)
    """Pairs of stream and claim, in order."""
    timers: list[TimerRow] = field(default_factory=list)
    unscheduled: list[str] = field(default_factory=list)
    """Timer keys to delete; a fired timer is one too."""
    refusals: list[Refusal] = field(default_factory=list)
    puts: dict[Table[Any], dict[tuple[Any, ...], Any]] = field(default_factory=dict)
    """Per table the last row of each key; None drops the row."""


@message
class Loaded:
    """Events per stream in version order, and the answers already given to the keys asked for."""

    events: dict[str, list[EventRow]]
    answers: dict[Key, Answer]


class Kept(NamedTuple):
    """An event as it lies in the store, not looked into: `type_version` to `hash` may be anything."""

    stream: str
    version: int
    id: UUID
    type: str
    type_version: int
    occurred_at: datetime
    meta: bytes
    data: bytes
    hash: bytes


class Watermark(NamedTuple):
    """No event recorded before `at` will ever be published: min(now, oldest open writer, oldest unpublished)."""

    at: datetime
    oldest: datetime | None
    """When the oldest event was recorded that waits to be published."""


SECTION = 50_000
"""Events of a section: read in a fraction of the time a statement may take."""


class Section(NamedTuple):
    """The events of transactions from one bound to another, all of which have ended: their number, and a digest over their hashes."""

    until: int
    events: int
    digest: str


@message
class Republication:
    """A whole store told again. Whoever begins at `starts` hears every stream from its first public event."""

    id: int
    starts: dict[int, int] | None = None
    """Where each partition ended before it began; None: not begun."""
    after: str = ""
    """Every stream up to this one has been told again."""
    done: bool = False
    failed: str | None = None
    """Why it was given up."""


class Conflict(Exception):
    """Another commit came first (stream version, key, timer or deadlock): load again and decide again."""


class Taken(Exception):
    """A claim is held by another stream, or a tally is full."""

    def __init__(self, claim: Take | TakeSlot | Count) -> None:
        super().__init__(claim.problem)
        self.claim = claim


class Unavailable(Exception):
    """The database does not answer; the outcome of an append is unknown."""


NOTHING: Mapping[str, int] = MappingProxyType({})


class Reads(Protocol):
    """What can be read in or outside a transaction."""

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """The events of `streams` beyond the version known of each, and the stored answers of `keys`."""
        ...

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        ...

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        ...

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        ...

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys; 0 for one never counted."""
        ...


class Transaction(Reads, Protocol):
    """One database transaction: all of it or nothing."""

    async def lock(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key, held against other writers until this transaction ends."""
        ...

    def after(self, told: Callable[[], object]) -> None:
        """`told` is called once this transaction has committed."""
        ...

    async def append(self, commit: Commit) -> None:
        """Writes a commit. Raises Conflict or Taken, after which the transaction is dead."""
        ...

    async def number(self, series: str, day: date, many: int = 1) -> int:
        """The next number of a series on a business day, the last of so `many`; gapless: given back when this transaction rolls back."""
        ...

    async def fired(self, limit: int, now: datetime | None = None) -> list[TimerRow]:
        """Timers due by then (None: by the store's own clock), locked for this transaction and skipped by others."""
        ...

    async def postpone(self, key: str, by: timedelta, cause: str) -> None:
        """A timer that is due and could not be handled waits on, by the store's own clock; the try is counted. One set anew meanwhile stays as it is."""
        ...


class Store(Reads, Protocol):
    """The store of one service."""

    lineage: str
    """A uuid per created or restored store; consumers stop at one they do not know."""

    async def append(self, commit: Commit) -> None:
        """One commit in a transaction of its own. Raises Conflict, Taken or Unavailable."""
        ...

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        ...

    def look(self) -> AbstractAsyncContextManager[Transaction]:
        """No transaction: each statement sees what is committed by then, and stands by itself."""
        ...

    async def lead(self, name: str, holder: UUID, seconds: float) -> int | None:
        """Takes or renews a lease by the database's clock; the epoch when held, None while another holds it."""
        ...

    async def waiting(self, limit: int, but: Collection[int] = ()) -> Sequence[OutboxRow]:
        """The oldest outbox rows in position order, without those at the positions of `but`."""
        ...

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        """Deletes these outbox rows, named one by one, while the lease is still of this epoch; False when fenced."""
        ...

    async def watermark(self) -> Watermark:
        """How far this store has been published."""
        ...

    async def streams(self, after: str, limit: int) -> list[str]:
        """The names of the streams that follow `after`, in their order."""
        ...

    async def failing(self, tries: int) -> list[TimerRow]:
        """Timers that could not be handled so often, or more."""
        ...

    async def kept(self, after: str, limit: int) -> list[Kept]:
        """The whole of the `limit` streams that follow `after`, as they lie there, by stream and version."""
        ...

    async def section(self, since: int, until: int | None = None, *, most: int = SECTION) -> Section:
        """The events from one bound to another; without one, to as far as nothing can be added any more, or `most` events. Bounds only grow."""
        ...

    async def republish(self) -> int:
        """Asks for the whole store to be told again; the id of that request."""
        ...

    async def republication(self, id: int | None = None) -> Republication | None:
        """This request, or the oldest one that is not done."""
        ...

    async def republished(self, now: Republication) -> None:
        """Keeps how far it has come; it never goes back."""
        ...
