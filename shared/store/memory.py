"""The event store in memory, for unit tests and simulation: the same promises, one event loop, a clock one can turn."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from shared.decider import Count, Release, Take, TakeSlot
from shared.store.protocol import (
    NOTHING,
    SECTION,
    Answer,
    Commit,
    Conflict,
    EventRow,
    Kept,
    Key,
    Loaded,
    OutboxRow,
    Refusal,
    Republication,
    Section,
    Taken,
    TimerRow,
    Watermark,
)
from shared.values.clock import utc_now
from shared.views.table import Table


@dataclass
class _Data:
    """Everything a database would hold; a transaction works on a copy."""

    events: dict[str, list[EventRow]] = field(default_factory=dict)
    outbox: list[OutboxRow] = field(default_factory=list)
    position: int = 0
    answers: dict[Key, Answer] = field(default_factory=dict)
    claims: dict[tuple[str, str], str] = field(default_factory=dict)
    slots: list[tuple[str, TakeSlot]] = field(default_factory=list)
    tallies: dict[tuple[str, str], int] = field(default_factory=dict)
    numbers: dict[tuple[str, date], int] = field(default_factory=dict)
    timers: dict[str, TimerRow] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    views: dict[Table[Any], dict[tuple[Any, ...], Any]] = field(default_factory=dict)
    offsets: dict[tuple[str, str, int], int] = field(default_factory=dict)
    watermarks: dict[tuple[str, str, int], datetime] = field(default_factory=dict)
    marks: dict[tuple[str, str, str], int] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)
    """Streams and versions as they were appended."""
    republications: list[Republication] = field(default_factory=list)
    inbox: dict[str, Any] = field(default_factory=dict)
    """What the consumer keeps beside its marks: lineages, parked messages."""

    def copy(self) -> "_Data":
        """Containers are copied, the frozen rows in them are shared."""
        made = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict):
                setattr(made, name, {k: v.copy() if isinstance(v, dict | list) else v for k, v in value.items()})
            elif isinstance(value, list):
                setattr(made, name, list(value))
        return made


class MemoryTransaction:
    """Works on `data`; the store swaps it in at commit."""

    def __init__(self, data: _Data, now: Callable[[], datetime]) -> None:
        self.data = data
        self.now = now
        self.told: list[Callable[[], object]] = []

    def after(self, told: Callable[[], object]) -> None:
        """`told` is called once this transaction has committed."""
        self.told.append(told)

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """The events of `streams` beyond the version known of each, and the stored answers of `keys`."""
        events = {stream: [row for row in self.data.events.get(stream, ()) if row.version > known.get(stream, 0)] for stream in streams}
        return Loaded(events=events, answers={key: self.data.answers[key] for key in keys if key in self.data.answers})

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        return self.data.claims.get((kind, key))

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        held = self.data.views.get(table, {})
        return {key: held[key] for key in keys if key in held}

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        held = self.data.views.get(table, {}).values()
        return [row for row in held if all(getattr(row, name) == value for name, value in where.items())]

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys; 0 for one never counted."""
        return {key: self.data.tallies.get((kind, key), 0) for key in keys}

    async def lock(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key; one transaction at a time needs no lock."""
        return await self.rows(table, keys)

    async def append(self, commit: Commit) -> None:
        """Writes a commit. Raises Conflict or Taken, after which the transaction is dead."""
        data = self.data
        for stream, claim in commit.claims:
            if isinstance(claim, Release):
                data.claims = {k: s for k, s in data.claims.items() if not (s == stream and k[0] == claim.kind)}
                data.slots = [(s, slot) for s, slot in data.slots if not (s == stream and slot.kind == claim.kind)]
        for key in commit.unscheduled:
            data.timers.pop(key, None)
        for answer in commit.answers:
            if answer.key in data.answers:
                raise Conflict
            data.answers[answer.key] = answer
        for event in sorted(commit.events, key=lambda row: (row.stream, row.version)):
            history = data.events.setdefault(event.stream, [])
            if event.version != len(history) + 1:
                raise Conflict
            history.append(replace(event, recorded_at=self.now()))
            data.order.append((event.stream, event.version))
        for row in sorted(commit.outbox, key=lambda row: (row.stream, row.sequence)):
            data.position += 1
            data.outbox.append(replace(row, position=data.position, recorded_at=self.now()))
        for stream, claim in commit.claims:
            self._claim(stream, claim)
        data.refusals += commit.refusals
        data.timers |= {timer.key: timer for timer in commit.timers}
        for table, rows in commit.puts.items():
            held = data.views.setdefault(table, {})
            for view_key, view_row in rows.items():
                if view_row is None:
                    held.pop(view_key, None)
                else:
                    held[view_key] = view_row

    def _claim(self, stream: str, claim: Take | TakeSlot | Count | Release) -> None:
        data = self.data
        match claim:
            case Take(kind=kind, key=key):
                if (kind, key) in data.claims:
                    raise Taken(claim)
                data.claims[kind, key] = stream
            case TakeSlot():
                for _, held in data.slots:
                    if (held.kind, held.key) == (claim.kind, claim.key) and held.start < claim.end and claim.start < held.end:
                        raise Taken(claim)
                data.slots.append((stream, claim))
            case Count(kind=kind, key=key, by=by, most=most):
                n = max(data.tallies.get((kind, key), 0) + by, 0)
                if by > 0 and n > most:
                    raise Taken(claim)
                data.tallies[kind, key] = n
            case Release():
                pass

    async def number(self, series: str, day: date, many: int = 1) -> int:
        """The next number of a series on a business day, the last of so `many`; gapless."""
        n = self.data.numbers.get((series, day), 0) + many
        self.data.numbers[series, day] = n
        return n

    async def fired(self, limit: int, now: datetime | None = None) -> list[TimerRow]:
        """Timers due by then (None: by the store's own clock); one event loop needs no lock beyond the store's."""
        due = sorted((t for t in self.data.timers.values() if t.due_at <= (now or self.now())), key=lambda t: (t.due_at, t.key))
        return due[:limit]

    async def postpone(self, key: str, by: timedelta, cause: str) -> None:
        """A timer that is due and could not be handled waits on; the try is counted. One set anew meanwhile stays as it is."""
        timer = self.data.timers.get(key)
        if timer and timer.due_at <= self.now():
            self.data.timers[key] = replace(timer, due_at=self.now() + by, tries=timer.tries + 1, cause=cause)


class MemoryStore:
    """One transaction at a time; a raised error leaves nothing behind."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.lineage = str(uuid4())
        self.data = _Data()
        self.now = now
        self._lock = asyncio.Lock()
        self._lease: dict[str, tuple[UUID, int, datetime]] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._lock:
            tx = MemoryTransaction(self.data.copy(), self.now)
            yield tx
            self.data = tx.data
        for told in tx.told:
            told()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[MemoryTransaction]:
        """For reading only: what is committed by now."""
        yield self._peek()

    def _peek(self) -> MemoryTransaction:
        return MemoryTransaction(self.data, self.now)

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """The events of `streams` beyond the version known of each, and the stored answers of `keys`."""
        return await self._peek().load(streams, keys, known)

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        return await self._peek().holder(kind, key)

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        return await self._peek().rows(table, keys)

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        return await self._peek().scan(table, **where)

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys; 0 for one never counted."""
        return await self._peek().tallies(kind, keys)

    async def append(self, commit: Commit) -> None:
        """One commit in a transaction of its own."""
        async with self.begin() as tx:
            await tx.append(commit)

    async def lead(self, name: str, holder: UUID, seconds: float) -> int | None:
        """Takes or renews a lease by the store's clock."""
        owner, epoch, expires = self._lease.get(name, (holder, 0, self.now()))
        if owner != holder and expires >= self.now():
            return None
        epoch = epoch if owner == holder and epoch else epoch + 1
        self._lease[name] = (holder, epoch, self.now() + timedelta(seconds=seconds))
        return epoch

    async def waiting(self, limit: int, but: Collection[int] = ()) -> Sequence[OutboxRow]:
        """The oldest outbox rows in position order, without those at the positions of `but`."""
        return [row for row in self.data.outbox if row.position not in but][:limit]

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        """Deletes these rows while the lease is still of this epoch."""
        if lease not in self._lease or self._lease[lease][1] != epoch:
            return False
        named = set(positions)
        self.data.outbox = [row for row in self.data.outbox if row.position not in named]
        return True

    async def watermark(self) -> Watermark:
        """How far this store has been published; transactions do not overlap here."""
        oldest = min((row.recorded_at for row in self.data.outbox if row.recorded_at), default=None)
        return Watermark(min(self.now(), oldest or self.now()), oldest)

    async def streams(self, after: str, limit: int) -> list[str]:
        """The names of the streams that follow `after`, in their order."""
        return sorted(stream for stream, events in self.data.events.items() if stream > after and events)[:limit]

    async def failing(self, tries: int) -> list[TimerRow]:
        """Timers that could not be handled so often, or more."""
        return [timer for key, timer in sorted(self.data.timers.items()) if timer.tries and timer.tries >= tries]

    async def kept(self, after: str, limit: int) -> list[Kept]:
        """The whole of the `limit` streams that follow `after`, as they lie there, by stream and version."""
        return [_kept(row) for stream in await self.streams(after, limit) for row in self.data.events[stream]]

    async def section(self, since: int, until: int | None = None, *, most: int = SECTION) -> Section:
        """The events from one bound to another, both places in the order of appends."""
        until = min(len(self.data.order), since + most) if until is None else until
        there = {(row.stream, row.version): row.hash for history in self.data.events.values() for row in history}
        hashes = [there[place] for place in sorted(self.data.order[since:until]) if place in there]
        return Section(until, len(hashes), sha256(bytes.fromhex("".join(hashes))).hexdigest())

    async def republish(self) -> int:
        """Asks for the whole store to be told again; the id of that request."""
        self.data.republications.append(Republication(id=len(self.data.republications) + 1))
        return len(self.data.republications)

    async def republication(self, id: int | None = None) -> Republication | None:
        """This request, or the oldest one that is not done."""
        return next((each for each in self.data.republications if (each.id == id if id is not None else not each.done)), None)

    async def republished(self, now: Republication) -> None:
        """Keeps how far it has come; it never goes back."""
        kept = self.data.republications
        old = kept[now.id - 1]
        starts, failed = old.starts if old.starts is not None else now.starts, old.failed or now.failed
        kept[now.id - 1] = replace(now, starts=starts, after=max(old.after, now.after), done=old.done or now.done, failed=failed)


def _kept(row: EventRow) -> Kept:
    meta, data, hash = row.meta.encode(), row.data.encode(), bytes.fromhex(row.hash)
    return Kept(row.stream, row.version, row.id, row.type, row.type_version, row.occurred_at, meta, data, hash)
