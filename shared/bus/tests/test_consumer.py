"""What a consumer promises, in memory: once, in order, and stopping rather than guessing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.bus import metrics
from shared.bus.cloudevents import watermark
from shared.bus.consumer import Consumer, Moved
from shared.bus.inbox import inbox
from shared.bus.memory import MemoryBus
from shared.bus.parked import discard, retry, waiting
from shared.bus.protocol import Message, topic_of
from shared.bus.seen import CROWD, Seen
from shared.bus.tests.support import LINEAGE, Listener, consumer, message, shelf, until
from shared.store.memory import MemoryStore
from shared.store.protocol import Conflict, Unavailable
from shared.testing.tasks import at_work
from shared.values.clock import utc_now

TOPIC = topic_of("orders")


def running(*consumers: Consumer) -> AbstractAsyncContextManager[None]:
    return at_work(*(each.run() for each in consumers))


async def heard_all(bus: MemoryBus, *consumers: Consumer) -> None:
    """Until every message has been taken and its offset stored."""
    for each in consumers:
        each._flush_at = 0  # watermarks are stored at once
    ends = {record.place: record.offset + 1 for record in bus.records(TOPIC)}
    await until(lambda: ends.items() <= {p: at.next for each in consumers for p, at in each.positions.items()}.items())


async def test_each_event_counts_once_however_often_its_topic_is_repeated() -> None:
    bus, store = MemoryBus(), MemoryStore()
    await bus.publish(TOPIC, [message(f"order-{s}", n) for n in range(1, 4) for s in range(5)])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await heard_all(bus, ear)
        once = [record.message for record in bus.records(TOPIC)]
        for _ in range(99):
            await bus.publish(TOPIC, once)
        await heard_all(bus, ear)
    assert [await shelf(store, f"order-{s}") for s in range(5)] == [[1, 2, 3]] * 5


async def test_a_late_message_is_dropped_and_a_missing_number_is_no_error() -> None:
    bus, store = MemoryBus(), MemoryStore()
    await bus.publish(TOPIC, [message("order-1", n) for n in (1, 5, 3, 2, 6, 6)])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await heard_all(bus, ear)
    assert await shelf(store, "order-1") == [1, 5, 6]


async def test_a_type_this_version_does_not_know_is_passed_over_and_its_mark_moves() -> None:
    bus, store = MemoryBus(), MemoryStore()
    await bus.publish(TOPIC, [message("order-1", 1), message("order-1", 2, type="orders.NotYetKnown.v1")])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        assert await Seen(store, "stock").reached("orders", "order-1", 200)
    assert await shelf(store, "order-1") == [1]


def broken(*numbers: int) -> Listener:
    return Listener(lambda heard: ValueError("cannot") if heard.stream == "order-1" and int(heard.event.request_id) in numbers else None)


async def test_a_message_that_fails_parks_its_stream_while_others_go_on() -> None:
    bus, store, listener = MemoryBus(partitions=1), MemoryStore(), broken(2)
    ear = consumer(store, bus, listener)
    async with running(ear):
        await bus.publish(TOPIC, [message(f"order-{s}", n) for n in (1, 2, 3) for s in (1, 2)])
        await heard_all(bus, ear)
        await bus.publish(TOPIC, [message("order-1", 4), message("order-2", 4)])
        await heard_all(bus, ear)
        assert await shelf(store, "order-2") == [1, 2, 3, 4]
        assert await shelf(store, "order-1") == [1]
        parked = await waiting(store, "stock")
        assert [each.sequence for each in parked] == [200, 300, 400]
        assert "cannot" in parked[0].cause
        assert listener.calls.count(("order-1", 2)) == 4  # once in the batch, three tries alone
        assert not await Seen(store, "stock").reached("orders", "order-1", 200, timeout=0.05)
        assert await Seen(store, "stock").reached("orders", "order-1", 100, timeout=0.05)

        healthy = consumer(store, bus, Listener())
        assert await retry(store, "stock", "orders", "order-1", healthy.listen, healthy.apply) == 3
        await bus.publish(TOPIC, [message("order-1", n) for n in (2, 3, 4, 5)])
        await heard_all(bus, ear)
    assert await shelf(store, "order-1") == [1, 2, 3, 4, 5]
    assert await waiting(store, "stock") == []


async def test_what_nobody_knows_yet_waits_behind_a_parked_message_too() -> None:
    """It may be of use when its stream is tried again, by a newer version."""
    bus, store = MemoryBus(), MemoryStore()

    async def sequences() -> list[int]:
        return [each.sequence for each in await waiting(store, "stock")]

    async def parked(wanted: list[int]) -> bool:
        return await sequences() == wanted

    async with running(consumer(store, bus, broken(1))):
        await bus.publish(TOPIC, [message("order-1", 1)])
        await until(lambda: parked([100]))
        await bus.publish(TOPIC, [message("order-1", 2, type="orders.NotYetKnown.v1")])
        await until(lambda: parked([100, 200]))


async def test_a_retry_that_fails_changes_nothing() -> None:
    bus, store = MemoryBus(), MemoryStore()
    await bus.publish(TOPIC, [message("order-1", n) for n in (1, 2, 3)])
    ear = consumer(store, bus, broken(2))
    async with running(ear):
        await heard_all(bus, ear)
    still = consumer(store, bus, broken(3))
    with pytest.raises(ValueError, match="cannot"):
        await retry(store, "stock", "orders", "order-1", still.listen, still.apply)
    assert len(await waiting(store, "stock")) == 2
    assert await shelf(store, "order-1") == [1]
    assert await retry(store, "stock", "orders", "order-9", still.listen, still.apply) == 0


async def test_a_broken_message_is_parked_and_can_be_given_up() -> None:
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await bus.publish(TOPIC, [Message(b"order-1", b"?"), replace(message("order-2", 1), value=b"{}"), message("order-3", 1)])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await heard_all(bus, ear)
    parked = await waiting(store, "stock")
    assert [each.stream for each in parked] == ["order-1", "order-2"]
    assert await shelf(store, "order-3") == [1]
    assert await discard(store, "stock", parked[0].event_id, "sent by hand")
    assert not await discard(store, "stock", parked[0].event_id, "again")
    assert [each.stream for each in await waiting(store, "stock")] == ["order-2"]


async def test_what_is_parked_is_counted_until_it_no_longer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "COUNT", 0.01)
    bus, store = MemoryBus(partitions=1), MemoryStore()
    ear = consumer(store, bus, broken(2))
    now = metrics.parked.labels("stock")._value.get
    async with at_work(ear.run(), ear.count()):
        await bus.publish(TOPIC, [message("order-1", n) for n in (1, 2, 3)])
        await until(lambda: now() == 2)
        await retry(store, "stock", "orders", "order-1", Listener(), ear.apply)
        await until(lambda: now() == 0)


async def test_whoever_counts_waits_for_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "COUNT", 0.01)
    store = MemoryStore()
    ear, tries = consumer(store, MemoryBus(), Listener()), [Unavailable()]
    monkeypatch.setattr(store, "look", lambda: away(tries.pop()) if tries else MemoryStore.look(store))
    metrics.parked.labels("stock").set(7)
    async with at_work(ear.count()):
        await until(lambda: metrics.parked.labels("stock")._value.get() == 0)
    assert not tries


@asynccontextmanager
async def away(error: Exception) -> AsyncIterator[Any]:
    raise error
    yield


class ShakyStore(MemoryStore):
    """Some commits fail, some only seem to: the connection breaks before the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Exception] = []
        self.after: list[Exception] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        async with super().begin() as tx:
            yield tx
            if self.before and tx.data.offsets != self.data.offsets:
                raise self.before.pop()
            lost = self.after and tx.data.offsets != self.data.offsets
        if lost:
            raise self.after.pop()


