"""A small group of dealers: three services and a reader of everything, each with its database, one Kafka, and people who sell cars."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import structlog

from services.finance.app import service as finance
from services.inventory.app import service as inventory
from services.orders.app import service as orders
from shared.bus.heard import Effect, Heard
from shared.bus.memory import MemoryBus
from shared.bus.parked import retry
from shared.bus.protocol import Message
from shared.events.registry import Registry
from shared.service import Service
from shared.store.protocol import Conflict, Taken, Unavailable
from shared.testing.overlapping import OverlappingStore
from shared.views.table import Change, Table
from tests.simulation import loop, oracle
from tests.simulation.faults import Faults, faults
from tests.simulation.process import Kit, Process
from tests.simulation.sales import Client, Deed, people

MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
LONGEST = 400.0
"""Seconds after which the people give up; a run takes about thirty."""
SETTLES_WITHIN = 90.0
SICK = 3.0
"""Seconds after which what the reader could not take is repaired, at most."""


@dataclass(frozen=True)
class Shelf:
    """The sequences of one stream in the order the reader heard them."""

    stream: str
    numbers: tuple[int, ...]


shelves: Table[Shelf] = Table(name="shelves", version=1, row=Shelf, key=("stream",), store=None)
KIT = Kit(services=(orders, inventory, finance))


class WatchedBus(MemoryBus):
    """Kafka with a list of what arrived, in order."""

    def __init__(self) -> None:
        super().__init__(partitions=2, most=9)
        self.arrived: list[tuple[str, str, int]] = []
        """Topic, stream and sequence of each public event."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Appends in order."""
        await super().publish(topic, messages)
        for message in messages:
            sequence = next(int(value) for name, value in message.headers if name == "ce_sequence")
            self.arrived.append((topic, (message.key or b"").decode(), sequence))


