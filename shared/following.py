"""What public events and due timers make a service do, within the transaction of whoever took them."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import msgspec
import structlog

from shared.bus.heard import Effect, Heard, Send
from shared.decider import Rejected
from shared.deciding import Batch, Folded, Folder, Order
from shared.events.envelope import Meta
from shared.ops import metrics
from shared.store.protocol import NOTHING, Answer, Key, Loaded, Reads, Refusal, Taken, TimerRow, Transaction
from shared.views.table import Change, Drop, Put, Table

log = structlog.get_logger()
_meta = msgspec.json.Decoder(Meta)

REMEMBERED = 1_000

type Cause = UUID | str
"""The event or the timer a command follows from."""


class Preparing(Reads, Protocol):
    """What `prepare` may do: read, and take a number."""

    async def number(self, series: str, day: date) -> int:
        """The next number of a series on a business day, gapless."""
        ...


type Prepare = Callable[[Any, Preparing], Awaitable[Any]]
"""Fills what a timer's or listener's command must know from reference tables, before it is decided."""


@dataclass(eq=False)
class _Within:
    """The transaction, and over it what its own batch is about to write to views. One per batch."""

    tx: Transaction
    batch: Batch

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """Streams as they were before this batch."""
        return await self.tx.load(streams, keys, known)

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        written = self.batch.commit.puts.get(table, {})
        found = await self.tx.rows(table, [key for key in keys if key not in written])
        return found | {key: written[key] for key in keys if written.get(key) is not None}

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        written = self.batch.commit.puts.get(table, {})
        stored = [row for row in await self.tx.scan(table, **where) if table.key_of(row) not in written]
        fresh = [row for row in written.values() if row is not None]
        return stored + [row for row in fresh if all(getattr(row, name) == value for name, value in where.items())]

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        return await self.tx.holder(kind, key)

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys, without what this batch adds."""
        return await self.tx.tallies(kind, keys)

    async def number(self, series: str, day: date) -> int:
        """The next number of a series on a business day, gapless."""
        return await self.tx.number(series, day)


