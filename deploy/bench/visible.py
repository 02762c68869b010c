"""From the commit of a command to its row in reporting, at fifty commands a second; beside a bare outbox, Kafka and projector.

Both ends are told alike: a trigger notifies when the row is committed, here and there.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.bench import raw
from deploy.bench.http import PATH, internal
from deploy.bench.load import Connection, connections, pace, post
from deploy.bench.measure import Contenders, Goal, Results, Took
from deploy.bench.place import Place
from deploy.bench.services import running
from deploy.local.process import Problem
from deploy.local.setup import PARTITIONS, at
from shared.values.ids import new_id

RATE = 50
PATIENCE = 10
OURS, RAW = "ours, inventory to reporting", "raw outbox, Kafka, projector"
TRIGGER = """
create or replace function bench_tell() returns trigger language plpgsql as
    $$begin perform pg_notify('bench', to_jsonb(new) ->> 'name'); return null; end$$;
create or replace trigger bench_tell after insert on {table} for each row execute function bench_tell()
"""
TABLES = """create table told (position bigint generated always as identity primary key, name text, data bytea);
    create table outbox (position bigint generated always as identity primary key, name text, data bytea);
    create table shown (name text primary key, data jsonb)"""
WRITE = "with t as (insert into told (name, data) values (%s, %s) returning name, data) insert into outbox (name, data) select * from t"
SHOW = "insert into shown select * from unnest(%s::text[], %s::jsonb[]) on conflict (name) do update set data = excluded.data"


def _over(p: Callable[[Any], list[float]]) -> Callable[[Results], float]:
    return lambda results: statistics.median(p(results[OURS])) / statistics.median(p(results[RAW]))


GOALS = (
    Goal(text="p50, ours ÷ raw", value=_over(lambda figures: figures.p50), most=2),
    Goal(text="p99, ours ÷ raw", value=_over(lambda figures: figures.p99), most=2),
)


class Ear:
    """Hears when names are committed at one end and visible at the other."""

    def __init__(self) -> None:
        self.committed: dict[str, float] = {}
        self.visible: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def listen(self, superuser: str, table: str, heard: dict[str, float]) -> None:
        """Puts a trigger on a table and keeps the moments it tells."""
        connection = await psycopg.AsyncConnection.connect(superuser, autocommit=True)
        await connection.execute(TRIGGER.format(table=table).encode())
        await connection.execute("listen bench")

        async def hear() -> None:
            async with connection:
                async for told in connection.notifies():
                    heard[told.payload] = time.perf_counter()

        self._tasks.append(asyncio.create_task(hear()))

    async def waits(self, names: set[str]) -> list[float]:
        """Seconds between commit and visibility of each. Raises Problem when one does not become visible."""
        until = time.monotonic() + PATIENCE
        while not names <= self.visible.keys() & self.committed.keys():
            if time.monotonic() > until:
                raise Problem(f"{len(names - self.visible.keys())} of {len(names)} rows did not become visible.")
            await asyncio.sleep(0.02)
        return [max(0.0, self.visible[name] - self.committed[name]) for name in names]

    async def close(self) -> None:
        """Stops listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def paced(ear: Ear, command: Callable[[str], Coroutine[Any, Any, None]]) -> Callable[[float], Coroutine[Any, Any, Took]]:
    """RATE commands a second, each under a name of its own."""

    async def run(seconds: float) -> Took:
        names: set[str] = set()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:

            def give(number: int) -> None:
                name = new_id()
                names.add(name)
                tasks.create_task(command(name))

            await pace(RATE, seconds, give)
        took = time.perf_counter() - began
        return Took(operations=len(names), seconds=took, latencies=await ear.waits(names))

    return run


@asynccontextmanager
async def _bare(place: Place, url: str) -> AsyncIterator[Callable[[str], Coroutine[Any, Any, None]]]:
    """The least that brings a row through an outbox and Kafka: nobody checks anything."""
    topic = await place.servers.fresh_topics("loop") + ".loop"
    async with AsyncExitStack() as stack:
        write, relay, show = await stack.enter_async_context(raw.connections(url, 3))
        await write.execute(TABLES)
        producer = AIOKafkaProducer(bootstrap_servers=place.servers.kafka, acks="all", enable_idempotence=True, linger_ms=0)
        consumer = AIOKafkaConsumer(bootstrap_servers=place.servers.kafka, enable_auto_commit=False)
        for client in (producer, consumer):
            await client.start()
            stack.push_async_callback(client.stop)
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        await consumer.seek_to_end()
        wake, one_at_a_time = asyncio.Event(), asyncio.Lock()

        async def relaying() -> None:
            while True:
                rows = await (await relay.execute("select position, name, data from outbox order by position limit 500")).fetchall()
                if not rows:
                    await wake.wait()
                    wake.clear()
                    continue
                await asyncio.gather(*[await producer.send(topic, data, key=name.encode()) for _, name, data in rows])
                await relay.execute("delete from outbox where position = any(%s)", [[position for position, _, _ in rows]])

        async def projecting() -> None:
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    await show.execute(SHOW, [[record.key.decode() for record in records], [record.value.decode() for record in records]])

        async def command(name: str) -> None:
            async with one_at_a_time:
                await write.execute(WRITE, [name, raw.payload()])
            wake.set()

        loops = [asyncio.create_task(relaying()), asyncio.create_task(projecting())]
        try:
            yield command
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Ours in two processes, asked by HTTP."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(running(place, ("inventory", "reporting")))
        there, here = Ear(), Ear()
        for ear in (there, here):
            stack.push_async_callback(ear.close)
        await there.listen(at(place.servers.postgres, "inventory"), "trims_1", there.committed)
        await there.listen(at(place.servers.postgres, "reporting"), "trims_1", there.visible)
        free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in await stack.enter_async_context(connections(ours.plan.port("inventory"), 16)):
            free.put_nowait(connection)
        token = internal(ours, new_id())

        async def list_trim(name: str) -> None:
            about = {"brand": "Aurora", "series": "A5", "model_year": 2026, "name": name, "powertrain": "petrol"}
            body = msgspec.json.encode({**about, "guide_price": {"amount": "189800.00", "currency": "CNY"}})
            connection = await free.get()
            status, answer = await connection.ask(post(PATH, body, authorization=f"Bearer {token}", idempotency_key=str(uuid4())))
            free.put_nowait(connection)
            if status != 201:
                raise Problem(answer.decode()[-400:])

        loop = await place.superuser("loop")
        bare = await stack.enter_async_context(_bare(place, loop))
        await here.listen(loop, "told", here.committed)
        await here.listen(loop, "shown", here.visible)
        yield {OURS: paced(there, list_trim), RAW: paced(here, bare)}
