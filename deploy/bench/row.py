"""A row of the table: its contenders on their place, its goals, and what comes out of it."""

import asyncio
import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from deploy.bench.measure import Contenders, Figures, Goal, Meter, turn
from deploy.bench.peers.run import Failed
from deploy.bench.place import Place
from shared.testing.servers import Servers


@dataclass(frozen=True, kw_only=True)
class Row:
    """`contenders` opens what the row needs and names who takes turns."""

    name: str
    title: str
    unit: str
    contenders: Callable[[Place], AbstractAsyncContextManager[Contenders]]
    goals: Sequence[Goal]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a row's contenders did, and whose figures are missing."""

    row: Row
    results: dict[str, Figures]
    absent: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Figures and goals as numbers."""
        return {
            "row": self.row.name,
            "unit": self.row.unit,
            "contenders": {name: summary(figures) for name, figures in self.results.items()},
            "goals": [
                {"what": goal.text, "value": round(value, 3), "least": goal.least, "most": goal.most, "met": goal.met(self.results)}
                for goal in self.row.goals
                if (value := goal.known(self.results)) is not None
            ],
            "absent": self.absent,
        }


def summary(figures: Figures) -> dict[str, Any]:
    """Medians and the spread of the rate."""
    made = {
        "rate": figures.rate,
        "least": min(figures.rates),
        "most": max(figures.rates),
        "own_cpu_us": statistics.median(figures.own_cpu),
        "server_cpu_us": statistics.median(figures.server_cpu),
        "others": statistics.median(figures.others),
    }
    if figures.p50:
        made |= {"p50_ms": statistics.median(figures.p50), "p99_ms": statistics.median(figures.p99)}
    return {name: round(value, 3) for name, value in made.items()}


async def measured(row: Row, seconds: float, rounds: int) -> Outcome:
    """Every contender `rounds` times, in turns, on servers of the row's own. A first short turn of each warms up and is forgotten."""
    servers = Servers(durable=True)
    place = Place(servers)
    meter, results = Meter(place.serving), dict[str, Figures]()
    try:
        async with row.contenders(place) as contenders:
            for number in range(rounds + 1):
                for name, contender in contenders.items():
                    if name in place.absent:
                        continue
                    try:
                        figures = results.setdefault(name, Figures()) if number else Figures()
                        await turn(contender, seconds if number else min(seconds, 0.5), meter, figures)
                    except Failed as error:
                        place.absent[name] = str(error)
                        results.pop(name, None)
    finally:
        await asyncio.to_thread(servers.stop)
    return Outcome(row=row, results=results, absent=place.absent)
