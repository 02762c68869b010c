"""From a command's commit to its row in reporting, at a steady pace: ours, and the bare way through an outbox and Kafka."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.bench import model, raw
from deploy.bench.measure import Contender, Contenders, Goal, Results, Took
from deploy.bench.place import Place, handling, opened
from deploy.local.process import Problem
from deploy.local.setup import PARTITIONS
from services.reporting.app import service
from shared.bus.consumer import Consumer
from shared.bus.heard import Effect, Heard
from shared.bus.kafka import KafkaBus
from shared.bus.relay import Relay
from shared.deciding import Folder
from shared.events.envelope import sequence
from shared.handling import Handler
from shared.runtime import RELAY_POLL
from shared.store.protocol import Transaction
from shared.testing.tasks import at_work
from shared.values.ids import new_id

RATE = 50
PATIENCE = 10
"""Seconds until the last command must be seen."""
SETTLE = 5
"""Seconds for a consumer to be given its partitions."""
OURS, RAW = "ours, service to reporting", "raw outbox, Kafka, projector"


def _slower(percentile: str) -> Goal:
    def value(results: Results) -> float:
        waits: list[list[float]] = [getattr(results[name], percentile) for name in (OURS, RAW)]
        return statistics.median(waits[0]) / statistics.median(waits[1])

    return Goal(text=f"{percentile} of {OURS} ÷ {RAW}", value=value, most=2)


GOALS = (_slower("p50"), _slower("p99"))


class Sight:
    """When each command was committed, and when it could first be seen."""

    def __init__(self) -> None:
        self.committed: dict[str, float] = {}
        self.seen: dict[str, float] = {}

    def see(self, ids: Sequence[str]) -> None:
        """These can be seen from now on."""
        now = time.perf_counter()
        for id in ids:
            self.seen.setdefault(id, now)

    def at_a_pace(self, command: Callable[[str], Awaitable[Any]]) -> Contender:
        """RATE commands a second, however long one takes. Raises Problem when one is not seen in the end."""

        async def one(id: str) -> None:
            await command(id)
            self.committed[id] = time.perf_counter()

        async def run(seconds: float) -> Took:
            self.committed.clear()
            self.seen.clear()
            began, wanted = time.perf_counter(), max(1, int(RATE * seconds))
            async with asyncio.TaskGroup() as tasks:
                for number in range(wanted):
                    await asyncio.sleep(began + number / RATE - time.perf_counter())
                    tasks.create_task(one(new_id()))
            took, until = time.perf_counter() - began, time.perf_counter() + PATIENCE
            while missing := self.committed.keys() - self.seen.keys():
                if time.perf_counter() > until:
                    raise Problem(f"{len(missing)} of {wanted} commands were not seen within {PATIENCE} s.")
                await asyncio.sleep(0.005)
            waits = [max(0.0, self.seen[id] - at) for id, at in self.committed.items()]
            return Took(operations=wanted, seconds=took, latencies=waits)

        return run


@asynccontextmanager
async def ours(place: Place) -> AsyncIterator[Contender]:
    """Handler and relay as a service has them, and reporting's consumer; all in this process."""
    sight = Sight()
    prefix = await place.servers.fresh_topics("orders")
    bus = KafkaBus(place.servers.kafka)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bus.close)
        store = await stack.enter_async_context(opened(await place.database("orders", model.deals)))
        reporting = await stack.enter_async_context(opened(await place.database("reporting", *service.all_tables())))
        handler = await stack.enter_async_context(handling(store, model.stored, model.aggregate))
        relay = Relay(store, bus, "orders", uuid4(), wake=handler.told.listen(), poll=RELAY_POLL, prefix=prefix)
        follower = Handler(reporting, Folder(service.stored, service.aggregates))

        async def apply(tx: Transaction, heard: list[tuple[Heard, list[Effect]]]) -> None:
            await follower.apply(tx, heard)
            last = [event.stream.partition("-")[2] for event, _ in heard if event.sequence == sequence(2, 0)]
            tx.after(lambda: sight.see(last))

        consumer = Consumer("reporting", reporting, bus, ("orders",), service.listen, apply, prefix=prefix)
        await stack.enter_async_context(at_work(relay.run(), consumer.run()))
        await _until(lambda: len(consumer.positions) == PARTITIONS and relay.leading)
        yield sight.at_a_pace(lambda id: handler.handle(model.request(id, model.place(id), new=True)))