async def test_an_unknown_outcome_is_neither_a_try_nor_a_second_effect() -> None:
    bus, store, listener = MemoryBus(partitions=1), ShakyStore(), Listener()
    store.before = [Unavailable()] * 6
    store.after = [Unavailable()] * 2
    ear = consumer(store, bus, listener)
    async with running(ear):
        await bus.publish(TOPIC, [message("order-1", n) for n in (1, 2)])
        await heard_all(bus, ear)
        await bus.publish(TOPIC, [message("order-1", 3)])
        await heard_all(bus, ear)
    assert await shelf(store, "order-1") == [1, 2, 3]
    assert await waiting(store, "stock") == []
    assert (store.before, store.after) == ([], [])


class HurriedStore(MemoryStore):
    """Cuts off whatever takes more than one message at a time."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        async with super().begin() as tx:
            yield tx
            if sum(tx.data.offsets.values()) > sum(self.data.offsets.values()) + 1:
                raise Unavailable


async def test_a_batch_too_large_for_one_transaction_is_taken_in_small_ones() -> None:
    bus, store = MemoryBus(partitions=1), HurriedStore()
    await bus.publish(TOPIC, [message("order-1", n) for n in range(1, 6)])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await heard_all(bus, ear)
    assert await shelf(store, "order-1") == [1, 2, 3, 4, 5]


async def test_a_lost_race_is_tried_again_and_never_parked() -> None:
    bus, store = MemoryBus(partitions=1), ShakyStore()
    store.before = [Conflict() for _ in range(10)]
    await bus.publish(TOPIC, [message("order-1", n) for n in (1, 2)])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await heard_all(bus, ear)
    assert await shelf(store, "order-1") == [1, 2]
    assert await waiting(store, "stock") == []


async def test_partitions_are_shared_and_change_hands_without_a_double() -> None:
    bus, store, listener = MemoryBus(partitions=4, most=3), MemoryStore(), Listener()
    ears = [consumer(store, bus, listener) for _ in range(3)]
    streams = [f"order-{s}" for s in range(12)]
    async with running(ears[0]):
        for n in range(1, 11):
            await bus.publish(TOPIC, [message(stream, n) for stream in streams])
            async with running(ears[1 + n % 2]):
                await asyncio.sleep(0.01)
        await until(lambda: all(lag == 0 for lag in lags(bus, store)))
    assert [await shelf(store, stream) for stream in streams] == [list(range(1, 11))] * 12


def lags(bus: MemoryBus, store: MemoryStore) -> list[int]:
    ends = {record.place: record.offset + 1 for record in bus.records(TOPIC)}
    return [end - store.data.offsets.get(("stock", *place), 0) for place, end in ends.items()]


async def test_a_member_that_lost_its_partition_cannot_commit() -> None:
    bus, store, listener = MemoryBus(partitions=1), MemoryStore(), Listener()
    await bus.publish(TOPIC, [message("order-1", 1)])
    stale, other = consumer(store, bus, listener), consumer(store, bus, listener)
    async with bus.subscribe([TOPIC], "elsewhere", stale._starts) as subscription:
        batch = await subscription.poll(1)
        async with running(other):
            await heard_all(bus, other)
        with pytest.raises(Moved):
            await stale._consume(subscription, batch)
    assert await shelf(store, "order-1") == [1]


async def stopped(ear: Consumer) -> str:
    await asyncio.wait_for(ear.run(), 5)
    assert ear.alarm is not None
    return ear.alarm


async def test_an_unknown_lineage_stops_the_consumer_before_any_effect() -> None:
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await bus.publish(TOPIC, [message("order-1", 1)])
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await heard_all(bus, ear)
    await bus.publish(TOPIC, [message("order-1", 2, lineage=str(uuid4()))])
    assert "speaks from store" in await stopped(consumer(store, bus, Listener()))
    assert await shelf(store, "order-1") == [1]
    assert lags(bus, store) == [1]


async def test_two_lineages_in_the_first_batch_stop_it_too() -> None:
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await bus.publish(TOPIC, [message("order-1", 1), message("order-1", 2, lineage=str(uuid4()))])
    assert "speaks from store" in await stopped(consumer(store, bus, Listener()))
    assert await shelf(store, "order-1") == []


async def test_another_cluster_stops_the_consumer() -> None:
    bus, store = MemoryBus(), MemoryStore()
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await until(lambda: ear.positions)
    bus.cluster_id = "another"
    assert "another" in await stopped(consumer(store, bus, Listener()))


async def test_an_offset_out_of_range_stops_the_consumer_and_never_jumps() -> None:
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await bus.publish(TOPIC, [message("order-1", n) for n in (1, 2, 3)])
    bus.forget(TOPIC, 2)
    assert "keeps 2 to 3, not 0" in await stopped(consumer(store, bus, Listener()))
    assert await shelf(store, "order-1") == []


async def test_the_watermark_is_kept_with_the_offset_and_never_falls() -> None:
    bus, store, now = MemoryBus(partitions=1), MemoryStore(), utc_now()
    ear = consumer(store, bus, Listener())
    async with running(ear):
        for minutes in (1, 2, 1):
            await bus.broadcast(TOPIC, watermark(now + timedelta(minutes=minutes), "orders", LINEAGE))
            await heard_all(bus, ear)
    async with store.begin() as tx:
        (position,) = (await inbox(tx).positions("stock")).values()
    assert position.watermark == now + timedelta(minutes=2)
    assert position.next == 3


async def test_seen_waits_for_the_mark() -> None:
    bus, store = MemoryBus(), MemoryStore()
    ear = consumer(store, bus, Listener())
    async with running(ear):
        seen = Seen(store, "stock")
        asked = asyncio.create_task(seen.reached("orders", "order-1", 100))
        assert not await seen.reached("orders", "order-1", 100, timeout=0.05)
        await bus.publish(TOPIC, [message("order-1", 1)])
        assert await asked


async def test_a_hundred_who_wait_ask_as_often_as_one() -> None:
    store = MemoryStore()
    looks = 0
    look = store.look

    def counted() -> Any:
        nonlocal looks
        looks += 1
        return look()

    store.look = counted  # type: ignore[method-assign]
    seen = Seen(store, "stock")
    found = await asyncio.gather(*(seen.reached("orders", f"order-{n}", 100, timeout=0.2) for n in range(100)))
    assert found == [False] * 100
    assert 2 <= looks <= 12


async def test_who_comes_where_a_crowd_waits_is_told_at_once() -> None:
    """He would hold a connection that others could do with; what was heard already he is told like anybody."""
    store = MemoryStore()
    async with store.begin() as tx:
        await inbox(tx).take("stock", {}, {("orders", "order-1"): 100})
    seen = Seen(store, "stock")
    crowd = [asyncio.create_task(seen.reached("orders", f"order-{n}", 200, timeout=5)) for n in range(CROWD)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        assert not await seen.reached("orders", "order-1", 200, timeout=5)
        assert await seen.reached("orders", "order-1", 100, timeout=5)
    assert not any(each.done() for each in crowd)
    for each in crowd:
        each.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_a_bus_that_is_down_is_waited_for() -> None:
    bus, store = MemoryBus(), MemoryStore()
    bus.down = True
    ear = consumer(store, bus, Listener())
    async with running(ear):
        await asyncio.sleep(0.02)
        bus.down = False
        await bus.publish(TOPIC, [message("order-1", 1)])
        await until(lambda: ear.positions)
        await heard_all(bus, ear)
    assert await shelf(store, "order-1") == [1]
