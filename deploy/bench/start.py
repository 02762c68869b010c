"""How soon the nine services answer after their start by the supervisor, and what memory all of it and one service alone take."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from deploy.bench.measure import Contenders, Goal, Prepared, Results, Took
from deploy.bench.place import Place
from deploy.bench.services import running
from deploy.local.plan import SERVICES
from shared.testing.platform import Platform

LARGEST = "gateway"
"""The service that needs most."""
STARTED, IDLE, ALONE = "nine services answer, s", "platform idle with servers, MB PSS", f"{LARGEST} alone, MB RSS"
MB = 1e6


def _at_most(name: str, most: float) -> Goal:
    def value(results: Results) -> float:
        return results[name].rate

    return Goal(text=name, value=value, most=most)


GOALS = (_at_most(STARTED, 4), _at_most(IDLE, 1200), _at_most(ALONE, 115))


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Each start but the forgotten first finds its data. Alone a process shares nothing: what it holds is its own."""
    platform = Platform()

    async def stop() -> None:
        platform.stop(keep=True)
        place.beside.clear()
        (platform.folder / "supervisor.log").unlink(missing_ok=True)

    async def start(seconds: float) -> Took:
        began = time.perf_counter()
        platform.start()
        took, now = time.perf_counter() - began, time.time()
        place.beside.append(platform.pid)
        first = min(platform.process(name).create_time() for name in SERVICES)
        return Took(operations=1, seconds=took, figure=now - first)

    async def idle(seconds: float) -> Took:
        await asyncio.sleep(seconds)
        family = [psutil.Process(platform.pid), *platform.processes()]
        held = sum(process.memory_full_info().pss for process in family)
        return Took(operations=1, seconds=seconds, figure=held / MB)

    async def alone(seconds: float) -> Took:
        async with running(place, (LARGEST,)):
            await asyncio.sleep(seconds)
            return Took(operations=1, seconds=seconds, figure=psutil.Process(place.beside[-1]).memory_info().rss / MB)

    try:
        yield {STARTED: Prepared(stop, start), IDLE: idle, ALONE: alone}
    finally:
        platform.stop()
