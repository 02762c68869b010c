"""Contenders of one row, measured in turns: rates, latencies and the CPU that an operation costs."""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a contender did in its turn."""

    operations: int
    seconds: float
    latencies: Sequence[float] = ()
    """Seconds, one per operation where it was taken."""
    cpu: float | None = None
    """CPU seconds of a contender that ran in a process of its own and counted for itself."""
    figure: float | None = None
    """What was measured, where that is no rate."""


type Contender = Callable[[float], Awaitable[Took]]
"""Works for about so many seconds."""


@dataclass(frozen=True)
class Prepared:
    """A contender with work before each turn that does not count."""

    prepare: Callable[[], Awaitable[None]]
    run: Contender


type Contenders = dict[str, Contender | Prepared]


@dataclass
class Figures:
    """A contender's turns, in order."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    own_cpu: list[float] = field(default_factory=list)
    """Microseconds per operation in the contender itself."""
    server_cpu: list[float] = field(default_factory=list)
    """The same in PostgreSQL, Kafka and whatever else it calls."""
    others: list[float] = field(default_factory=list)
    """The share of the machine that somebody else used meanwhile."""

    @property
    def rate(self) -> float:
        """Operations a second or another figure, the median turn's."""
        return statistics.median(self.rates)

    @property
    def server(self) -> float:
        """Microseconds of the servers' CPU per operation, the median turn's."""
        return statistics.median(self.server_cpu)


type Results = Mapping[str, Figures]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A number that the row must reach, or stay below."""

    text: str
    value: Callable[[Results], float]
    least: float | None = None
    most: float | None = None

    def known(self, results: Results) -> float | None:
        """The value, or None where a peer's figures are missing."""
        try:
            return self.value(results)
        except KeyError:
            return None

    def met(self, results: Results) -> bool:
        """Whether it was reached."""
        value = self.value(results)
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def times(ours: str, peer: str, least: float) -> Goal:
    """Ours does at least `least` times as much a second as the peer."""
    return Goal(text=f"{ours} ÷ {peer}", value=lambda r: r[ours].rate / r[peer].rate, least=least)


class Meter:
    """CPU used so far by this process with its ended children, by the servers, and by the whole machine."""

    def __init__(self, servers: Callable[[], Iterable[int]]) -> None:
        self.servers = servers

    def read(self) -> tuple[float, float, float]:
        """Seconds each."""
        mine = os.times()
        busy = psutil.cpu_times()
        return sum(mine[:4]), sum(map(tree_cpu, self.servers())), sum(busy) - busy.idle - getattr(busy, "iowait", 0.0)


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and all its children, the ended ones included."""
    spent = 0.0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for member in family:
        try:
            used = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += used.user + used.system + used.children_user + used.children_system
    return spent


async def turn(contender: Contender | Prepared, seconds: float, meter: Meter, figures: Figures) -> Took:
    """One contender's turn, entered into its figures."""
    if isinstance(contender, Prepared):
        await contender.prepare()
        contender = contender.run
    began, before = time.perf_counter(), meter.read()
    took = await contender(seconds)
    wall, after = time.perf_counter() - began, meter.read()
    own, server, busy = (now - then for now, then in zip(after, before, strict=True))
    n = max(took.operations, 1)
    figures.rates.append(took.operations / took.seconds if took.figure is None else took.figure)
    figures.own_cpu.append((own if took.cpu is None else took.cpu) / n * 1e6)
    figures.server_cpu.append(server / n * 1e6)
    figures.others.append(max(0.0, (busy - own - server) / wall / (os.cpu_count() or 1)))
    if took.latencies:
        ordered = sorted(took.latencies)
        figures.p50.append(ordered[len(ordered) // 2] * 1e3)
        figures.p99.append(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3)
    return took


async def callers(many: int, seconds: float, operation: Callable[[int], Awaitable[object]]) -> Took:
    """`many` callers, each asking once and again as soon as it is answered; `operation` is told which caller asks."""
    latencies: list[float] = []
    began = time.perf_counter()
    end = began + seconds

    async def call(caller: int) -> None:
        asked = time.perf_counter()
        while True:
            await operation(caller)
            answered = time.perf_counter()
            latencies.append(answered - asked)
            if answered >= end:
                return
            asked = answered

    async with asyncio.TaskGroup() as tasks:
        for caller in range(many):
            tasks.create_task(call(caller))
    return Took(operations=len(latencies), seconds=time.perf_counter() - began, latencies=latencies)
