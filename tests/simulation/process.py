"""One process of a service: the kit's own relay, consumer, timers and handler, until it is killed; then another one starts."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from shared.bus.consumer import Consumer
from shared.bus.relay import Relay
from shared.deciding import Folder
from shared.handling import Done, Handler, Request
from shared.processes.timers import Timers
from shared.service import Service
from shared.testing.overlapping import OverlappingStore
from tests.simulation.faults import Faults
from tests.simulation.lines import BusLine, StoreLine

if TYPE_CHECKING:
    from tests.simulation.world import World

FROZEN = 8.0
"""Seconds a stopped process stays so, beyond two: longer than any lease and session, as a rule."""
DOWN = 2.0


class Lost(Exception):
    """The process died before it answered."""


@dataclass(frozen=True)
class Kit:
    """The parts under test; each known bug is another one of them."""

    services: tuple[Service, ...]
    store: type[OverlappingStore] = OverlappingStore
    relay: type[Relay] = Relay
    consumer: type[Consumer] = Consumer
    handler: type[Handler] = Handler
    instead: tuple[tuple[str, Any], ...] = ()
    """Names in modules, and what is there in their place."""


@dataclass(eq=False)
class Process:
    """`service` on the world's database and Kafka."""

    world: "World"
    service: Service
    number: int
    alive: bool = True
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _thawed: asyncio.Event | None = None

    def start(self) -> None:
        """All parts, as the runtime puts them together."""
        kit, service = self.world.kit, self.service
        self.store = cast(Any, StoreLine(self.world.stores[service.context], self, self._deposed))
        self.bus = cast(Any, BusLine(self.world.bus, self))
        self.handler = kit.handler(self.store, Folder(service.stored, service.aggregates), service.prepare)
        self.spawn(self.handler.start())
        self.work(Timers(self.store, self.handler).run())
        self.consumer = kit.consumer(
            service.context,
            self.store,
            self.bus,
            [topic for topic in service.topics if topic in self.world.stores],
            service.listen,
            self.handler.apply,
            tries=2,
        )
        self.work(self.consumer.run())
        if service.aggregates:
            wake = self.handler.told.listen() if self.chance(0.5) else None  # else as for another process's rows
            relay = kit.relay(
                self.store, self.bus, service.context, UUID(int=self.number), wake=wake, batch=3, poll=1.5, lease=3.0, tick=5.0
            )
            self.work(relay.run())

    def _deposed(self) -> None:
        self.world.wrong.append(f"{self.service.context}: outbox rows deleted by who no longer leads")

    def spawn[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that dies with the process."""
        task = asyncio.create_task(work)
        self.tasks.append(task)
        return task

    def work(self, part: Coroutine[Any, Any, None]) -> None:
        """A part that goes on for as long as the process lives; its own end would be the end of all."""
        self.spawn(part).add_done_callback(self._ended)

    def _ended(self, part: asyncio.Task[None]) -> None:
        if not part.cancelled() and (error := part.exception()):
            self.world.wrong.append(f"{self.service.context}: a part ended with {error!r}")

    async def serve(self, request: Request) -> Done:
        """A command over HTTP. Lost when the process dies first, else what the handler says."""
        task = self.spawn(self.handler.handle(request))
        await asyncio.wait([task])
        if task.cancelled():
            raise Lost
        return task.result()

    async def cross(self, failure: type[Exception]) -> None:
        """A message to a server or back: it takes its time, fails, or is the last thing this process knows of."""
        if not self.alive:
            raise asyncio.CancelledError
        if (odds := self.odds()) is None:
            return
        self.world.crossings += 1
        luck = self.world.dice.random()
        if luck < odds.crash:
            self.kill()
            raise asyncio.CancelledError
        luck -= odds.crash
        if luck < odds.failure:
            raise failure
        luck -= odds.failure
        if luck < odds.freeze:
            self.freeze()
        elif luck < odds.freeze + odds.slow:
            await asyncio.sleep(self.world.dice.expovariate(1 / odds.delay))
        while self._thawed is not None:
            await self._thawed.wait()
        if not self.alive:
            raise asyncio.CancelledError

    def odds(self) -> Faults | None:
        """The chances of faults; None while all is calm."""
        return self.world.odds

    def chance(self, odds: float) -> bool:
        """The seed's next yes or no."""
        return self.world.dice.random() < odds

    def within(self, most: float) -> float:
        """The seed's next number below `most`."""
        return self.world.dice.random() * most

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that goes on whatever becomes of this process."""
        self.world.beside.append(asyncio.create_task(work))

    def kill(self) -> None:
        """As kill -9 does: no line of it has an effect from here on. Somebody restarts it."""
        if not self.alive:
            return
        self.alive = False
        self.thaw()
        for task in (*self.tasks, *self.handler._tasks):
            task.cancel()
        self.beside(self.world.restart(self, self.within(DOWN)))

    def freeze(self) -> None:
        """As SIGSTOP does, and SIGCONT some time later."""
        if self._thawed is None:
            self._thawed = asyncio.Event()
            self.beside(self._continue(2 + self.within(FROZEN)))

    async def _continue(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.thaw()

    def thaw(self) -> None:
        """Goes on where it stopped."""
        if self._thawed is not None:
            self._thawed.set()
            self._thawed = None
