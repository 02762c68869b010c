"""Several services in one process: real stores, handlers, relays, consumers and timers; only Kafka and the clock are played."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from psycopg.rows import dict_row

from shared.bus.consumer import Consumer
from shared.bus.memory import MemoryBus
from shared.bus.protocol import Place, topic_of
from shared.bus.relay import Relay
from shared.deciding import Order
from shared.events.envelope import Meta
from shared.handling import Done, InFlight, Number, Request
from shared.ops.settings import Settings
from shared.processes.timers import Timers
from shared.runtime import Runtime, migrate, runtime
from shared.service import Service
from shared.store.postgres import PostgresTransaction
from shared.store.protocol import Key, Unavailable
from shared.testing.servers import Servers
from shared.values.ids import new_id
from shared.web.app import create_app
from shared.web.tests.client import Client
from shared.web.tests.example import PUBLIC, SECRET, bearer

AT_ONCE = 64
"""Commands asked of one service at a time."""
NUMBERED_AT_ONCE = 2
"""Of those that take a number, each in a transaction of its own: the other connections of the pool are for everybody else."""
MANY = 200
"""Timers fired together."""
PATIENCE = 300.0
TRIES = 10
POLL = 0.5
"""Seconds after which timers are looked at whatever was written."""
NO_WATERMARKS = 86_400.0
"""Seconds between two of them: what nobody waits for would never be heard to its end."""


class Clock:
    """Timers are due by this clock. A test turns it; from there it goes on."""

    def __init__(self, now: datetime) -> None:
        self.turn(now)

    def turn(self, now: datetime) -> None:
        """It is `now`."""
        self._since = now - timedelta(seconds=time.monotonic())

    def now(self) -> datetime:
        """The moment it is."""
        return self._since + timedelta(seconds=time.monotonic())


@dataclass(frozen=True)
class Part:
    """A running service with its ear and its voice."""

    running: Runtime
    consumer: Consumer
    relay: Relay
    plain: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    numbered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(NUMBERED_AT_ONCE))

    def heard(self, place: Place) -> int:
        """How far it has heard a partition."""
        position = self.consumer.positions.get(place)
        return position.next if position else 0


class Bench:
    """The services by context, and what a test asks of them."""

    def __init__(self, parts: Mapping[str, Part], bus: MemoryBus, clock: Clock) -> None:
        self.parts = parts
        self.bus = bus
        self.clock = clock
        self.workers: list[asyncio.Task[None]] = []
        self.pause = 0.01
        """Seconds between what a service writes and what follows of it: the longer, the more is done together."""
        self._by_category = {category: part for part in parts.values() for category in part.running.handler.folder.aggregates}

    async def do(
        self,
        category: str,
        id: str,
        command: object | Callable[[int], object],
        *,
        by: str,
        store_id: str | None = None,
        number: Number | None = None,
    ) -> Done:
        """A command of a person, as a route gives it to the handler; asked again under its key while nobody answers. Raises Rejected."""
        part = self._by_category[category]
        order = Order(stream=f"{category}-{id}", meta=Meta(actor=by, store_id=store_id, correlation_id=id))
        request = Request(order=order, command=command, key=Key(subject=by, route=category, key=new_id()), number=number)
        async with part.numbered if number else part.plain:
            for _ in range(TRIES):
                try:
                    return await part.running.handler.handle(request)
                except (InFlight, Unavailable):
                    await asyncio.sleep(self.pause)
        raise AssertionError(f"{type(command).__name__} was not answered {TRIES} times")

    async def rows(self, context: str, sql: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Rows as role reader sees them for somebody who works for every store."""
        async with self.parts[context].running.reader.connection() as conn, conn.transaction():
            await conn.execute("select set_config('forecourt.stores', '*', true)")
            cursor = conn.cursor(row_factory=dict_row)
            return await (await cursor.execute(cast(Any, sql), params)).fetchall()

    async def count(self, context: str, sql: str, *params: Any) -> int:
        """The one number that a query answers."""
        (row,) = await self.rows(context, sql, params)
        return int(next(iter(row.values())))

    async def get(self, context: str, path: str, *permissions: str) -> Any:
        """The JSON of a route, for somebody who works for every store."""
        running = self.parts[context].running
        answer = await Client(create_app(running.service, running), bearer("owner", permissions, ["*"])).get(f"/api/v1{path}")
        assert answer.status == 200, answer.body
        return answer.json

    async def until(self, true: Callable[[], Awaitable[bool]], what: str) -> None:
        """Waits for what has to be heard first. AssertionError when it does not come about, or a service no longer listens."""
        clock = asyncio.get_running_loop().time
        last = clock() + PATIENCE
        while not await true():
            assert clock() < last, f"{what} did not come about"
            for worker in self.workers:
                assert not worker.done(), worker
            await asyncio.sleep(self.pause)

    async def _work(self, part: Part) -> None:
        """Wakes a service's relay and fires its timers a pause after it has written something, until cancelled."""
        written, timers = part.running.handler.told.listen(), Timers(part.running.store, part.running.handler)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(written.wait(), POLL)
            await asyncio.sleep(self.pause)
            written.clear()
            part.relay.wake.set()
            try:
                while await timers.fire(MANY):
                    pass
            except Unavailable:
                written.set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Relays, consumers and timers at work."""
        for part in self.parts.values():
            self.workers += [asyncio.create_task(work) for work in (part.relay.run(), part.consumer.run(), self._work(part))]
        try:
            yield
        finally:
            for worker in self.workers:
                worker.cancel()
            await asyncio.gather(*self.workers, return_exceptions=True)

    async def settle(self) -> None:
        """Until everything told has been heard and every timer that is due has fired."""
        await self.until(self._quiet, "quiet")

    async def _quiet(self) -> bool:
        told = {place: self._end(place) for context in self.parts for place in self._places(context)}
        for part in self.parts.values():
            if await part.running.store.waiting(1) or await self._due(part):
                return False
        deaf = [
            part
            for part in self.parts.values()
            for place, end in told.items()
            if place.topic in part.consumer.topics and part.heard(place) < end
        ]
        return not deaf and all(self._end(place) == end for place, end in told.items())

    async def _due(self, part: Part) -> bool:
        async with part.running.store.begin() as tx:
            found = await tx.conn.execute("select exists (select from timers where due_at <= %s)", [self.clock.now()])
            return (await found.fetchone()) == (True,)

    def forget(self) -> None:
        """Drops what everybody has heard, as Kafka does after a month."""
        for place in (place for context in self.parts for place in self._places(context)):
            first, end = self.bus.first.get(place, 0), self._end(place)
            heard = min([end, *(part.heard(place) for part in self.parts.values() if place.topic in part.consumer.topics)])
            del self.bus.log(place)[: heard - first]
            self.bus.first[place] = heard

    def _places(self, context: str) -> list[Place]:
        return [Place(topic_of(context), partition) for partition in range(self.bus.partitions)]

    def _end(self, place: Place) -> int:
        return self.bus.first.get(place, 0) + len(self.bus.log(place))


@asynccontextmanager
async def bench(servers: Servers, services: Sequence[Service], clock: Clock) -> AsyncIterator[Bench]:
    """These services at work on fresh databases; what they would tell others goes nowhere."""
    bus = MemoryBus()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(servers.drop_databases)
        stack.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(100_000, 20, 20)  # the objects of all services live in one process
        fired = PostgresTransaction.fired
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(PostgresTransaction, "fired", lambda tx, limit, now=None: fired(tx, limit, now or clock.now()))
        parts = {service.context: await _started(stack, servers, replace(service, vault=False), bus) for service in services}
        made = Bench(parts, bus, clock)
        await stack.enter_async_context(made.working())
        yield made


async def _started(stack: AsyncExitStack, servers: Servers, service: Service, bus: MemoryBus) -> Part:
    writer_url, reader_url = await servers.fresh_database(service.context)
    settings = Settings(
        port=8100,
        writer_url=writer_url,
        reader_url=reader_url,
        kafka="none:1",
        redis_url="redis://none:1",
        internal_public_key=PUBLIC,
        cursor_secret=SECRET,
        index_key=SECRET[::-1],
    )
    await migrate(service, settings)
    running = await stack.enter_async_context(runtime(service, settings))
    relay = Relay(running.store, bus, service.context, uuid4(), poll=1.0, tick=NO_WATERMARKS)
    return Part(running, Consumer(service.context, running.store, bus, service.topics, service.listen, running.handler.apply), relay)