class Follower:
    """Carries out effects and timers. A rejection is recorded and never tried again."""

    def __init__(self, folder: Folder, prepare: Mapping[type, Prepare] | None = None) -> None:
        self.folder = folder
        self.prepare = dict(prepare or {})
        self._taken: OrderedDict[Cause, list[Taken]] = OrderedDict()

    def followed(self, batch: Batch) -> None:
        """Told after the commit."""

    async def apply(self, tx: Transaction, heard: list[tuple[Heard, list[Effect]]], consumer: str = "") -> None:
        """The effects of public events, within the consumer's transaction. Taken comes out once and is a refusal the next time."""
        sends = [(h, effect) for h, effects in heard for effect in effects if isinstance(effect, Send)]
        batch = await self._batch(tx, {send.to for _, send in sends})
        await _change(tx, batch, [effect for _, effects in heard for effect in effects])
        reads = _Within(tx, batch)
        for h, send in sends:
            order = Order(stream=send.to, meta=_caused(h))
            await self._follow(reads, order, send, h.id, consumer or "listener")
        await self._append(tx, batch, [h.id for h, _ in heard])

    async def fire(self, tx: Transaction, timers: list[TimerRow]) -> None:
        """Due timers, handled and deleted within the transaction that claimed them."""
        batch = await self._batch(tx, {timer.stream for timer in timers})
        reads = _Within(tx, batch)
        for timer in timers:
            batch.commit.unscheduled.append(timer.key)
            command = self.folder.stored.decode(timer.type, 1, timer.data.encode())
            order = Order(stream=timer.stream, meta=_meta.decode(timer.meta))
            await self._follow(reads, order, Send(to=timer.stream, command=command), timer.key, "timers")
        await self._append(tx, batch, [timer.key for timer in timers])

    def known(self, streams: Collection[str]) -> dict[str, Folded]:
        """States at hand, as some commit left them."""
        return {}

    async def read(self, store: Reads, streams: Collection[str], keys: Collection[Key] = ()) -> tuple[dict[str, Folded], dict[Key, Answer]]:
        """Streams as they are, and the stored answers of `keys`. What happened since the states at hand is read on top of them:

        a stream that everything goes through, such as the count of a model in a store, is not read from its beginning each time.
        """
        held = self.known(streams)
        loaded = await store.load(streams, keys, {stream: folded.version for stream, folded in held.items()})
        for stream, events in loaded.events.items():
            held[stream] = self.folder.fold(stream, events, held.get(stream))
        return held, loaded.answers

    async def _batch(self, tx: Transaction, streams: set[str]) -> Batch:
        held, _ = await self.read(tx, streams)
        return Batch(self.folder, held)

    async def _follow(self, reads: _Within, order: Order, send: Send, cause: Cause, consumer: str) -> None:
        command, batch = send.command, reads.batch
        if prepare := self.prepare.get(type(command)):
            command = await prepare(command, reads)
        try:
            events = batch.decide(order, command)
            self._refuse_taken(order, events, cause)
        except Rejected as no:
            refusal = send.refused(no) if send.refused else None
            log.info("command refused", stream=order.stream, command=type(command).__name__, problem=no.problem)
            metrics.refused(type(command).__name__, no.problem)
            if refusal is None:
                batch.commit.refusals.append(_refusal(consumer, cause, order, command, no))
            events = [refusal] if refusal is not None else []
        if events:
            batch.record(order, events, command.at)

    def _refuse_taken(self, order: Order, events: list[Any], cause: Cause) -> None:
        """A claim that was found taken when this cause was tried before is a refusal now."""
        known = [taken.claim for taken in self._taken.get(cause, [])]
        claims = self.folder.of(order.stream).decider.claims
        for claim in (claim for event in events for claim in claims(event)):
            if claim in known:
                raise Rejected(claim.problem, claim.reason)

    async def _append(self, tx: Transaction, batch: Batch, causes: Sequence[Cause]) -> None:
        """Of many causes nobody knows whose claim was taken: they are tried again one by one, and then it is known."""
        try:
            await tx.append(batch.commit)
        except Taken as taken:
            if len(causes) == 1:
                self._taken.setdefault(causes[0], []).append(taken)
                if len(self._taken) > REMEMBERED:
                    self._taken.popitem(last=False)
            raise
        tx.after(lambda: self._carried_out(batch, causes))

    def _carried_out(self, batch: Batch, causes: Sequence[Cause]) -> None:
        """What was taken once is forgotten: a timer of the same key is another one the next time."""
        for cause in causes:
            self._taken.pop(cause, None)
        self.followed(batch)


def _caused(heard: Heard) -> Meta:
    return Meta(
        actor=heard.actor,
        store_id=heard.store_id,
        correlation_id=heard.correlation_id,
        causation_id=str(heard.id),
        traceparent=heard.traceparent,
    )


def _refusal(consumer: str, cause: Cause, order: Order, command: Any, no: Rejected) -> Refusal:
    return Refusal(
        consumer=consumer,
        cause=str(cause),
        stream=order.stream,
        command=type(command).__name__,
        problem=no.problem,
        reason=no.reason,
    )


async def _change(tx: Transaction, batch: Batch, effects: list[Effect]) -> None:
    """Reference rows: puts and drops as they are, changes in the light of the row they meet."""
    wanted: dict[Table[Any], set[tuple[Any, ...]]] = {}
    for effect in effects:
        if isinstance(effect, Change):
            wanted.setdefault(effect.table, set()).add(effect.key)
    rows: dict[Table[Any], dict[tuple[Any, ...], Any]] = {table: await tx.lock(table, keys) for table, keys in wanted.items()}
    for effect in effects:
        match effect:
            case Put(table=table, row=row):
                key, new = table.key_of(row), row
            case Drop(table=table, key=key):
                new = None
            case Change(table=table, key=key, apply=apply):
                new = apply(rows.setdefault(table, {}).get(key))
            case _:
                continue
        batch.commit.puts.setdefault(table, {})[key] = new
        rows.setdefault(table, {})[key] = new
