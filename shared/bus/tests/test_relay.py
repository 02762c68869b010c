"""What the relay promises, in memory: a failure repeats, nothing is skipped, and only the leader deletes."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.bus import metrics
from shared.bus.cloudevents import Envelope, Watermark, read
from shared.bus.memory import MemoryBus
from shared.bus.protocol import BusUnavailable, topic_of
from shared.bus.relay import Relay
from shared.bus.tests.support import append, holder, row, until
from shared.store.memory import MemoryStore
from shared.store.protocol import Unavailable
from shared.testing.tasks import at_work

TOPIC = topic_of("orders")


def published(bus: MemoryBus) -> dict[str, list[int]]:
    """Numbers per stream, in the order of the topic."""
    made: dict[str, list[int]] = {}
    for record in bus.records(TOPIC):
        envelope = read(record.message)
        if isinstance(envelope, Envelope):
            made.setdefault(envelope.stream, []).append(envelope.sequence // 100)
    return made


async def test_rows_are_published_in_position_order_and_deleted() -> None:
    bus, store = MemoryBus(), MemoryStore()
    await append(store, [row(f"order-{s}", n) for n in (1, 2, 3) for s in range(4)])
    relay = Relay(store, bus, "orders", holder(1), batch=5)
    assert await relay.publish_once() == 0
    assert await relay.take_lease()
    assert [await relay.publish_once() for _ in range(4)] == [5, 5, 2, 0]
    assert published(bus) == {f"order-{s}": [1, 2, 3] for s in range(4)}
    assert store.data.outbox == []


async def test_what_is_read_ahead_begins_with_what_committed_late() -> None:
    """Rows are read while others are sent; a row that got its position early and commits meanwhile comes before all that follows from it."""
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await append(store, [row("order-1", n) for n in range(1, 7)])
    relay = Relay(store, bus, "orders", holder(1), batch=2)
    await relay.take_lease()
    early, store.data.outbox[1:2] = replace(store.data.outbox[1], stream="order-2", sequence=100), []
    await relay.publish_once()  # reads two more
    store.data.outbox.insert(0, early)
    await append(store, [row("order-2", 2)])
    while await relay.publish_once():
        pass
    assert published(bus)["order-2"] == [1, 2]
    assert published(bus)["order-1"] == [1, 3, 4, 5, 6]
    assert store.data.outbox == []


async def test_a_successor_does_not_send_what_was_read_ahead_before_another_led() -> None:
    clock = [datetime(2026, 3, 2, tzinfo=UTC)]
    bus, store = MemoryBus(partitions=1), MemoryStore(now=lambda: clock[0])
    first, second = (Relay(store, bus, "orders", holder(n), batch=2) for n in (1, 2))
    await first.take_lease()
    await append(store, [row("order-1", n) for n in range(1, 5)])
    await first.publish_once()
    clock[0] += timedelta(seconds=6)
    await second.take_lease()
    while await second.publish_once():
        pass
    clock[0] += timedelta(seconds=6)
    assert await first.take_lease()
    assert await first.publish_once() == 0
    assert published(bus) == {"order-1": [1, 2, 3, 4]}


async def test_a_publish_that_failed_half_way_is_repeated_whole() -> None:
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await append(store, [row("order-1", n) for n in (1, 2, 3)])
    relay = Relay(store, bus, "orders", holder(1))
    await relay.take_lease()
    bus.cut_after = 2
    with pytest.raises(BusUnavailable):
        await relay.publish_once()
    assert len(store.data.outbox) == 3
    await relay.publish_once()
    assert published(bus) == {"order-1": [1, 2, 1, 2, 3]}


async def test_a_relay_that_lost_its_lease_deletes_nothing() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    clock = [now]
    bus, store = MemoryBus(), MemoryStore(now=lambda: clock[0])
    old, new = (Relay(store, bus, "orders", holder(n)) for n in (1, 2))
    assert await old.take_lease()
    assert not await new.take_lease()
    clock[0] += timedelta(seconds=6)
    assert await new.take_lease()
    await append(store, [row("order-1", 1)])
    await old.publish_once()
    assert len(store.data.outbox) == 1
    assert not old.leading
    await new.publish_once()
    assert store.data.outbox == []
    assert not await old.take_lease()


async def test_it_runs_wakes_at_an_append_outlives_an_outage_and_gives_its_lease_back() -> None:
    bus, store = MemoryBus(), MemoryStore()
    relay = Relay(store, bus, "orders", holder(1), poll=0.01, tick=0.02)
    task = asyncio.create_task(relay.run())
    await until(lambda: relay.leading)
    bus.down = True
    await append(store, [row("order-1", 1)])
    relay.wake.set()
    await asyncio.sleep(0.05)
    bus.down = False
    await until(lambda: not store.data.outbox)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert published(bus) == {"order-1": [1]}
    assert await Relay(store, bus, "orders", holder(2)).take_lease()


async def test_every_partition_learns_how_far_the_store_has_been_published() -> None:
    bus, store = MemoryBus(partitions=3), MemoryStore()
    await append(store, [row("order-1", 1)])
    oldest = store.data.outbox[0].recorded_at
    assert oldest is not None
    await Relay(store, bus, "orders", holder(1)).mark_time()
    marks = [read(record.message) for record in bus.records(TOPIC)]
    assert marks == [Watermark(source="orders", lineage=store.lineage, at=oldest)] * 3


async def test_who_cannot_renew_the_lease_says_that_he_does_not_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody would be missed while PostgreSQL is away, and one too many counted where only this process cannot reach it."""
    store = MemoryStore()
    relay = Relay(store, MemoryBus(), "alone", holder(1), lease=0.03)
    told = metrics.leading.labels("alone")._value.get

    async def away(*_: object) -> None:
        raise Unavailable

    async with at_work(relay.run()):
        await until(lambda: told() == 1)
        monkeypatch.setattr(store, "lead", away)
        await until(lambda: told() == 0)