async def _until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(6 * SETTLE):
        while not ready():
            await asyncio.sleep(0.02)


OUTBOX = "create table outbox (position bigint generated always as identity primary key, key bytea not null, payload bytea not null)"
SEEN = "create table seen (id uuid primary key, vin text, price bigint, currency text, at timestamptz default now())"
COMMAND = """with e as (insert into bare (stream, version, type, data, meta) values (%s, %s, %s, %s, %s)),
    o as (insert into outbox (key, payload) values (%s, %s)) select pg_notify('bare', '')"""
PROJECT = """insert into seen (id, vin, price, currency) select * from unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[])
    on conflict (id) do update set price = excluded.price"""
_decode = msgspec.json.Decoder().decode


class ByHand:
    """One statement writes event and outbox and wakes the relay; no lease, no mark, no offset, nobody is fenced."""

    def __init__(self, connections: Sequence[raw.Connection], topic: str, sight: Sight) -> None:
        self.reader, self.ear, self.writer, *free = connections
        self.free: asyncio.Queue[raw.Connection] = asyncio.Queue()
        for connection in free:
            self.free.put_nowait(connection)
        self.topic = topic
        self.sight = sight
        self.woken = asyncio.Event()

    async def command(self, id: str) -> None:
        """One event and its public one."""
        payload = raw.payload()
        connection = await self.free.get()
        try:
            await connection.execute(COMMAND, [id, 1, "Placed", payload, raw.META, UUID(id).bytes, payload])
        finally:
            self.free.put_nowait(connection)

    async def listen(self) -> None:
        """Wakes the relay at a commit."""
        await self.ear.execute("listen bare")
        async for _ in self.ear.notifies():
            self.woken.set()

    async def relay(self, producer: AIOKafkaProducer) -> None:
        """From the outbox to Kafka."""
        while True:
            self.woken.clear()
            rows = await (await self.reader.execute("select position, key, payload from outbox order by position limit 500")).fetchall()
            if not rows:
                await self.woken.wait()
                continue
            await asyncio.gather(*[await producer.send(self.topic, payload, key=key) for _, key, payload in rows])
            await self.reader.execute("delete from outbox where position = any(%s)", [[position for position, _, _ in rows]])

    async def project(self, consumer: AIOKafkaConsumer) -> None:
        """From Kafka to rows."""
        while True:
            batches = await consumer.getmany(timeout_ms=1000)
            records = [record for batch in batches.values() for record in batch]
            if records:
                ids, events = [str(UUID(bytes=record.key)) for record in records], [_decode(record.value) for record in records]
                prices = [event["price"] for event in events]
                columns = [[event["vin"] for event in events], [p["minor"] for p in prices], [p["currency"] for p in prices]]
                await self.writer.execute(PROJECT, [ids, *columns])
                self.sight.see(ids)


@asynccontextmanager
async def by_hand(place: Place) -> AsyncIterator[Contender]:
    """Relay and projector in this process too."""
    sight = Sight()
    topic = f"{await place.servers.fresh_topics('bare')}.bare"
    producer = AIOKafkaProducer(bootstrap_servers=place.servers.kafka, acks="all", enable_idempotence=True, linger_ms=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=place.servers.kafka, enable_auto_commit=False)
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(raw.connections((await place.servers.fresh_database("bare"))[0], 3 + 8))
        for table in (raw.EVENTS, OUTBOX, SEEN):
            await connections[0].execute(table)
        for client in (producer, consumer):
            stack.push_async_callback(client.stop)
            await client.start()
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        hand = ByHand(connections, topic, sight)
        await stack.enter_async_context(at_work(hand.listen(), hand.relay(producer), hand.project(consumer)))
        yield sight.at_a_pace(hand.command)


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Who has no turn waits for work that does not come."""
    async with ours(place) as kit, by_hand(place) as bare:
        yield {OURS: kit, RAW: bare}
