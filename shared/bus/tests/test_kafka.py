"""A client of Kafka that will not let go is let go."""

import asyncio
from contextlib import suppress

import pytest

from shared.bus.kafka import _within


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
