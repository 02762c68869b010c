"""Load, fold, decide, append; again on a lost race, once per idempotency key. Concurrent commands of a process share a commit."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import structlog

from shared.bus.heard import Effect, Heard, Send
from shared.decider import Rejected
from shared.deciding import Batch, Folded, Folder, Order
from shared.events.envelope import Meta
from shared.store.protocol import Answer, Conflict, Key, Store, Taken, TimerRow, Transaction, Unavailable
from shared.views.table import Change, Drop, Put

log = structlog.get_logger()
_meta = msgspec.json.Decoder(Meta)

GROUP = 32
"""Commands of one shared commit; two groups overlap, one in Python while the other commits."""
GROUPS = 2
CACHED = 20_000
TRIES = 20

type Prepare = Callable[[Any, Transaction], Awaitable[Any]]
"""Fills what a timer's or listener's command must know from reference tables, before it is decided."""


class KeyReused(Exception):
    """The idempotency key was used for another body."""


class InFlight(Exception):
    """The first copy of this request has not been answered within five seconds."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """The gapless series and business day a command takes its number from."""

    series: str
    day: date


@dataclass(frozen=True, kw_only=True)
class Request:
    """A command on its way. `command` is a function of the number when one is taken."""

    order: Order
    command: Any
    key: Key | None = None
    body_hash: str = ""
    status: int = 200
    number: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """The answer to a command: the stream's new version, and the mark a reader elsewhere may wait for."""

    stream: str
    version: int
    status: int = 200
    seen: str | None = None
    repeated: bool = False

    @property
    def id(self) -> str:
        """The id within the stream's name."""
        return self.stream.partition("-")[2]


class Signal:
    """Wakes every listener; each has an event of its own to clear."""

    def __init__(self) -> None:
        self._events: list[asyncio.Event] = []

    def listen(self) -> asyncio.Event:
        """An event that each `give` sets."""
        self._events.append(asyncio.Event())
        return self._events[-1]

    def give(self) -> None:
        """Wakes all."""
        for event in self._events:
            event.set()


