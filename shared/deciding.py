"""From a command and a stream's history to everything one append writes. Pure: nothing here waits or looks up."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.contracts import published_name
from shared.decider import Decider, Release, Schedule, Take, TakeSlot, Unschedule, message, replace
from shared.events.chain import link
from shared.events.envelope import Meta, Recorded, public_id, sequence
from shared.events.registry import Registry
from shared.store.protocol import Commit, EventRow, OutboxRow, TimerRow
from shared.values.ids import new_uuid
from shared.views.table import Fold, Rows

_json = msgspec.json.Encoder()
_meta = msgspec.json.Decoder(Meta)


def publish_nothing(event: Any, state: Any) -> list[Any]:
    """Private events that stay private."""
    return []


@dataclass(frozen=True)
class Aggregate[C, S, E]:
    """A decider bound to its streams `<category>-<id>`: inline views, public events, and whose stores may act on it."""

    category: str
    decider: Decider[C, S, E]
    views: tuple[Fold[Any, E] | Rows[Any, E], ...] = ()
    publish: Callable[[E, S], list[Any]] = publish_nothing
    stores: Callable[[S], Collection[str] | None] | None = None
    """The stores whose staff may command it in this state (None: every store's); not given: the store of its first event."""
    home: Callable[[S], str | None] | None = None
    """The store an event belongs to, where it moves or is found late; not given: the one of `stores`, else of the first event."""

    def stream(self, id: str) -> str:
        """The stream's name."""
        return f"{self.category}-{id}"


class NotFound(Exception):
    """No such stream, or one of a store that is not the caller's: both answer 404 alike."""


class VersionConflict(Exception):
    """If-Match named another version than the stream's."""

    def __init__(self, actual: int) -> None:
        super().__init__(f"version {actual}")
        self.actual = actual


@message
class Order:
    """What a decision needs beside the command: who asks, which version he saw, whose stores he may touch."""

    stream: str
    meta: Meta
    expected: int | None = None
    stores: frozenset[str] | None = None
    """None: every store."""
    must_exist: bool = False
    new: bool = False
    """Nobody can have written to this stream yet: it is not looked up, and whoever has is found out by the append."""


@dataclass(kw_only=True)
class Folded:
    """A stream as its history makes it."""

    state: Any
    version: int = 0
    store_id: str | None = None
    hash: bytes = b""
    """Of its last event."""
    rows: dict[Fold[Any, Any], Any] = field(default_factory=dict)

    def copy(self) -> "Folded":
        """States and rows are immutable; only the holder is copied."""
        return Folded(state=self.state, version=self.version, store_id=self.store_id, hash=self.hash, rows=dict(self.rows))


class Folder:
    """Knows a service's aggregates and folds their stored events."""

    def __init__(self, stored: Registry, aggregates: Iterable[Aggregate[Any, Any, Any]]) -> None:
        self.stored = stored
        self.aggregates = {aggregate.category: aggregate for aggregate in aggregates}

    def of(self, stream: str) -> Aggregate[Any, Any, Any]:
        """The aggregate a stream belongs to. KeyError for a category this service does not have."""
        return self.aggregates[stream.partition("-")[0]]

    def fold(self, stream: str, history: Iterable[EventRow], known: Folded | None = None) -> Folded:
        """State, version and inline rows after `history`, which begins behind what is `known`."""
        aggregate = self.of(stream)
        folded = known or Folded(state=aggregate.decider.initial)
        for row in history:
            evolve(aggregate, folded, self.recorded(row))
            folded.hash = bytes.fromhex(row.hash)
        return folded

    def recorded(self, row: EventRow) -> Recorded[Any]:
        """A stored event with its circumstances."""
        event, meta = self.stored.decode(row.type, row.type_version, row.data.encode()), _meta.decode(row.meta)
        return Recorded(id=row.id, stream=row.stream, version=row.version, event=event, occurred_at=row.occurred_at, meta=meta)


def evolve(aggregate: Aggregate[Any, Any, Any], folded: Folded, recorded: Recorded[Any]) -> None:
    """Takes one event into the fold."""
    _take(aggregate, folded, recorded, aggregate.decider.evolve(folded.state, recorded.event))


def _take(aggregate: Aggregate[Any, Any, Any], folded: Folded, recorded: Recorded[Any], state: Any) -> None:
    """The same with the state after it."""
    folded.state = state
    folded.version = recorded.version
    if recorded.version == 1:
        folded.store_id = recorded.meta.store_id
    for view in aggregate.views:
        if isinstance(view, Fold):
            folded.rows[view] = view.apply(folded.rows.get(view), recorded)


def _home(aggregate: Aggregate[Any, Any, Any], after: Any) -> str | None:
    """The store of an event, where the aggregate's state after it tells."""
    if aggregate.home is not None:
        return aggregate.home(after)
    theirs = aggregate.stores(after) if aggregate.stores else None
    return next(iter(theirs)) if theirs is not None and len(theirs) == 1 else None


class Batch:
    """Decides commands one after the other and gathers what they write, to be appended together."""

    def __init__(self, folder: Folder, held: dict[str, Folded]) -> None:
        self.folder = folder
        self.held = held
        self.commit = Commit()

    def decide(self, order: Order, command: Any) -> list[Any]:
        """The events a command leads to. Raises Rejected, NotFound or VersionConflict; nothing is gathered yet."""
        aggregate, folded = self.folder.of(order.stream), self.held[order.stream]
        if folded.version == 0 and order.must_exist:
            raise NotFound
        if folded.version and order.stores is not None:
            theirs = aggregate.stores(folded.state) if aggregate.stores else [folded.store_id] if folded.store_id else None
            if theirs is not None and order.stores.isdisjoint(theirs):
                raise NotFound
        if order.expected is not None and order.expected != folded.version:
            raise VersionConflict(folded.version)
        return aggregate.decider.decide(command, folded.state)

    def record(self, order: Order, events: list[Any], at: datetime) -> str | None:
        """Gathers events with all that follows from them; the `Forecourt-Seen` mark of the last public one, if any."""
        aggregate, folded = self.folder.of(order.stream), self.held[order.stream]
        seen = None
        for event in events:
            state = aggregate.decider.evolve(folded.state, event)
            store_id = _home(aggregate, state) or (folded.store_id if folded.version else order.meta.store_id)
            meta = order.meta if order.meta.store_id == store_id else replace(order.meta, store_id=store_id)
            recorded = Recorded(id=new_uuid(), stream=order.stream, version=folded.version + 1, event=event, occurred_at=at, meta=meta)
            before = dict(folded.rows)
            _take(aggregate, folded, recorded, state)
            self._event(recorded, folded)
            self._views(aggregate, folded, before, recorded)
            self._consequences(aggregate, recorded)
            seen = self._publish(aggregate, folded.state, recorded) or seen
        return seen

    def _event(self, recorded: Recorded[Any], folded: Folded) -> None:
        name, type_version, data = self.folder.stored.encode(recorded.event)
        meta, at = _json.encode(recorded.meta), recorded.occurred_at
        folded.hash = link(folded.hash, recorded.stream, recorded.version, recorded.id, name, type_version, at, meta, data)
        self.commit.events.append(
            EventRow(
                stream=recorded.stream,
                version=recorded.version,
                id=recorded.id,
                type=name,
                type_version=type_version,
                data=data.decode(),
                meta=meta.decode(),
                occurred_at=at,
                hash=folded.hash.hex(),
            )
        )

    def _views(self, aggregate: Aggregate[Any, Any, Any], folded: Folded, before: dict[Any, Any], recorded: Recorded[Any]) -> None:
        for view in aggregate.views:
            if isinstance(view, Rows):
                for row in view.apply(recorded):
                    self.commit.puts.setdefault(view.table, {})[view.table.key_of(row)] = row
                continue
            old, new = before.get(view), folded.rows[view]
            rows = self.commit.puts.setdefault(view.table, {}) if old is not new else {}
            if old is not None:
                rows[view.table.key_of(old)] = None
            if new is not None:
                rows[view.table.key_of(new)] = new

    def _consequences(self, aggregate: Aggregate[Any, Any, Any], recorded: Recorded[Any]) -> None:
        for claim in aggregate.decider.claims(recorded.event):
            if isinstance(claim, Release):  # releases are carried out first: what was taken before in this batch is gone too
                mine = recorded.stream, claim.kind
                self.commit.claims = [(s, c) for s, c in self.commit.claims if not (isinstance(c, Take | TakeSlot) and (s, c.kind) == mine)]
            self.commit.claims.append((recorded.stream, claim))
        for timer in aggregate.decider.timers(recorded.event):
            key = f"{recorded.stream}/{timer.key}"
            self.commit.timers = [row for row in self.commit.timers if row.key != key]
            match timer:
                case Unschedule():
                    self.commit.unscheduled.append(key)
                case Schedule():
                    self.commit.timers.append(self._timer(key, timer, recorded))

    def _timer(self, key: str, timer: Schedule, recorded: Recorded[Any]) -> TimerRow:
        name, _, data = self.folder.stored.encode(timer.command)
        caused = replace(recorded.meta, causation_id=str(recorded.id), actor="system")
        return TimerRow(
            key=key,
            due_at=timer.at or recorded.occurred_at,
            stream=timer.to or recorded.stream,
            type=name,
            data=data.decode(),
            meta=_json.encode(caused).decode(),
        )

    def _publish(self, aggregate: Aggregate[Any, Any, Any], state: Any, recorded: Recorded[Any]) -> str | None:
        rows = told(aggregate, state, recorded)
        self.commit.outbox += rows
        return f"{self.folder.stored.context}/{recorded.stream}@{rows[-1].sequence}" if rows else None


class _Attributes(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What CloudEvents calls the circumstances of an event; those unknown are left out."""

    time: datetime
    storeid: str | None = None
    authid: str
    correlationid: str
    causationid: UUID
    traceparent: str | None = None


def told(aggregate: Aggregate[Any, Any, Any], state: Any, recorded: Recorded[Any]) -> list[OutboxRow]:
    """What an event tells everybody, by the state after it; the same each time."""
    publics = aggregate.publish(recorded.event, state)
    if not publics:
        return []
    meta = recorded.meta
    attributes = _Attributes(
        time=recorded.occurred_at,
        storeid=meta.store_id,
        authid=meta.actor,
        correlationid=meta.correlation_id,
        causationid=recorded.id,
        traceparent=meta.traceparent,
    )
    headers, rows = _json.encode(attributes).decode(), []
    for index, public in enumerate(publics):
        name = published_name(public)
        row = OutboxRow(
            id=public_id(recorded.id, name, index),
            stream=recorded.stream,
            sequence=sequence(recorded.version, index),
            type=name,
            data=_json.encode(public).decode(),
            headers=headers,
        )
        rows.append(row)
    return rows
