"""The memory store as PostgreSQL behaves: transactions overlap, a row is held until its writer ends, positions come before commits."""

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from shared.bus.inbox import Key as Source
from shared.bus.inbox import Known, MemoryInbox, Moves, Parked, Position
from shared.bus.protocol import Place
from shared.decider import Count, Release, Take, TakeSlot
from shared.store.memory import MemoryStore, MemoryTransaction
from shared.store.protocol import NOTHING, Commit, Conflict, Key, Loaded, OutboxRow, TimerRow, Unavailable, Watermark
from shared.values.clock import utc_now
from shared.views.table import Table

type Row = tuple[Any, ...]
"""What can be held: a kind, and the key of a row of that kind."""

LONGEST = 5.0
"""Seconds after which a transaction is cut."""


class OverlappingTransaction(MemoryTransaction):
    """Each statement sees what is committed by then, and what this transaction wrote itself: read committed."""

    def __init__(self, store: "OverlappingStore") -> None:
        super().__init__(store.data, store.now)
        self.clock = store.now
        self.began = store.now()
        self.store = store
        self.held: set[Row] = set()
        self.behind: OverlappingTransaction | None = None
        """Whose end is waited for."""
        self.over = False
        self._turn: asyncio.Future[None] | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._seen = store.data
        self._writes: list[Callable[[], Awaitable[Any]]] = []

    async def _look(self) -> None:
        """Takes in what others have committed. Unavailable once cut."""
        if self.over:
            raise Unavailable
        if self._seen is self.store.data:
            return
        self._seen = self.store.data
        self.data = self._seen.copy() if self._writes else self._seen
        for write in self._writes:
            await write()

    async def _write[T](self, write: Callable[[], Awaitable[T]]) -> T:
        """Writes now, and once more over what others commit before this transaction does."""
        await self._look()
        if not self._writes:
            self.data = self._seen.copy()
        self._writes.append(write)
        return await write()

    async def hold(self, rows: Iterable[Row]) -> None:
        """Waits until nobody else holds these rows, in order. Conflict when both would wait for each other."""
        for row in sorted(set(rows) - self.held):
            while (owner := self.store.holders.get(row)) is not None:
                await self._wait_for(owner)
            if self.over:
                raise Unavailable
            self.store.holders[row] = self
            self.held.add(row)
        await self._look()

    async def _wait_for(self, owner: "OverlappingTransaction") -> None:
        ahead: OverlappingTransaction | None = owner
        while ahead is not None:
            if ahead is self:
                raise Conflict
            ahead = ahead.behind
        self.behind = owner
        self._turn = asyncio.get_running_loop().create_future()
        owner._waiters.append(self._turn)
        try:
            await self._turn
        finally:
            self.behind = self._turn = None

    async def commit(self) -> None:
        """All of it is seen by everybody at once. Unavailable once cut."""
        await self._look()
        if self._writes:
            self.store.data = self.data
        self.end()

    def end(self) -> None:
        """Lets go of everything: after the commit, or instead of it."""
        if self.over:
            return
        self.over = True
        self.store.open.pop(self, None)
        for row in self.held:
            del self.store.holders[row]
        for waiter in (*self._waiters, self._turn):
            if waiter and not waiter.done():
                waiter.set_result(None)

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """The events of `streams` beyond the version known of each, and the stored answers of `keys`."""
        await self._look()
        return await super().load(streams, keys, known)

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        await self._look()
        return await super().holder(kind, key)

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        await self._look()
        return await super().rows(table, keys)

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        await self._look()
        return await super().scan(table, **where)

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys; 0 for one never counted."""
        await self._look()
        return await super().tallies(kind, keys)

    async def lock(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key, held; where there is none yet, its key is."""
        await self.hold(("row", table.sql_name, key) for key in keys)
        return await super().rows(table, keys)

    async def append(self, commit: Commit) -> None:
        """Writes a commit, whose positions and times are given now, whenever it commits."""
        await self._look()
        await self.hold(self._touched(commit))
        await self._write(partial(self._append, commit, self.store.next_positions(len(commit.outbox)), self.clock()))

    async def _append(self, commit: Commit, position: int, at: datetime) -> None:
        self.data.position = position
        self.now = lambda: at
        await super().append(commit)

    def _touched(self, commit: Commit) -> Iterable[Row]:
        """The rows of which two transactions cannot both write one."""
        yield from (("event", row.stream, row.version) for row in commit.events)
        yield from (("answer", a.key.subject, a.key.route, a.key.key) for a in commit.answers)
        yield from (("timer", row.key) for row in commit.timers)
        yield from (("timer", key) for key in commit.unscheduled)
        for table, rows in commit.puts.items():
            yield from (("row", table.sql_name, key) for key in rows)
        for stream, claim in commit.claims:
            match claim:
                case Take(kind=kind, key=key):
                    yield "claim", kind, key
                case TakeSlot(kind=kind, key=key):
                    yield "slot", kind, key
                case Count(kind=kind, key=key):
                    yield "tally", kind, key
                case Release(kind=kind):
                    yield from (("claim", *taken) for taken, by in self.data.claims.items() if by == stream and taken[0] == kind)
                    yield from (("slot", kind, slot.key) for by, slot in self.data.slots if by == stream and slot.kind == kind)

    async def number(self, series: str, day: date, many: int = 1) -> int:
        """The next number of a series on a business day, gapless: who wants the one after waits."""
        await self.hold([("number", series, day)])
        return await self._write(partial(super().number, series, day, many))

    async def fired(self, limit: int, now: datetime | None = None) -> list[TimerRow]:
        """Due timers, held; those that somebody else holds are skipped."""
        await self._look()
        due = await super().fired(len(self.data.timers), now)
        free = [timer for timer in due if self.store.holders.get(("timer", timer.key), self) is self][:limit]
        await self.hold(("timer", timer.key) for timer in free)
        return free

    async def postpone(self, key: str, by: timedelta, cause: str) -> None:
        """A timer that could not be handled waits on, held; the try is counted."""
        await self.hold([("timer", key)])
        await self._write(partial(super().postpone, key, by, cause))

    # --- the inbox: keys of parked messages are rows of their own, which both sides hold ---------------------------

    def _box(self) -> MemoryInbox:
        return MemoryInbox(self.data.inbox, self.data.offsets, self.data.watermarks, self.data.marks)

    @property
    def _parked(self) -> dict[Row, bool]:
        keys: dict[Row, bool] = self.data.inbox.setdefault("keys", {})
        return keys

    async def take(self, consumer: str, moves: Moves, newest: Mapping[Source, int]) -> Known | None:
        """Moves offsets and marks, held."""
        await self.hold(("offset", consumer, *place) for place in moves)
        await self.hold(("mark", consumer, *key) for key in newest)
        known = await self._write(lambda: self._box().take(consumer, moves, newest))
        return known and known._replace(parked=await self.parked_keys(consumer, newest.keys()))

    async def positions(self, consumer: str) -> dict[Place, Position]:
        """Where the consumer stopped in each partition."""
        await self._look()
        return await self._box().positions(consumer)

    async def lineages(self, consumer: str) -> dict[str, str]:
        """The store known for each source."""
        await self._look()
        return await self._box().lineages(consumer)

    async def learn(self, consumer: str, source: str, lineage: str) -> None:
        """Keeps the lineage of a source heard for the first time."""
        await self.hold([("lineage", consumer, source)])
        await self._write(lambda: self._box().learn(consumer, source, lineage))

    async def parked_keys(self, consumer: str, keys: Collection[Source]) -> set[Source]:
        """Which of these keys are parked; held."""
        await self._look()
        await self.hold(("parked", consumer, *key) for key in keys if ("parked", consumer, *key) in self._parked)
        return {key for key in keys if ("parked", consumer, *key) in self._parked}

    async def park(self, consumer: str, message: Parked) -> None:
        """Keeps a message and marks its key, unless a mark is there."""
        await self._look()
        row = ("parked", consumer, message.source, message.stream)
        if row not in self._parked:
            await self.hold([row])
            await self._write(lambda: self._set(row, True))
        await self._write(lambda: self._box().park(consumer, message))

    async def parked(self, consumer: str, key: Source | None = None) -> list[Parked]:
        """What is parked behind a key (None: behind all), in order."""
        await self._look()
        return await self._box().parked(consumer, key)

    async def parked_count(self, consumer: str) -> int:
        """How many messages are parked."""
        return len(await self.parked(consumer))

    async def reached(self, consumer: str, keys: Collection[Source]) -> dict[Source, int]:
        """The sequence up to which each of these streams is taken, and nothing of it parked."""
        await self._look()
        return await self._box().reached(consumer, keys)

    async def unpark(self, consumer: str, event_ids: Collection[UUID]) -> None:
        """Drops parked messages, and the mark of each key of which none is seen now."""
        await self._write(lambda: self._box().unpark(consumer, event_ids))
        left = {("parked", consumer, message.source, message.stream) for message in await self._box().parked(consumer)}
        free = [row for row in self._parked if row[1] == consumer and row not in left]
        await self.hold(free)
        for row in free:
            await self._write(partial(self._set, row, False))

    async def _set(self, row: Row, parked: bool) -> None:
        if parked:
            self._parked[row] = True
        else:
            self._parked.pop(row, None)