@dataclass(eq=False)
class World:
    """One run of one seed."""

    seed: int
    kit: Kit = KIT
    wrong: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    crossings: int = 0
    kills: int = 0
    beside: list[asyncio.Task[Any]] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.weather = faults(self.dice)
        self.odds: Faults | None = self.weather
        self._ids = 0
        self._leap = timedelta(0)
        self._cured: dict[UUID, float] = {}

    def now(self) -> datetime:
        """The time on every clock."""
        return MORNING + self._leap + timedelta(seconds=asyncio.get_running_loop().time())

    def new_id(self) -> str:
        """As UUIDv7: later ids sort after earlier ones."""
        self._ids += 1
        return f"0197a000-0000-7000-8000-{self._ids:012x}"

    def run(self) -> list[str]:
        """What is wrong in the end."""
        with quiet(), self._determined():
            return loop.run(self._run())

    @contextmanager
    def _determined(self) -> Iterator[None]:
        """Ids and moments come from the seed wherever the kit asks the machine for them."""
        with ExitStack() as patches:
            for name in ("shared.store.memory.uuid4", "shared.bus.memory.uuid4", "shared.bus.cloudevents.uuid4"):
                patches.enter_context(patch(name, lambda: UUID(self.new_id())))
            patches.enter_context(patch("shared.deciding.new_uuid", lambda: UUID(self.new_id())))
            for name, other in self.kit.instead:
                patches.enter_context(patch(name, other))
            for pause in ("shared.processes.timers.POLL", "shared.bus.consumer._IDLE"):
                patches.enter_context(patch(pause, 8.0))
            yield

    async def _run(self) -> list[str]:
        reading = Service(
            context="reading",
            stored=Registry("reading", {}),
            topics=("orders", "inventory", "finance"),
            listen=self._read,
            tables=(shelves,),
        )
        self.services = {service.context: service for service in (*self.kit.services, reading)}
        self.stores: dict[str, OverlappingStore] = {context: self.kit.store(self.now) for context in self.services}
        self.bus = WatchedBus()
        for service in self.services.values():
            for _ in range(self.dice.choice((1, 1, 2))):
                self._start(service)
        self.beside += [asyncio.create_task(work) for work in (self._operator(), self._leaps())]
        try:
            async with asyncio.timeout(LONGEST):
                sellers = await people(self)
                self._calm()
                await self._settle()
                for seller in sellers:
                    await seller.close()
                await self._settle()
        except TimeoutError:
            self.wrong.append("the people have not come to an end")
        self.time = asyncio.get_running_loop().time()
        return self.wrong or oracle.faults(self)

    def _start(self, service: Service) -> None:
        process = Process(self, service, len(self.processes) + 1)
        self.processes.append(process)
        process.start()

    async def restart(self, dead: Process, seconds: float) -> None:
        """Another process in place of one that was killed."""
        self.kills += 1
        await asyncio.sleep(seconds)
        self._start(dead.service)

    def any(self, context: str) -> Process | None:
        """A process of the service that takes commands, if one lives."""
        living = [process for process in self.processes if process.alive and process.service.context == context]
        return self.dice.choice(living) if living else None

    def client(self) -> Client:
        """Somebody with a browser."""
        return Client(self)

    def version(self, context: str, stream: str) -> int:
        """How many events a stream has now."""
        return len(self.stores[context].data.events.get(stream, ()))

    # --- what happens beside the sales -----------------------------------------------------------------------------

    def _read(self, heard: Heard) -> list[Effect]:
        """The reader keeps everything; now and then there is something it cannot take, until it is repaired."""
        now = asyncio.get_running_loop().time()
        if heard.id not in self._cured:
            bad = self.odds is not None and self.dice.random() < self.odds.poison
            self._cured[heard.id] = now + SICK * self.dice.random() if bad else now
        if self.odds and now < self._cured[heard.id]:
            raise ValueError("not understood")
        return [Change(shelves, (heard.stream,), lambda old: Shelf(heard.stream, (*(old.numbers if old else ()), heard.sequence)))]

    async def _operator(self) -> None:
        """Has what is parked tried again, over and over."""
        while True:
            await asyncio.sleep(0.1 + 0.5 * self.dice.random())
            await self._retry()

    async def _retry(self) -> None:
        for context in self.services:
            process = self.any(context)
            parked = self.stores[context].data.inbox.get("parked", {}).values()
            for source, stream in dict.fromkeys((message.source, message.stream) for message in parked):
                if process and process.alive:
                    work = process.spawn(retry(process.store, context, source, stream, process.service.listen, process.handler.apply))
                    await asyncio.wait([work])
                    if not work.cancelled() and (error := work.exception()) and not isinstance(error, PASSING):
                        self.wrong.append(f"{context}: retry of {stream}: {error!r}")

    async def _leaps(self) -> None:
        """A day passes at once."""
        if self.weather.leap:
            await asyncio.sleep(2 + 8 * self.dice.random())
            self._leap += timedelta(hours=25)

    # --- until nothing moves ---------------------------------------------------------------------------------------

    def _calm(self) -> None:
        self.odds = None
        for process in self.processes:
            process.thaw()

    async def _settle(self) -> None:
        until = asyncio.get_running_loop().time() + SETTLES_WITHIN
        while moving := self._moving():
            if asyncio.get_running_loop().time() > until:
                self.wrong.append(f"not settled: {moving[:5]}")
                return
            await asyncio.sleep(1)

    def _moving(self) -> list[str]:
        found = [f"{context}: unsent {row.stream}" for context, store in self.stores.items() for row in store.data.outbox]
        now, last = self.now(), self.published()
        for context, store in self.stores.items():
            found += [f"{context}: due {key}" for key, timer in store.data.timers.items() if timer.due_at <= now]
            found += [f"{context}: parked {message.stream}: {message.cause}" for message in store.data.inbox.get("parked", {}).values()]
            hears = set(self.services[context].topics)
            marks = store.data.marks
            found += [
                f"{context}: not heard {stream}@{n}"
                for (source, stream), n in last.items()
                if source in hears and marks.get((context, source, stream), -1) < n
            ]
        return found

    def published(self) -> dict[tuple[str, str], int]:
        """The highest sequence that arrived, per context and stream."""
        last: dict[tuple[str, str], int] = {}
        for topic, stream, sequence in self.bus.arrived:
            key = topic.rpartition(".")[2], stream
            last[key] = max(sequence, last.get(key, -1))
        return last

    def fingerprint(self) -> str:
        """What tells two runs apart."""
        events = [row for store in self.stores.values() for history in store.data.events.values() for row in history]
        return repr((self.crossings, self.time, sorted(map(repr, events)), self.bus.arrived))


PASSING = (Unavailable, Conflict, Taken, ValueError)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged: whatever goes wrong on the way is meant to."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(**before)
