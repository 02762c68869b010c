"""Who has little to do waits a moment for more, and who has much does not."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.pace import LONGEST, SMALL, TIMES, Pace
from shared.bus.protocol import Message, topic_of
from shared.bus.relay import Relay
from shared.bus.tests.support import Listener, consumer, message, row, until
from shared.store.memory import MemoryStore
from shared.store.protocol import Commit
from shared.testing.tasks import at_work

TOPIC = topic_of("orders")


def test_a_rest_follows_the_work_and_ends_soon() -> None:
    pace = Pace()
    assert [pace.rest(1, took) for took in (0.002, 0.003, 1.0, 0.002)] == [0.0, TIMES * 0.002, TIMES * 0.003, TIMES * 0.002]
    assert pace.rest(SMALL, 1.0) == 0.0
    assert pace.rest(SMALL - 1, 1.0) == LONGEST
    assert pace.rest(0, 1.0) == 0.0


def rests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every rest is a third of a second from now on; of how many messages each came after."""
    asked: list[int] = []

    def pause(self: Pace, many: int, took: float) -> float:
        asked.append(many)
        return 0.3

    monkeypatch.setattr(Pace, "rest", pause)
    return asked


async def test_what_comes_while_a_consumer_rests_is_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = rests(monkeypatch)
    bus, listener = MemoryBus(), Listener()
    async with at_work(consumer(MemoryStore(), bus, listener).run()):
        await bus.publish(TOPIC, [message("order-1", 1)])
        await until(lambda: asked == [1])
        for n in (2, 3, 4):
            await bus.publish(TOPIC, [message("order-1", n)])
        await until(lambda: len(listener.calls) == 4)
        await until(lambda: asked == [1, 3])


async def test_what_comes_while_a_relay_rests_is_published_together(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = rests(monkeypatch)
    store, published = MemoryStore(), list[int]()

    class Bus(MemoryBus):
        async def publish(self, topic: str, messages: Sequence[Message]) -> None:
            published.append(len(messages))
            await super().publish(topic, messages)

    async with at_work(Relay(store, Bus(), "orders", uuid4(), poll=0.01, tick=60).run()):
        await store.append(Commit(outbox=[row("order-1", 1)]))
        await until(lambda: 1 in asked)
        for n in (2, 3, 4):
            await store.append(Commit(outbox=[row("order-1", n)]))
        await until(lambda: sum(published) == 4)
    assert published == [1, 3]
