"""A client of Kafka that will not let go is let go."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from shared.bus.kafka import KafkaBus, _within
from shared.bus.protocol import BusUnavailable, Message, Place
from shared.testing.servers import Servers


async def test_a_job_that_swallows_its_cancellation_is_waited_for_no_longer() -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await _within(0.05, stubborn())
    assert asyncio.get_running_loop().time() - began < 1


async def test_what_goes_wrong_in_time_is_told() -> None:
    async def failing() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await _within(1, failing())


async def test_a_job_that_cuts_itself_off_does_not_cut_off_who_waits() -> None:
    async def job() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ConnectionError):
        await _within(5, job())


@pytest.mark.parametrize("call", ["getmany", "stop"])
async def test_a_member_outlives_what_its_client_does_to_itself(servers: Servers, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A client that was stopped while it waited for Kafka cancels its fetches, and with them whoever stops it."""
    prefix = await servers.fresh_topics("orders")
    bus = KafkaBus(servers.kafka)
    done = getattr(AIOKafkaConsumer, call)

    async def cut_off(self: AIOKafkaConsumer, **options: Any) -> None:
        await done(self, **options)
        raise asyncio.CancelledError

    async def starts(places: Collection[Place]) -> dict[Place, int]:
        return dict.fromkeys(places, 0)

    async def member() -> None:
        async with bus.subscribe([f"{prefix}.orders"], f"{prefix}.stock", starts) as subscription:
            while not await subscription.poll(0.1):
                pass
            raise BusUnavailable

    await bus.publish(f"{prefix}.orders", [Message(b"order-1", b"{}", [])])
    monkeypatch.setattr(AIOKafkaConsumer, call, cut_off)
    with pytest.raises(BusUnavailable):
        await asyncio.create_task(member())
    await bus.close()