class OverlappingStore(MemoryStore):
    """As many transactions at a time as there are callers; a raised error leaves nothing behind but used positions."""

    transaction = OverlappingTransaction

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(now)
        self.holders: dict[Row, OverlappingTransaction] = {}
        self.open: dict[OverlappingTransaction, datetime] = {}
        self._position = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[OverlappingTransaction]:
        """A transaction that commits when the block ends, rolls back when it raises, and is cut when it lasts too long."""
        tx = self.transaction(self)
        self.open[tx] = tx.began
        cut = asyncio.get_running_loop().call_later(LONGEST, tx.end)
        try:
            yield tx
            await tx.commit()
        finally:
            cut.cancel()
            tx.end()
        for told in tx.told:
            told()

    def next_positions(self, count: int) -> int:
        """Takes `count` positions, for good; the one before the first."""
        self._position += count
        return self._position - count

    def epoch(self, lease: str) -> int | None:
        """The epoch of whoever leads, or led last."""
        return self._lease[lease][1] if lease in self._lease else None

    async def waiting(self, limit: int, but: Collection[int] = ()) -> Sequence[OutboxRow]:
        """The oldest outbox rows in position order, which is not the order of their commits."""
        return [row for row in sorted(self.data.outbox, key=lambda row: row.position) if row.position not in but][:limit]

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        """Deletes these rows while the lease is still of this epoch."""
        self.data = copy.copy(self.data)
        return await super().sent(positions, lease, epoch)

    async def watermark(self) -> Watermark:
        """How far this store has been published: not beyond the oldest open transaction."""
        at, oldest = await super().watermark()
        return Watermark(min([at, *self.open.values()]), oldest)