@dataclass
class _Waiting:
    request: Request
    future: "asyncio.Future[Done]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Handler:
    """All commands of one process of a service."""

    def __init__(self, store: Store, folder: Folder, prepare: Mapping[type, Prepare] | None = None) -> None:
        self.store = store
        self.folder = folder
        self.prepare = dict(prepare or {})
        self.appended = Signal()
        """Given after each append: wakes relay and timers of this process."""
        self._queue: deque[_Waiting] = deque()
        self._busy: set[str] = set()
        self._work = asyncio.Event()
        self._hints: OrderedDict[str, Folded] = OrderedDict()
        self._taken: OrderedDict[UUID | str, Taken] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Starts the writers."""
        self._tasks = [asyncio.create_task(self._write()) for _ in range(GROUPS)]

    async def stop(self) -> None:
        """Lets accepted commands finish, then stops the writers."""
        while self._queue or self._busy:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handle(self, request: Request) -> Done:
        """One command. Raises Rejected, NotFound, VersionConflict, KeyReused, InFlight or Unavailable (outcome unknown)."""
        if request.number is not None:
            return await self._numbered(request)
        waiting = _Waiting(request)
        self._queue.append(waiting)
        self._work.set()
        try:
            return await asyncio.wait_for(asyncio.shield(waiting.future), 5)
        except TimeoutError:
            raise InFlight from None

    # --- one group after the other -------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            batch = self._next_group()
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            mine = {w.request.order.stream for w in batch} | {_scope(w.request) for w in batch}
            self._busy |= mine
            try:
                await self._group(batch)
            except Exception as error:
                for waiting in batch:
                    if not waiting.future.done():
                        waiting.future.set_exception(error)
            finally:
                self._busy -= mine
                self._work.set()

    def _next_group(self) -> list[_Waiting]:
        """Up to GROUP commands; one stream, and one key, is in one group at a time and once in it."""
        batch: list[_Waiting] = []
        later: list[_Waiting] = []
        seen = set(self._busy)
        while self._queue and len(batch) < GROUP:
            waiting = self._queue.popleft()
            names = {waiting.request.order.stream, _scope(waiting.request)}
            (batch if seen.isdisjoint(names) else later).append(waiting)
            seen |= names
        self._queue.extendleft(reversed(later))
        return batch

    async def _group(self, waiting: list[_Waiting]) -> None:
        """Optimistic first: cached states, no key lookup. Whatever is not a plain success is decided alone, on loaded state."""
        held = await self._held([w.request for w in waiting])
        batch, won = Batch(self.folder, held), []
        alone: list[_Waiting] = []
        for w in waiting:
            try:
                events = batch.decide(w.request.order, w.request.command)
            except Exception:  # a refusal on a guess, or a command that fails: not the others' business
                alone.append(w)
                continue
            if events:
                won.append((w, self._record(batch, w.request, w.request.command, events)))
            else:
                alone.append(w)
        if won:
            try:
                await self.store.append(batch.commit)
            except (Conflict, Taken):
                alone += [w for w, _ in won]
            else:
                self.appended.give()
                for w, done in won:
                    self._hint(w.request.order.stream, batch.held[w.request.order.stream])
                    if not w.future.done():
                        w.future.set_result(done)
        for w in alone:
            await self._alone(w)

    async def _alone(self, waiting: _Waiting) -> None:
        try:
            done = await self._single(waiting.request)
        except Exception as error:
            if not waiting.future.done():
                waiting.future.set_exception(error)
        else:
            if not waiting.future.done():
                waiting.future.set_result(done)

    async def _single(self, request: Request) -> Done:
        """One command on loaded state and with its key looked up; again on a lost race."""
        for attempt in range(TRIES):
            loaded = await self.store.load([request.order.stream], [request.key] if request.key else [])
            if request.key and (answer := loaded.answers.get(request.key)):
                return repeated(answer, request)
            held = {request.order.stream: self.folder.fold(request.order.stream, loaded.events[request.order.stream])}
            batch = Batch(self.folder, held)
            events = batch.decide(request.order, request.command)
            if not events:
                self._hint(request.order.stream, held[request.order.stream])
                return Done(stream=request.order.stream, version=held[request.order.stream].version, status=request.status)
            done = self._record(batch, request, request.command, events)
            try:
                await self.store.append(batch.commit)
            except Conflict:
                self._hints.pop(request.order.stream, None)
                await asyncio.sleep(0.002 * attempt)
                continue
            except Taken as taken:
                if request.key and (await self.store.load([], [request.key])).answers:
                    continue
                raise Rejected(taken.claim.problem, taken.claim.reason) from None
            self.appended.give()
            self._hint(request.order.stream, batch.held[request.order.stream])
            return done
        raise Unavailable

    async def _held(self, requests: list[Request]) -> dict[str, Folded]:
        held: dict[str, Folded] = {}
        missing = []
        for stream in {request.order.stream for request in requests}:
            if hint := self._hints.get(stream):
                held[stream] = hint.copy()
            else:
                missing.append(stream)
        if missing:
            loaded = await self.store.load(missing)
            held |= {stream: self.folder.fold(stream, events) for stream, events in loaded.events.items()}
        return held

    def _hint(self, stream: str, folded: Folded) -> None:
        """A state worth a guess: the primary key (stream, version) judges it."""
        self._hints[stream] = folded
        self._hints.move_to_end(stream)
        if len(self._hints) > CACHED:
            self._hints.popitem(last=False)

    def _record(self, batch: Batch, request: Request, command: Any, events: list[Any]) -> Done:
        stream = request.order.stream
        seen = batch.record(request.order, events, command.at)
        version = batch.held[stream].version
        if request.key is not None:
            answer = Answer(key=request.key, body_hash=request.body_hash, status=request.status, stream=stream, version=version, seen=seen)
            batch.commit.answers.append(answer)
        return Done(stream=stream, version=version, status=request.status, seen=seen)

    # --- transactions of their own -------------------------------------------------------------------------------

    async def _numbered(self, request: Request) -> Done:
        """A command that takes a number holds its series until it commits: never in a shared commit."""
        assert request.number is not None
        for attempt in range(TRIES):
            try:
                async with self.store.begin() as tx:
                    loaded = await tx.load([request.order.stream], [request.key] if request.key else [])
                    if request.key and (answer := loaded.answers.get(request.key)):
                        return repeated(answer, request)
                    n = await tx.number(request.number.series, request.number.day)
                    command = request.command(n)
                    stream = request.order.stream
                    batch = Batch(self.folder, {stream: self.folder.fold(stream, loaded.events[stream])})
                    events = batch.decide(request.order, command)
                    if not events:
                        raise _AlreadySo(batch.held[stream].version)
                    done = self._record(batch, request, command, events)
                    await tx.append(batch.commit)
            except Conflict:
                await asyncio.sleep(0.002 * attempt)
            except _AlreadySo as same:
                return Done(stream=request.order.stream, version=same.version, status=request.status)
            except Taken as taken:
                if request.key and (await self.store.load([], [request.key])).answers:
                    continue
                raise Rejected(taken.claim.problem, taken.claim.reason) from None
            else:
                self._hints.pop(request.order.stream, None)
                self.appended.give()
                return done
        raise Unavailable

    async def apply(self, tx: Transaction, heard: list[tuple[Heard, list[Effect]]], consumer: str = "") -> None:
        """The effects of public events, within the consumer's transaction. Taken comes out once and is a refusal the next time."""
        sends = [(h, effect) for h, effects in heard for effect in effects if isinstance(effect, Send)]
        streams = {send.to for _, send in sends}
        loaded = await tx.load(streams)
        batch = Batch(self.folder, {stream: self.folder.fold(stream, events) for stream, events in loaded.events.items()})
        await self._changes(tx, batch, heard)
        for h, send in sends:
            meta = Meta(
                actor=h.actor,
                store_id=h.store_id,
                correlation_id=h.correlation_id,
                causation_id=str(h.id),
                traceparent=h.traceparent,
            )
            await self._follow(tx, batch, Order(stream=send.to, meta=meta), send, h.id)
        await self._append_or_remember(tx, batch, heard[0][0].id if len(heard) == 1 else None)
        for stream in streams:
            self._hints.pop(stream, None)
        self.appended.give()

    async def _follow(self, tx: Transaction, batch: Batch, order: Order, send: Send, cause: UUID | str) -> None:
        command = send.command
        if prepare := self.prepare.get(type(command)):
            command = await prepare(command, tx)
        try:
            events = batch.decide(order, command)
            self._refuse_taken(batch, order, events, cause)
        except Rejected as no:
            refusal = send.refused(no) if send.refused else None
            log.info("command refused", stream=order.stream, command=type(command).__name__, problem=no.problem)
            events = [refusal] if refusal is not None else []
        if events:
            batch.record(order, events, command.at)

    def _refuse_taken(self, batch: Batch, order: Order, events: list[Any], cause: UUID | str) -> None:
        """A claim that was found taken when this cause was first tried is a refusal now."""
        taken = self._taken.get(cause)
        claims = batch.folder.of(order.stream).decider.claims
        if taken and any(claim == taken.claim for event in events for claim in claims(event)):
            del self._taken[cause]
            raise Rejected(taken.claim.problem, taken.claim.reason)

    async def _append_or_remember(self, tx: Transaction, batch: Batch, cause: UUID | str | None) -> None:
        """Of many causes nobody knows whose claim was taken: they are tried again one by one, and then it is known."""
        try:
            await tx.append(batch.commit)
        except Taken as taken:
            if cause is not None:
                self._taken[cause] = taken
                if len(self._taken) > 1_000:
                    self._taken.popitem(last=False)
            raise

    async def _changes(self, tx: Transaction, batch: Batch, heard: list[tuple[Heard, list[Effect]]]) -> None:
        """Reference rows: puts and drops as they are, changes in the light of the row they meet."""
        effects = [effect for _, effects in heard for effect in effects]
        wanted: dict[Any, set[tuple[Any, ...]]] = {}
        for effect in effects:
            if isinstance(effect, Change):
                wanted.setdefault(effect.table, set()).add(effect.key)
        rows = {table: await tx.lock(table, keys) for table, keys in wanted.items()}
        for effect in effects:
            match effect:
                case Put(table=table, row=row):
                    rows.setdefault(table, {})[table.key_of(row)] = row
                    batch.commit.puts.setdefault(table, {})[table.key_of(row)] = row
                case Drop(table=table, key=key):
                    rows.setdefault(table, {}).pop(key, None)
                    batch.commit.puts.setdefault(table, {})[key] = None
                case Change(table=table, key=key, apply=apply):
                    changed = apply(rows.setdefault(table, {}).get(key))
                    batch.commit.puts.setdefault(table, {})[key] = changed
                    if changed is None:
                        rows[table].pop(key, None)
                    else:
                        rows[table][key] = changed

    async def fire(self, tx: Transaction, timers: list[TimerRow]) -> None:
        """Due timers, handled and deleted within the transaction that claimed them."""
        loaded = await tx.load({timer.stream for timer in timers})
        batch = Batch(self.folder, {stream: self.folder.fold(stream, events) for stream, events in loaded.events.items()})
        for timer in timers:
            batch.commit.unscheduled.append(timer.key)
            command = self.folder.stored.decode(timer.type, 1, timer.data.encode())
            order = Order(stream=timer.stream, meta=_meta.decode(timer.meta))
            await self._follow(tx, batch, order, Send(to=timer.stream, command=command), timer.key)
        await self._append_or_remember(tx, batch, timers[0].key if len(timers) == 1 else None)
        for timer in timers:
            self._hints.pop(timer.stream, None)
        self.appended.give()


class _AlreadySo(Exception):
    """Rolls the number back: the command changed nothing."""

    def __init__(self, version: int) -> None:
        self.version = version


def repeated(answer: Answer, request: Request) -> Done:
    """The first answer again. KeyReused when the body differs."""
    if answer.body_hash != request.body_hash:
        raise KeyReused
    return Done(stream=answer.stream, version=answer.version, status=answer.status, seen=answer.seen, repeated=True)


def _scope(request: Request) -> str:
    """A name no stream has, for the key's place in a group."""
    return f"{request.key.subject} {request.key.route} {request.key.key}" if request.key else f" {id(request)}"
