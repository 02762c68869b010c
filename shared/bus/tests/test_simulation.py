"""Relay and consumers under seeded faults: cut publishes, unknown outcomes, repeated messages, changing leaders and members."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.parked import retry, waiting
from shared.bus.protocol import BusUnavailable, topic_of
from shared.bus.relay import Relay
from shared.bus.tests.support import Listener, append, consumer, holder, row, shelf, until
from shared.store.memory import MemoryStore
from shared.store.protocol import Conflict, Unavailable

TOPIC = topic_of("orders")
STREAMS, EVENTS = 5, 8


class FaultyStore(MemoryStore):
    """Transactions break before the commit, or after it without an answer."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.calm = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        fate = 1.0 if self.calm else self.dice.random()
        async with super().begin() as tx:
            yield tx
            if fate < 0.1:
                raise Unavailable if fate < 0.05 else Conflict
        if fate < 0.2:
            raise Unavailable


async def publish(dice: random.Random, bus: MemoryBus, relays: list[Relay]) -> None:
    """One leader's turn: it may be cut short, deposed in the middle, or followed by a burst of old messages."""
    relay = dice.choice(relays)
    if not await relay.take_lease():
        return
    if dice.random() < 0.2:
        bus.cut_after = dice.randrange(4)
    with suppress(BusUnavailable):
        await relay.publish_once()
    bus.cut_after = None
    if dice.random() < 0.2:
        again = [record.message for record in bus.records(TOPIC)]
        start = dice.randrange(len(again) + 1)
        await bus.publish(TOPIC, again[start : start + 5])


async def simulate(seed: int) -> dict[str, list[int]]:
    """What the consumers' shelves hold in the end."""
    dice = random.Random(seed)
    bus, theirs, ours = MemoryBus(partitions=3, most=7), MemoryStore(), FaultyStore(dice)
    relays = [Relay(theirs, bus, "orders", holder(n), batch=4, lease=0.0001) for n in range(2)]
    poison = {(f"order-{dice.randrange(STREAMS)}", str(dice.randrange(1, EVENTS + 1))) for _ in range(2)}
    listener = Listener(lambda heard: ValueError() if not ours.calm and (heard.stream, heard.event.request_id) in poison else None)
    ears = [asyncio.create_task(consumer(ours, bus, listener, tries=2, pause=0.0001).run()) for _ in range(2)]
    events = [row(f"order-{s}", n) for n in range(1, EVENTS + 1) for s in range(STREAMS)]
    while events or theirs.data.outbox:
        due = dice.randrange(6)
        await append(theirs, events[:due])
        del events[:due]
        await publish(dice, bus, relays)
        if dice.random() < 0.1:
            ears.pop(0).cancel()
            ears.append(asyncio.create_task(consumer(ours, bus, listener, tries=2, pause=0.0001).run()))
        await asyncio.sleep(0.0005 * dice.random())
    ours.calm = True
    ends = {record.place: record.offset + 1 for record in bus.records(TOPIC)}
    await until(lambda: all(ours.data.offsets.get(("stock", *place), 0) >= end for place, end in ends.items()))
    for ear in ears:
        ear.cancel()
    await asyncio.gather(*ears, return_exceptions=True)
    well = consumer(ours, bus, listener)
    for stream in {message.stream for message in await waiting(ours, "stock")}:
        await retry(ours, "stock", "orders", stream, well.listen, well.apply)
    return {f"order-{s}": await shelf(ours, f"order-{s}") for s in range(STREAMS)}


@pytest.mark.parametrize("block", range(10))
async def test_nothing_is_lost_doubled_or_reordered(block: int) -> None:
    for seed in range(block * 10, block * 10 + 10):
        assert await simulate(seed) == {f"order-{s}": list(range(1, EVENTS + 1)) for s in range(STREAMS)}, f"seed {seed}"
