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


def day(every: float, took: float, many: int, slow: dict[int, float] | None = None) -> list[tuple[int, float]]:
    """Messages come at this pace and a batch takes as long as it takes, those in `slow` longer: how many each had, and the rest after it."""
    pace, now, taken = Pace(), 0.0, 0
    batches: list[tuple[int, float]] = []
    while taken < many:
        began = max(now, taken * every)
        there = int(began / every + 1e-9) + 1 - taken
        ended = began + (slow or {}).get(len(batches), took)
        batches.append((there, round(pace.rest(there, began, ended), 6)))
        taken, now = taken + there, ended + batches[-1][1]
    return batches


def test_a_rest_follows_the_work_and_ends_soon() -> None:
    pace, now, rests = Pace(), 0.0, []
    for took in (0.002, 0.003, 0.003, 1.0, 1.0, 0.002, 0.002, 0.002):
        rests.append(round(pace.rest(1, now, now + took), 6))
        now += took + rests[-1]
    assert rests == [0.0, 0.006, 0.0, 0.009, 0.0, 0.006, 0.0, 0.006]
    assert pace.rest(SMALL - 1, now, now + 1) == 0
    assert pace.rest(SMALL, now + 1, now + 2) == 0
    assert pace.rest(SMALL - 1, now + 2, now + 3) == LONGEST
    assert pace.rest(0, now + 3, now + 4) == 0


def test_who_has_little_to_do_does_not_rest() -> None:
    """Fifty messages a second that take five milliseconds each."""
    assert set(day(0.02, 0.005, 200)) == {(1, 0.0)}


def test_who_has_fallen_behind_for_once_is_soon_without_rests_again() -> None:
    batches = day(0.02, 0.005, 400, slow={50: 0.2})
    assert any(rest for _, rest in batches[50:60])
    assert set(batches[60:]) == {(1, 0.0)}


def test_who_is_always_behind_rests_every_other_time_and_takes_more_at_once() -> None:
    batches = day(0.004, 0.005, 400)
    assert {rest for _, rest in batches[1::2]} == {TIMES * 0.005}
    assert {many for many, _ in batches[2::2]} <= {5, 6}


def rests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every rest is a third of a second from now on; of how many messages each came after."""
    asked: list[int] = []

    def pause(self: Pace, many: int, began: float, ended: float) -> float:
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
