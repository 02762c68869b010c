"""Load, fold, decide, append; again on a lost race, once per idempotency key. Concurrent commands of a process share a commit."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from shared.decider import Rejected, message
from shared.deciding import Batch, Folded, Folder, Order
from shared.following import Follower, Prepare
from shared.store.protocol import Answer, Conflict, Key, Store, Taken, Unavailable
from shared.waiting import Line, Waiting, next_group

GROUPS = 2
"""Shared commits that overlap, one in Python while the other commits."""
CACHED = 20_000
LONG = 20
"""Events of a stream that nobody wants to read again and again."""
TRIES = 20
IN_LINE = 2
"""Transactions of this process for one series: one that holds it, and the next. All who wait meanwhile are in the next."""
PATIENCE = 5.0
"""Seconds a caller waits for his answer."""


class KeyReused(Exception):
    """The idempotency key was used for another body."""


class InFlight(Exception):
    """The first copy of this request has not been answered within five seconds."""


@message
class Number:
    """The gapless series and business day a command takes its number from."""

    series: str
    day: date


@message
class Request:
    """A command on its way. `command` is a function of the number when one is taken."""

    order: Order
    command: Any
    key: Key | None = None
    body_hash: str = ""
    status: int = 200
    number: Number | None = None


@message
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


class Handler(Follower):
    """All commands of one process of a service: what people ask, and what follows from events and timers."""

    def __init__(self, store: Store, folder: Folder, prepare: Mapping[type, Prepare] | None = None, *, cached: int = CACHED) -> None:
        super().__init__(folder, prepare)
        self.store = store
        self.cached = cached
        """How many states are kept for a guess."""
        self.told = Signal()
        """Given after each append with a public event: wakes the relay of this process."""
        self.scheduled = Signal()
        """Given after each append with a timer that is due at once: wakes the timers of this process, whose poll finds the others."""
        self._queue: deque[Waiting] = deque()
        self._busy: set[str] = set()
        self._work = asyncio.Event()
        self._hints: OrderedDict[str, Folded] = OrderedDict()
        self._lines: dict[Number, Line] = {}
        self._giving: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Starts the writers."""
        self._tasks = [asyncio.create_task(self._write()) for _ in range(GROUPS)]

    async def stop(self) -> None:
        """Lets accepted commands finish, then stops the writers."""
        while self._queue or self._busy or self._giving:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handle(self, request: Request) -> Done:
        """One command. Raises Rejected, NotFound, VersionConflict, KeyReused, InFlight or Unavailable (outcome unknown)."""
        if request.number is not None:
            return await self._numbered(request)
        loop = asyncio.get_running_loop()
        waiting = Waiting(request, loop.create_future())
        self._queue.append(waiting)
        self._work.set()
        late = loop.call_later(PATIENCE, _too_late, waiting)
        try:
            return await waiting.future
        finally:
            late.cancel()

    # --- one group after the other -------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            batch = next_group(self._queue, self._busy)
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            mine = {name for waiting in batch for name in waiting.names}
            self._busy |= mine
            try:
                await self._group(batch)
            except Exception as error:
                for waiting in batch:
                    waiting.fail(error)
            finally:
                self._busy -= mine
                self._work.set()

    async def _group(self, waiting: list[Waiting]) -> None:
        """Optimistic first: cached states, no key lookup. Whatever is not a plain success is decided alone, on loaded state."""
        batch = Batch(self.folder, await self._held([w.request for w in waiting]))
        won: list[tuple[Waiting, Done]] = []
        try:
            alone = [w for w in waiting if not self._guess(batch, w, won)]
            if won:
                await self.store.append(batch.commit)
        except Unavailable:
            raise
        except Exception:  # a lost race, a held claim, or one command that fails: not the others' business
            won, alone = [], waiting
        self._won(batch, won)
        for w in alone:
            await self._alone(w)

    def _won(self, batch: Batch, won: list[tuple[Waiting, Done]]) -> None:
        """After the commit: what came of it is kept for a guess, and everybody is told."""
        if won:
            self.followed(batch)
        for w, done in won:
            self._hint(w.request.order.stream, batch.held[w.request.order.stream])
            w.tell(done)

    def _guess(self, batch: Batch, waiting: Waiting, won: list[tuple[Waiting, Done]]) -> bool:
        """Decides on what may be a cached state; False for a refusal, or for nothing to do, which a guess never answers."""
        request = waiting.request
        try:
            events = batch.decide(request.order, request.command)
        except Exception:
            return False
        if events:
            won.append((waiting, self._record(batch, request, request.command, events)))
        return bool(events)

    async def _alone(self, waiting: Waiting) -> None:
        request = waiting.request
        try:
            done = await (self._single(request) if request.number is None else self._with_number(request, request.number))
        except Exception as error:
            waiting.fail(error)
        else:
            waiting.tell(done)

    async def _single(self, request: Request) -> Done:
        """One command on loaded state and with its key looked up; again on a lost race."""
        for attempt in range(TRIES):
            held, answers = await self.read(self.store, [request.order.stream], [request.key] if request.key else [])
            if request.key and (answer := answers.get(request.key)):
                return repeated(answer, request)
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
            self.followed(batch)
            self._hint(request.order.stream, batch.held[request.order.stream])
            return done
        raise Unavailable

    def known(self, streams: Collection[str]) -> dict[str, Folded]:
        """States at hand, as some commit left them."""
        return {stream: hint.copy() for stream in streams if (hint := self._hints.get(stream))}

    async def _held(self, requests: list[Request]) -> dict[str, Folded]:
        held = self.known([request.order.stream for request in requests])
        missing = []
        for order in (request.order for request in requests if request.order.stream not in held):
            if order.new:
                held[order.stream] = self.folder.fold(order.stream, ())
            else:
                missing.append(order.stream)
        return held | (await self.read(self.store, missing))[0] if missing else held

    def _hint(self, stream: str, folded: Folded) -> None:
        """A state worth a guess: the primary key (stream, version) judges it."""
        self._hints[stream] = folded
        self._hints.move_to_end(stream)
        if len(self._hints) > self.cached:
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
        """Who waits for his series waits here: each with a connection of his own would leave none for anybody else."""
        assert request.number is not None
        loop, line = asyncio.get_running_loop(), self._lines.setdefault(request.number, Line())
        waiting = Waiting(request, loop.create_future())
        line.waiting.append(waiting)
        if line.busy < IN_LINE:
            line.busy += 1
            giving = asyncio.create_task(self._give(request.number, line))
            self._giving.add(giving)
            giving.add_done_callback(self._giving.discard)
        late = loop.call_later(PATIENCE, line.leave, waiting)
        try:
            return await waiting.future
        finally:
            late.cancel()

    async def _give(self, number: Number, line: Line) -> None:
        """Numbers to all who wait, as many in one transaction as a group has."""
        while line.waiting:
            batch = [waiting for waiting in next_group(line.waiting, ()) if not waiting.future.done()]
            for waiting in await self._together(number, batch):
                await self._alone(waiting)
        line.busy -= 1
        if not line.busy:
            del self._lines[number]

    async def _together(self, number: Number, waiting: list[Waiting]) -> list[Waiting]:
        """As in a group: decided on what may be cached states, and whoever is no plain success takes his number alone."""
        requests = [w.request for w in waiting]
        try:
            batch = Batch(self.folder, await self._held(requests))
            sure = [w for w in waiting if self._would(batch, w.request)]
            won: list[tuple[Waiting, Done]] = []
            if sure:
                async with self.store.begin() as tx:
                    last = await tx.number(number.series, number.day, len(sure))
                    for n, w in enumerate(sure, last - len(sure) + 1):
                        command = w.request.command(n)
                        won.append((w, self._record(batch, w.request, command, batch.decide(w.request.order, command))))
                    await tx.append(batch.commit)
        except Unavailable as error:
            for w in waiting:
                w.fail(error)
            return []
        except Exception:
            for request in requests:
                self._hints.pop(request.order.stream, None)
            return waiting
        self._won(batch, won)
        return [w for w in waiting if w not in sure]

    def _would(self, batch: Batch, request: Request) -> bool:
        """Whether a command is a plain success, whatever its number."""
        try:
            return bool(batch.decide(request.order, request.command(1)))
        except Exception:
            return False

    async def _with_number(self, request: Request, number: Number) -> Done:
        """A command that takes a number alone, on loaded state and with its key looked up; again on a lost race."""
        stream = request.order.stream
        for attempt in range(TRIES):
            held, answers = await self.read(self.store, [stream], [request.key] if request.key else [])
            if request.key and (answer := answers.get(request.key)):
                return repeated(answer, request)
            try:
                return await self._in_series(request, number, held)
            except Conflict:
                await asyncio.sleep(0.002 * attempt)
            except _AlreadySo:
                return Done(stream=stream, version=held[stream].version, status=request.status)
            except Taken as taken:
                if request.key and (await self.store.load([], [request.key])).answers:
                    continue
                raise Rejected(taken.claim.problem, taken.claim.reason) from None
        raise Unavailable

    async def _in_series(self, request: Request, number: Number, held: dict[str, Folded]) -> Done:
        """Holds the series from the number to the commit: never in a shared commit, and given back by whatever goes wrong."""
        batch = Batch(self.folder, held)
        async with self.store.begin() as tx:
            command = request.command(await tx.number(number.series, number.day))
            events = batch.decide(request.order, command)
            if not events:
                raise _AlreadySo
            done = self._record(batch, request, command, events)
            await tx.append(batch.commit)
        self.followed(batch)
        self._hint(request.order.stream, batch.held[request.order.stream])
        return done

    def followed(self, batch: Batch) -> None:
        """After a commit: its states are kept where somebody guesses or much would have to be read, and whoever has something to do is woken."""
        for stream, folded in batch.held.items():
            hint = self._hints.get(stream)
            if folded.version >= (hint.version if hint else LONG):
                self._hint(stream, folded)
        commit = batch.commit
        if commit.outbox:
            self.told.give()
        if commit.timers and min(timer.due_at for timer in commit.timers) <= max(event.occurred_at for event in commit.events):
            self.scheduled.give()


class _AlreadySo(Exception):
    """Rolls the number back: the command changed nothing."""


def _too_late(waiting: Waiting) -> None:
    """The answer is late: the caller is told so, the command goes on."""
    waiting.fail(InFlight())


def repeated(answer: Answer, request: Request) -> Done:
    """The first answer again. KeyReused when the body differs."""
    if answer.body_hash != request.body_hash:
        raise KeyReused
    return Done(stream=answer.stream, version=answer.version, status=answer.status, seen=answer.seen, repeated=True)
