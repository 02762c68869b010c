"""From the outbox of one service to the effect in another, through real servers, while processes are killed, frozen and restarted."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import kafka
from deploy.local.process import free_port
from deploy.local.setup import set_up_topics
from shared.bus.kafka import KafkaBus
from shared.bus.parked import retry, waiting
from shared.bus.protocol import BusUnavailable, Record, topic_of
from shared.bus.tests.support import Listener, append, consumer, fresh_store, message, opened, row, shelf, until
from shared.store.postgres import PostgresStore
from shared.testing.servers import CACHE, Servers

STREAMS = [f"order-{s}" for s in range(4)]


@dataclass
class World:
    """Two services: `theirs` publishes, `ours` listens."""

    theirs: PostgresStore
    ours: PostgresStore
    their_url: str
    our_url: str
    kafka: str
    prefix: str

    @contextmanager
    def process(self, role: str, failpoint: str = "") -> Iterator["subprocess.Popen[bytes]"]:
        """A relay or a consumer of its own; killed at the end if it still lives."""
        url = self.their_url if role == "relay" else self.our_url
        command = [sys.executable, "-m", "shared.bus.tests.process", role, url, self.kafka, self.prefix]
        made = subprocess.Popen(command, env=os.environ | {"FORECOURT_FAILPOINT": failpoint})
        try:
            yield made
        finally:
            made.kill()
            made.wait()

    async def append(self, first: int, last: int) -> None:
        """The events `first` to `last` of every stream."""
        await append(self.theirs, [row(stream, n) for n in range(first, last + 1) for stream in STREAMS])

    async def arrived(self, last: int, seconds: float = 60) -> None:
        """Until every shelf holds 1 to `last`, once and in order."""

        async def all_there() -> bool:
            return all([(await shelf(self.ours, stream))[-1:] == [last] for stream in STREAMS])

        await until(all_there, seconds)
        assert [await shelf(self.ours, stream) for stream in STREAMS] == [list(range(1, last + 1))] * len(STREAMS)

    async def published(self) -> list[Record]:
        """Everything in the topic, watermarks included."""
        return await everything(self.kafka, topic_of("orders", self.prefix))


async def everything(servers: str, topic: str) -> list[Record]:
    bus = KafkaBus(servers)
    records: list[Record] = []

    async def starts(places: object) -> dict[object, int]:
        return dict.fromkeys(places, 0)  # type: ignore[call-overload,no-any-return]

    async with bus.subscribe([topic], f"{topic}.all", starts) as subscription:  # type: ignore[arg-type]
        behind = True
        while behind:
            for found in (await subscription.poll(0.5)).values():
                records += found
            lag = subscription.lag()
            behind = not lag or any(lag.values())
    await bus.close()
    return records


def events(records: list[Record]) -> list[Record]:
    return [record for record in records if record.message.key is not None]


async def ended(process: "subprocess.Popen[bytes]") -> int:
    await until(lambda: process.poll() is not None)
    return process.returncode


@pytest.fixture
async def world(servers: Servers) -> AsyncIterator[World]:
    prefix = await servers.fresh_topics("orders")
    their_url, our_url = await fresh_store(servers, "orders"), await fresh_store(servers, "stock")
    async with opened(their_url) as theirs, opened(our_url) as ours:
        yield World(theirs, ours, their_url, our_url, servers.kafka, prefix)
    await servers.drop_databases()


@pytest.mark.parametrize("point", ["relay.before_publish:2", "relay.after_publish:2", "relay.after_delete:2"])
async def test_a_relay_killed_anywhere_repeats_and_never_skips(world: World, point: str) -> None:
    await world.append(1, 5)
    with world.process("relay", point) as first:
        assert await ended(first) == -signal.SIGKILL
    await world.append(6, 8)
    with world.process("relay"), world.process("consumer"):
        await world.arrived(8)
        await until(lambda: emptied(world.theirs))
    repeated = len(events(await world.published())) - 8 * len(STREAMS)
    assert repeated == (10 if point.startswith("relay.after_publish") else 0)


async def emptied(store: PostgresStore) -> bool:
    return not await store.waiting(1)


@pytest.mark.parametrize("point", ["consumer.before_commit:2", "consumer.after_commit:2"])
async def test_a_consumer_killed_around_its_commit_takes_each_event_once(world: World, point: str) -> None:
    with world.process("relay"), world.process("consumer", point) as first:
        for n in range(1, 6):
            await world.append(n, n)
        assert await ended(first) == -signal.SIGKILL
        with world.process("consumer"):
            await world.arrived(5)


async def test_a_frozen_leader_is_replaced_and_fenced_when_it_wakes(world: World) -> None:
    await world.append(1, 2)
    with world.process("relay", "relay.after_publish:1:stop") as frozen, world.process("consumer"):
        await until(lambda: status(frozen) == "T")
        with world.process("relay") as successor:
            await world.arrived(2)
            await until(lambda: emptied(world.theirs))
            await world.append(3, 4)
            os.kill(frozen.pid, signal.SIGCONT)
            await world.append(5, 9)
            await world.arrived(9)
            os.kill(successor.pid, signal.SIGKILL)
            await world.append(10, 12)
            await world.arrived(12)


def status(process: "subprocess.Popen[bytes]") -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_the_second_relay_takes_over_when_the_leader_is_killed(world: World) -> None:
    with world.process("relay") as leader, world.process("consumer"):
        await world.append(1, 3)
        await world.arrived(3)
        with world.process("relay"):
            await asyncio.sleep(1)
            leader.kill()
            await world.append(4, 6)
            await world.arrived(6)


async def test_a_whole_topic_repeated_has_no_further_effect(world: World) -> None:
    await world.append(1, 5)
    with world.process("relay"), world.process("consumer"):
        await world.arrived(5)
        once = [record.message for record in events(await world.published())]
        bus = KafkaBus(world.kafka)
        for _ in range(20):
            await bus.publish(topic_of("orders", world.prefix), once)
        await bus.close()
        await world.append(6, 6)
        await world.arrived(6)


async def test_a_poisonous_event_parks_its_stream_on_real_servers(world: World) -> None:
    await world.append(1, 3)
    poison = Listener(lambda heard: ValueError("no") if (heard.stream, heard.event.request_id) == (STREAMS[0], "2") else None)
    bus = KafkaBus(world.kafka)
    ear = consumer(world.ours, bus, poison, prefix=world.prefix)
    task = asyncio.create_task(ear.run())
    with world.process("relay"):

        async def sorted_out() -> bool:
            rest = [await shelf(world.ours, stream) for stream in STREAMS[1:]]
            return rest == [[1, 2, 3]] * 3 and len(await waiting(world.ours, "stock")) == 2

        await until(sorted_out)
        assert await shelf(world.ours, STREAMS[0]) == [1]
        well = consumer(world.ours, bus, Listener())
        assert await retry(world.ours, "stock", "orders", STREAMS[0], well.listen, well.apply) == 2
        await world.append(4, 4)
        await world.arrived(4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bus.close()


async def test_a_broker_that_is_killed_and_comes_back_costs_nothing(world: World, tmp_path: Path) -> None:
    broker = kafka.start(tmp_path / "kafka", free_port(), CACHE)
    try:
        await asyncio.to_thread(broker.wait)
        world.kafka, world.prefix = broker.url, "own"
        await set_up_topics(world.kafka, ["orders", "tests"], world.prefix)
        with world.process("relay"), world.process("consumer"):
            await world.append(1, 3)
            await world.arrived(3)
            impatient = KafkaBus(world.kafka, timeout=1)
            await impatient.publish("own.tests", [message("order-1", 1)])
            broker.kill9()
            await world.append(4, 6)
            for _ in range(2):
                with pytest.raises(BusUnavailable):
                    await impatient.publish("own.tests", [message("order-1", 2)])
            broker = kafka.start(tmp_path / "kafka", broker.port, CACHE)
            await asyncio.to_thread(broker.wait)
            await impatient.publish("own.tests", [message("order-1", 3)])
            await impatient.close()
            await world.append(7, 8)
            await world.arrived(8)
            kept = [json.loads(record.message.value)["request_id"] for record in await everything(world.kafka, "own.tests")]
            assert kept == sorted(kept)
            assert {"1", "3"} <= set(kept)
        assert not [task for task in asyncio.all_tasks() if "aiokafka" in repr(task.get_coro())]
    finally:
        broker.stop()
