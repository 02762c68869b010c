"""What an operator sees and does, on a real store: streams, lag, parked messages, failing timers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from shared import overview
from shared.bus import metrics
from shared.bus.inbox import Position, inbox
from shared.bus.memory import MemoryBus
from shared.bus.protocol import Place, topic_of
from shared.bus.relay import Relay
from shared.bus.tests.support import Listener, consumer, message, shelf, until
from shared.deciding import Folder, Order
from shared.events.registry import Registry
from shared.handling import Handler, Request
from shared.overview import NotThere
from shared.processes.timers import FOR_GOOD, Timers
from shared.service import Service
from shared.store.memory import MemoryStore
from shared.store.postgres import PostgresStore
from shared.store.protocol import Republication
from shared.store.tests.support import postgres_store
from shared.testing import tills
from shared.testing.servers import FreshDatabase
from shared.testing.tills import OpenTill, PutIn
from shared.values.ids import new_id

tellers = Service(context="testing", stored=tills.stored, aggregates=(tills.aggregate,))
type Out = pytest.CaptureFixture[str]


@pytest.fixture
async def store(fresh_database: FreshDatabase) -> AsyncIterator[PostgresStore]:
    async with postgres_store(fresh_database) as made:
        yield made


async def a_till(store: Any, *, amounts: int = 2) -> str:
    handler = Handler(store, Folder(tills.stored, [tills.aggregate]))
    await handler.start()
    order = Order(stream=f"till-{new_id()}", meta=tills.meta)
    await handler.handle(Request(order=order, command=OpenTill(name=order.stream, clerk="~p1.token")))
    for _ in range(amounts):
        await handler.handle(Request(order=order, command=PutIn(amount=7)))
    await handler.stop()
    return order.stream


async def test_a_stream_is_shown_with_its_chain(store: PostgresStore, capsys: Out) -> None:
    stream = await a_till(store)
    assert await overview.show_stream(store, stream) == 0
    told = capsys.readouterr().out
    for part in (
        f"{stream}@1  TillOpened v1",
        '"clerk":"~p1.token"',
        "by li, store s1",
        "occurred 2026-03-02 12:00:00.000Z",
        f"timer {stream}/close",
    ):
        assert part in told
    assert "the chain of 3 events is whole" in told
    async with store.pool.connection() as conn:
        await conn.execute("update events set data = '{}', meta = '\\xff' where version = 2")
    assert await overview.show_stream(store, stream) == 1
    assert f"{stream}@2 is not what was stored" in capsys.readouterr().out
    with pytest.raises(NotThere, match="no stream till-none"):
        await overview.show_stream(store, "till-none")


async def test_lag_tells_what_waits_and_says_when_it_is_wrong(store: PostgresStore, capsys: Out) -> None:
    bus, hears = MemoryBus(partitions=2), replace(tellers, topics=("testing",))
    await a_till(store)
    assert await overview.show_lag(hears, store, bus, "forecourt") == 0
    told = capsys.readouterr().out
    assert "2 public events wait" in told and "again" not in told
    again = Republication(id=await store.republish())
    await overview.show_lag(hears, store, bus, "forecourt")
    assert "tells its whole store again, so far nothing" in capsys.readouterr().out
    await store.republished(replace(again, after="till-1"))
    await overview.show_lag(hears, store, bus, "forecourt")
    assert "so far up to till-1" in capsys.readouterr().out
    await store.republished(replace(again, done=True))
    async with store.pool.connection() as conn:
        await conn.execute("update outbox set recorded_at = now() - interval '1 minute'")
    assert await overview.show_lag(hears, store, bus, "forecourt") == 1
    relay = Relay(store, bus, "testing", uuid4())
    await relay.take_lease()
    await relay.publish_once()
    await relay.mark_time()
    capsys.readouterr()
    assert await overview.show_lag(hears, store, bus, "forecourt") == 1
    assert "4 messages behind, not heard" in capsys.readouterr().out
    async with store.begin() as tx:
        ends, now = await bus.ends(topic_of("testing")), datetime.now(UTC)
        moves = {Place(topic_of("testing"), partition): (0, Position(end, now)) for partition, end in ends.items()}
        assert await inbox(tx).take("testing", moves, {})
    assert await overview.show_lag(hears, store, bus, "forecourt") == 0
    assert "0 messages behind, complete to 20" in capsys.readouterr().out
    async with store.pool.connection() as conn:
        await conn.execute("update offsets set watermark = now() - interval '1 minute'")
    assert await overview.show_lag(hears, store, bus, "forecourt") == 1
    bus.down = True
    assert await overview.show_lag(hears, store, bus, "forecourt") == 1
    assert "Kafka does not answer" in capsys.readouterr().out


async def parked_store(n: int = 3) -> MemoryStore:
    """Of two streams the second messages failed, and what came after is parked behind them."""
    bus, store = MemoryBus(partitions=1), MemoryStore()
    await bus.publish(topic_of("orders"), [message(f"order-{s}", each) for each in range(1, n + 1) for s in (1, 2)])
    ear = consumer(store, bus, Listener(lambda heard: ValueError("no such car") if heard.event.request_id == "2" else None))
    hearing = asyncio.create_task(ear.run())
    await until(lambda: ear.positions and next(iter(ear.positions.values())).next == 2 * n)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    return store


def hearers(listener: Listener) -> Service:
    return Service(context="stock", stored=Registry("stock", {}), topics=("orders",), listen=listener)


async def test_parked_messages_are_listed_tried_again_in_order_and_given_up(capsys: Out) -> None:
    store = await parked_store()
    capsys.readouterr()
    assert await overview.show_parked(hearers(Listener()), store) == 1
    told = capsys.readouterr().out
    assert "4 messages parked in 2 streams" in told and told.count("no such car") == 2 and "orders order-2" in told
    fails = hearers(Listener(lambda heard: ValueError("still") if heard.stream == "order-2" else None))
    assert await overview.retry_parked(fails, store, None, None) == 1
    answered = capsys.readouterr()
    assert "order-1: 2 messages taken" in answered.out and "order-2: still fails" in answered.err
    assert (await shelf(store, "order-1"), await shelf(store, "order-2")) == ([1, 2, 3], [1])
    async with store.begin() as tx:
        second, third = await inbox(tx).parked("stock")
    assert await overview.discard_parked(hearers(Listener()), store, second.event_id, "sold elsewhere") == 0
    with pytest.raises(NotThere):
        await overview.discard_parked(hearers(Listener()), store, second.event_id, "sold elsewhere")
    assert await overview.retry_parked(hearers(Listener()), store, "orders", "order-2") == 0
    assert await shelf(store, "order-2") == [1, 3] and third.sequence == 300
    with pytest.raises(NotThere, match="Nothing of orders order-2 is parked"):
        await overview.retry_parked(hearers(Listener()), store, "orders", "order-2")
    assert await overview.show_parked(hearers(Listener()), store) == 0


async def test_timers_that_fail_for_good_are_told(store: PostgresStore, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_till(store, amounts=0)
    handler = Handler(store, Folder(tills.stored, [tills.aggregate]))

    async def fails(*_: Any) -> None:
        raise ValueError("no rule for this")

    monkeypatch.setattr(handler, "fire", fails)
    assert await overview.show_timers(tellers, store) == 0
    for n in range(1, FOR_GOOD + 1):
        assert await Timers(store, handler).fire(10) == 1
        assert await overview.show_timers(tellers, store) == (1 if n == FOR_GOOD else 0)
        async with store.pool.connection() as conn:
            await conn.execute("update timers set due_at = now()")
    told = capsys.readouterr().out
    assert "3 tries" in told and "no rule for this" in told and "CloseTill" in told
    counting = asyncio.create_task(Timers(store, handler).count())
    await until(lambda: metrics.timers_failing.labels("testing")._value.get() == 1)
    counting.cancel()
