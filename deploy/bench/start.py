"""How fast everything is there, what memory it takes, and what it costs while nobody asks for anything."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from deploy.bench.measure import Contenders, Goal, Took, noted, tree_cpu
from deploy.bench.place import Place
from deploy.bench.services import ready, running
from deploy.local.plan import SERVICES, Plan
from shared.testing.platform import Platform

ALONE, WHOLE = "one service alone", "the whole platform"
SETTLE = 10.0
"""Seconds until nothing is busy with starting any more."""
WATCH = 15.0
ANSWER, PSS, TOTAL, IDLE = "all nine answer after, s", "PSS, MB", "PSS with servers, MB", "idle CPU of a service, % of a core"
GOALS = (
    Goal(text="seconds until all nine answer", value=noted(WHOLE, ANSWER), most=4),
    Goal(text="PSS of one service alone, MB", value=noted(ALONE, PSS), most=115),
    Goal(text="PSS of the idle platform with its three servers, MB", value=noted(WHOLE, TOTAL), most=1200),
)


def pss(pid: int) -> float:
    """Megabytes of a process and its children, shared pages by their share."""
    spent = 0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            spent += process.memory_full_info().pss
        except psutil.Error:
            continue
    return spent / 1e6


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """Each turn starts anew."""

    async def alone(seconds: float) -> Took:
        async with running(place, ("orders",)):
            await asyncio.sleep(SETTLE / 2)
            return Took(operations=1, seconds=seconds, notes={PSS: pss(place.beside[-1])})

    async def whole(seconds: float) -> Took:
        platform = Platform()
        starting = asyncio.create_task(asyncio.to_thread(platform.start))
        try:
            waited = await _all_answer(platform)
            await starting
            await asyncio.sleep(SETTLE)
            services = [platform.process(name).pid for name in SERVICES]
            before = sum(map(tree_cpu, services))
            await asyncio.sleep(WATCH)
            idle = (sum(map(tree_cpu, services)) - before) / WATCH / len(SERVICES) * 100
            notes = {ANSWER: waited, TOTAL: pss(platform.pid), IDLE: idle}
            return Took(operations=len(SERVICES), seconds=waited, notes=notes)
        finally:
            await asyncio.gather(starting, return_exceptions=True)
            await asyncio.to_thread(platform.stop)

    yield {ALONE: alone, WHOLE: whole}


async def _all_answer(platform: Platform) -> float:
    """Seconds from the first service's start until the last one answers."""
    gateway = {"BASE_PORT": str(platform.base), "PORT": str(platform.base + 80), "FORECOURT_VAR": str(platform.folder)}
    plan = Plan.from_environment({**os.environ, **gateway})
    waiting = {name: plan.port(name) for name in SERVICES}
    until = time.monotonic() + 120
    while waiting and time.monotonic() < until:
        for name, port in list(waiting.items()):
            if await asyncio.to_thread(ready, port):
                del waiting[name]
        await asyncio.sleep(0.01)
    answered = time.time()
    return answered - min(platform.process(name).create_time() for name in SERVICES)
