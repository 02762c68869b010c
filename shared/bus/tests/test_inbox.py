"""What an inbox promises; memory and PostgreSQL keep it alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.bus.cloudevents import Envelope, read
from shared.bus.inbox import Parked, Position, inbox, take_alone
from shared.bus.memory import MemoryBus
from shared.bus.parked import parked, retry, waiting
from shared.bus.protocol import Message, Place, Record, topic_of
from shared.bus.seen import Seen
from shared.bus.tests.support import Listener, consumer, fresh_store, message, opened, shelf, until
from shared.store.memory import MemoryStore
from shared.store.protocol import Store
from shared.testing.overlapping import OverlappingStore
from shared.testing.servers import Servers
from shared.testing.tasks import at_work

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "overlapping", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param != "postgres":
        yield MemoryStore() if request.param == "memory" else OverlappingStore()
        return
    servers: Servers = request.getfixturevalue("servers")
    async with opened(await fresh_store(servers, "stock")) as store:
        yield store
    await servers.drop_databases()


def one(stream: str, n: int, offset: int = 0) -> Parked:
    made = message(stream, n)
    envelope = read(made)
    assert isinstance(envelope, Envelope)
    return parked(Record(Place("forecourt.orders", 2), offset, made), envelope, "because")


async def test_positions_are_per_consumer_and_partition(store: Store) -> None:
    async with store.begin() as tx:
        assert await inbox(tx).take("stock", {Place("a", 1): (0, Position(5, AT)), Place("a", 2): (0, Position(7, None))}, {})
        assert await inbox(tx).take("other", {Place("a", 1): (0, Position(9, None))}, {})
    async with store.begin() as tx:
        assert await inbox(tx).positions("stock") == {Place("a", 1): Position(5, AT), Place("a", 2): Position(7, None)}
        assert await inbox(tx).take("stock", {Place("a", 1): (0, Position(6, None))}, {}) is None


async def test_a_batch_is_taken_once_and_tells_what_was_known(store: Store) -> None:
    at, far = Place("a", 1), Place("a", 2)
    first, second = ("orders", "order-1"), ("orders", "order-2")
    async with store.begin() as tx:
        await inbox(tx).park("stock", one("order-2", 1))
    async with store.begin() as tx:
        assert await inbox(tx).take("stock", {at: (0, Position(5, AT))}, {first: 300}) == ({}, set())
    async with store.begin() as tx:
        moves = {at: (5, Position(9, None)), far: (0, Position(1, None))}
        assert await inbox(tx).take("stock", moves, {second: 100, first: 200}) == ({first: 300}, {second})
    async with store.begin() as tx:
        assert await inbox(tx).reached("stock", [first, second]) == {first: 300, second: 99}
        assert await inbox(tx).positions("stock") == {at: Position(9, AT), far: Position(1, None)}
        assert await inbox(tx).take("other", {at: (0, Position(2, None))}, {}) == ({}, set())


async def test_what_another_member_has_moved_is_not_taken(store: Store) -> None:
    at, far = Place("a", 1), Place("a", 2)
    async with store.begin() as tx:
        assert await inbox(tx).take("stock", {at: (0, Position(5, AT))}, {})
    for moves in ({at: (4, Position(9, None))}, {at: (0, Position(9, None))}, {far: (3, Position(9, None)), at: (5, Position(9, None))}):
        with pytest.raises(LookupError):
            async with store.begin() as tx:
                assert await inbox(tx).take("stock", moves, {("orders", "order-1"): 100}) is None
                raise LookupError
    async with store.begin() as tx:
        assert await inbox(tx).positions("stock") == {at: Position(5, AT)}
        assert await inbox(tx).reached("stock", [("orders", "order-1")]) == {}


async def test_the_first_lineage_is_kept(store: Store) -> None:
    async with store.begin() as tx:
        for source, lineage in (("orders", "one"), ("orders", "two"), ("", "cluster")):
            await inbox(tx).learn("stock", source, lineage)
    async with store.begin() as tx:
        assert await inbox(tx).lineages("stock") == {"orders": "one", "": "cluster"}
        assert await inbox(tx).lineages("other") == {}


async def test_parked_messages_come_back_whole_and_in_order(store: Store) -> None:
    held = [one("order-1", 2, 5), one("order-1", 1, 4), one("order-2", 1, 6)]
    async with store.begin() as tx:
        for each in [*held, replace(held[0], cause="again")]:
            await inbox(tx).park("stock", each)
    async with store.begin() as tx:
        box = inbox(tx)
        keys = {("orders", "order-1"), ("orders", "order-9")}
        assert await box.parked_keys("stock", keys) == {("orders", "order-1")}
        found = await box.parked("stock", ("orders", "order-1"))
        assert [replace(each, parked_at=None) for each in found] == [held[1], held[0]]
        assert found[0].message.value == held[1].data
        assert read(found[0].message) == read(held[1].message)
        assert len(await box.parked("stock")) == await box.parked_count("stock") == 3
        assert await box.parked("other") == []
        assert await box.parked_count("other") == 0


async def test_a_stream_is_taken_as_far_as_its_first_parked_message(store: Store) -> None:
    streams = [("orders", f"order-{n}") for n in (1, 2, 3)]
    async with store.begin() as tx:
        await inbox(tx).take("stock", {}, {streams[0]: 700, streams[1]: 300})
        for each in (one("order-1", 6), one("order-1", 5), one("order-3", 1)):
            await inbox(tx).park("stock", each)
    async with store.begin() as tx:
        assert await inbox(tx).reached("stock", streams) == {streams[0]: 499, streams[1]: 300}
        assert await inbox(tx).reached("other", streams) == {}


async def test_a_key_is_free_when_its_last_message_has_gone(store: Store) -> None:
    held = [one("order-1", n) for n in (1, 2)]
    async with store.begin() as tx:
        for each in held:
            await inbox(tx).park("stock", each)
        await inbox(tx).unpark("stock", [held[0].event_id, uuid4()])
    async with store.begin() as tx:
        assert await inbox(tx).parked_keys("stock", [("orders", "order-1")]) == {("orders", "order-1")}
        await inbox(tx).unpark("stock", [held[1].event_id])
        assert await inbox(tx).parked_keys("stock", [("orders", "order-1")]) == set()


async def test_a_retry_and_the_consumer_do_not_overtake_each_other(store: Store) -> None:
    bus, topic = MemoryBus(partitions=1), topic_of("orders")
    bad = consumer(store, bus, Listener(lambda heard: ValueError() if heard.event.request_id == "2" else None))
    await bus.publish(topic, [message("order-1", n) for n in (1, 2, 3)])
    task = asyncio.create_task(bad.run())

    async def all_parked() -> bool:
        return len(await waiting(store, "stock")) == 2

    await until(all_parked)
    slow = consumer(store, bus, Listener())

    async def slowly(tx: object, effects: object) -> None:
        await slow.apply(tx, effects)  # type: ignore[arg-type]
        await bus.publish(topic, [message("order-1", 4), message("order-2", 1)])
        await asyncio.sleep(0.1)

    assert await retry(store, "stock", "orders", "order-1", slow.listen, slowly) == 2

    async def done() -> bool:
        return await shelf(store, "order-2") == [1]

    await until(done)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await shelf(store, "order-1") == [1, 2, 3, 4]
    assert await waiting(store, "stock") == []


async def test_whatever_bytes_arrive_can_be_parked(store: Store) -> None:
    bus = MemoryBus(partitions=1)
    junk = [Message(b"a\0\xff", b"\0\xff", [("ce_id", b"\0\xff")]), Message(None, b"")]
    await bus.publish(topic_of("orders"), [*junk, message("order-1", 1)])
    task = asyncio.create_task(consumer(store, bus, Listener()).run())

    async def taken() -> bool:
        return await shelf(store, "order-1") == [1]

    await until(taken)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {each.data for each in await waiting(store, "stock")} == {b"\0\xff", b""}


async def test_what_is_of_no_use_is_taken_once_too(store: Store) -> None:
    """Between events of use, and repeated: effects, positions and marks are as if each had been of use."""
    bus, topic = MemoryBus(partitions=1), topic_of("orders")
    ear = consumer(store, bus, Listener(of_use=(1, 4)))
    async with at_work(ear.run()):
        for n in (1, 2, 3):
            await bus.publish(topic, [message("order-1", n)])
            assert await Seen(store, "stock").reached("orders", "order-1", n * 100)
        await bus.publish(topic, [message("order-1", n) for n in (2, 3, 4)])
        assert await Seen(store, "stock").reached("orders", "order-1", 400)
        await bus.publish(topic, [message("order-1", 3)])
        await until(lambda: ear.positions[Place(topic, 0)].next == 7)
    assert await shelf(store, "order-1") == [1, 4]
    async with store.begin() as tx:
        assert await inbox(tx).positions("stock") == {Place(topic, 0): Position(7, None)}
        assert await inbox(tx).reached("stock", [("orders", "order-1")]) == {("orders", "order-1"): 400}


async def test_where_another_member_has_gone_on_what_is_of_no_use_moves_nothing(store: Store) -> None:
    at, other, key = Place("a", 1), Place("a", 2), ("orders", "order-1")
    async with store.begin() as tx:
        assert await inbox(tx).take("stock", {at: (0, Position(7, None)), other: (0, Position(3, None))}, {})
    assert await take_alone(store, "stock", {at: (5, Position(8, None)), other: (3, Position(4, None))}, {key: 900}) is None
    async with store.begin() as tx:
        assert await inbox(tx).positions("stock") == {at: Position(7, None), other: Position(3, None)}
        assert await inbox(tx).reached("stock", [key]) == {}
