"""What every bus promises; memory and Kafka keep it alike."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from shared.bus.kafka import KafkaBus
from shared.bus.memory import MemoryBus
from shared.bus.protocol import Bus, Message, OutOfRange, Place, Record, Subscription, topic_of
from shared.bus.tests.support import until
from shared.testing.servers import Servers


@dataclass
class Case:
    bus: Bus
    topic: str
    group: str


@pytest.fixture(params=["memory", "kafka"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    if request.param == "memory":
        yield Case(MemoryBus(partitions=6), topic_of("orders"), "stock")
        return
    servers: Servers = request.getfixturevalue("servers")
    prefix = await servers.fresh_topics("orders")
    bus = KafkaBus(servers.kafka)
    yield Case(bus, topic_of("orders", prefix), f"{prefix}.stock")
    await bus.close()


def text(n: int, key: str = "order-1", size: int = 0) -> Message:
    return Message(key.encode(), str(n).rjust(size).encode(), [("ce_id", str(n).encode())])


class Reader:
    """Starts where it is told, at first at 0, and keeps what it reads."""

    def __init__(self, starts: Mapping[Place, int] | None = None) -> None:
        self.at = dict(starts or {})
        self.assigned: list[set[Place]] = []
        self.records: list[Record] = []

    async def starts(self, places: Collection[Place]) -> Mapping[Place, int]:
        self.assigned.append(set(places))
        return {place: self.at.get(place, 0) for place in places}

    async def read(self, subscription: Subscription, count: int) -> list[Record]:
        """Polls until `count` more messages have come."""
        fresh: list[Record] = []
        async with asyncio.timeout(15):
            while len(fresh) < count:
                for records in (await subscription.poll(0.2)).values():
                    fresh += records
        self.records += fresh
        return fresh

    @asynccontextmanager
    async def on(self, case: Case) -> AsyncIterator[Subscription]:
        async with case.bus.subscribe([case.topic], case.group, self.starts) as subscription:
            yield subscription


def values(records: Sequence[Record]) -> list[int]:
    return [int(record.message.value) for record in records]


async def test_messages_of_a_key_share_a_partition_and_keep_their_order(case: Case) -> None:
    keys = [f"order-{n}" for n in range(20)]
    await case.bus.publish(case.topic, [text(n, key) for n in range(5) for key in keys])
    await case.bus.publish(case.topic, [text(5, key) for key in keys])
    async with Reader().on(case) as subscription:
        records = await Reader().read(subscription, 120)
    for key in keys:
        mine = [record for record in records if record.message.key == key.encode()]
        assert values(mine) == [0, 1, 2, 3, 4, 5]
        assert len({record.place for record in mine}) == 1
    assert len({record.place for record in records}) > 1


async def test_keys_headers_values_and_offsets_arrive_as_they_were_sent(case: Case) -> None:
    sent = [Message("客户-1".encode(), b"\x00\xff", [("ce_id", b"1"), ("content-type", b"x")]), text(2, "客户-1")]
    await case.bus.publish(case.topic, sent)
    async with Reader().on(case) as subscription:
        records = await Reader().read(subscription, 2)
    assert [record.message for record in records] == sent
    assert [record.offset for record in records] == [0, 1]


async def test_more_than_one_batch_of_large_messages_loses_none(case: Case) -> None:
    await case.bus.publish(case.topic, [text(n, size=200_000) for n in range(12)])
    async with Reader().on(case) as subscription:
        assert values(await Reader().read(subscription, 12)) == list(range(12))


async def test_a_broadcast_reaches_every_partition(case: Case) -> None:
    await case.bus.broadcast(case.topic, text(1))
    async with Reader().on(case) as subscription:
        records = await Reader().read(subscription, 6)
    assert {record.place for record in records} == {Place(case.topic, partition) for partition in range(6)}


async def test_it_goes_on_from_where_the_reader_says(case: Case) -> None:
    await case.bus.publish(case.topic, [text(n) for n in range(5)])
    async with (reader := Reader()).on(case) as subscription:
        (place,) = {record.place for record in await reader.read(subscription, 5)}
        reader.at = {place: 3}
        subscription.reset()
        assert values(await reader.read(subscription, 2)) == [3, 4]
        assert subscription.lag()[place] == 0
        await case.bus.publish(case.topic, [text(5)])
        assert values(await reader.read(subscription, 1)) == [5]
    async with (again := Reader({place: 4})).on(case) as subscription:
        assert values(await again.read(subscription, 2)) == [4, 5]


async def test_an_offset_that_was_never_written_is_out_of_range(case: Case) -> None:
    await case.bus.publish(case.topic, [text(1)])
    reader = Reader({Place(case.topic, partition): 99 for partition in range(6)})
    with pytest.raises(OutOfRange):
        async with reader.on(case) as subscription:
            await reader.read(subscription, 1)


async def test_an_error_of_the_reader_comes_out_of_poll_and_is_asked_again(case: Case) -> None:
    reader, broken = Reader(), [LookupError("not now")]
    well = reader.starts

    async def starts(places: Collection[Place]) -> Mapping[Place, int]:
        if broken:
            raise broken.pop()
        return await well(places)

    reader.starts = starts  # type: ignore[method-assign]
    await case.bus.publish(case.topic, [text(1)])
    async with reader.on(case) as subscription:
        with pytest.raises(LookupError):
            await reader.read(subscription, 1)
        assert values(await reader.read(subscription, 1)) == [1]


async def test_a_group_shares_its_partitions_and_takes_over_from_one_that_left(case: Case) -> None:
    first, second = Reader(), Reader()
    async with first.on(case) as one:
        await first.read(one, 0)
        await until_assigned(first, one, 6)
        async with AsyncExitStack() as stack:
            joining = asyncio.create_task(stack.enter_async_context(second.on(case)))
            await until_assigned(first, one, 3)
            two = await joining
            await until_assigned(second, two, 3)
            assert first.assigned[-1] | second.assigned[-1] == {Place(case.topic, partition) for partition in range(6)}
        await until_assigned(first, one, 6)


async def until_assigned(reader: Reader, subscription: Subscription, count: int) -> None:
    async def assigned() -> bool:
        await subscription.poll(0.05)
        return bool(reader.assigned) and len(reader.assigned[-1]) == count

    await until(assigned)


async def test_the_cluster_has_one_id(case: Case) -> None:
    assert await case.bus.cluster() == await case.bus.cluster() != ""


async def test_the_ends_of_a_topic_are_where_the_next_messages_go(case: Case) -> None:
    before = await case.bus.ends(case.topic)
    assert set(before.values()) == {0} and len(before) == 6
    await case.bus.broadcast(case.topic, text(1))
    await case.bus.publish(case.topic, [text(2), text(3)])
    assert sorted((await case.bus.ends(case.topic)).values()) == [1, 1, 1, 1, 1, 3]
