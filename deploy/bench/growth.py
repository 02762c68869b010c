"""What a command and a projected event cost when much is stored already."""

import asyncio
import os
import random
import statistics
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg

from deploy.bench import history, projection
from deploy.bench.measure import Contender, Contenders, Figures, Goal, Prepared, Results, Took, callers
from deploy.bench.model import Change, aggregate, deals, place, request, stored
from deploy.bench.place import Place, handling, opened
from deploy.local.setup import at
from services.reporting.app import service
from shared.bus.kafka import KafkaBus
from shared.handling import Handler
from shared.store import answers
from shared.values.clock import utc_now
from shared.values.ids import new_id

FEW = 100_000
MANY = int(os.environ.get("EVENTS") or 1_000_000)
"""Stored events; ten million need some 30 GB of disk for a while."""
SEEDED = projection.TURN
CALLERS = 64
WHATS = ("commands", "events projected")


def named(what: str, events: int) -> str:
    """A contender's name."""
    return f"{what}, {events:,} stored"


def _cost(figures: Figures) -> float:
    return statistics.median(figures.own_cpu) + statistics.median(figures.server_cpu)


def _no_dearer(what: str) -> Goal:
    def value(results: Results) -> float:
        return _cost(results[named(what, MANY)]) / _cost(results[named(what, FEW)])

    return Goal(text=f"CPU of {what}, {MANY:,} ÷ {FEW:,} stored", value=value, most=1.2)


GOALS = tuple(_no_dearer(what) for what in WHATS)


class Projecting(projection.Ours):
    """Reporting's consumer, which goes on where it was."""

    until = 0

    async def prepare(self) -> None:
        """Tells it of as many leads as a turn has."""
        await projection.tell(self.bus, self.prefix, self.lineage)
        self.until += projection.TURN

    lineage = new_id()


@asynccontextmanager
async def orders(place: Place, events: int) -> AsyncIterator[Contender]:
    """A store with so many events; every other command opens a deal, every other changes an old one."""
    url = await place.database("orders", deals)
    async with opened(url) as store:
        async with handling(store, stored, aggregate) as filling:
            await history.make(filling, SEEDED // history.EVENTS)
        ids = await _grown(place, url, events, {"deals_1": "order_id", "claims": "key", "idempotency": "substr(stream, 6)"}, "events")
        await answers.forget(store)
        await asyncio.to_thread(_as_if_day_by_day, place, url)
        async with handling(store, stored, aggregate, remember=False) as handler:
            yield _commands(handler, ids)


def _commands(handler: Handler, ids: list[str]) -> Contender:
    async def run(seconds: float) -> Took:
        placed: set[int] = set()

        async def operation(caller: int) -> None:
            if caller in placed:
                placed.remove(caller)
                await handler.handle(request(random.choice(ids), Change(at=utc_now()), new=False))
            else:
                placed.add(caller)
                order_id = new_id()
                await handler.handle(request(order_id, place(order_id), new=True))

        return await callers(CALLERS, seconds, operation)

    return run


def _as_if_day_by_day(place: Place, url: str) -> None:
    """What was forgotten at once leaves more holes than what goes day by day, as it does where people work."""
    with psycopg.connect(at(place.servers.postgres, url.rpartition("/")[2]), autocommit=True) as connection:
        connection.execute("vacuum (full, analyze) idempotency")


async def _grown(place: Place, url: str, events: int, about: dict[str, str], log: str) -> list[str]:
    """Copies what a database holds until it has so many events; some ids of streams."""
    superuser = at(place.servers.postgres, url.rpartition("/")[2])
    copies = events // SEEDED - 1
    other = {"idempotency": {"key": "gen_random_uuid()::text"}, "heard_1": {"event_id": "gen_random_uuid()::text"}}
    for table, old in {log: "substr(stream, 6)", **about}.items():
        await asyncio.to_thread(history.copy_rows, superuser, table, old, copies, **other.get(table, {}))
    with psycopg.connect(superuser) as connection:
        few = f"select distinct substr(stream, 6) from {log} tablesample system (%s) limit 20000"
        found = connection.execute(few.encode(), [min(100.0, 4_000_000 / events)]).fetchall()
    return [id for (id,) in found]


@asynccontextmanager
async def reporting(place: Place, events: int) -> AsyncIterator[Projecting]:
    """A consumer beside so many heard events."""
    prefix = await place.servers.fresh_topics("leads")
    bus = KafkaBus(place.servers.kafka)
    url = await place.database("reporting", *service.all_tables())
    async with opened(url) as store:
        ours = Projecting(store, bus, prefix)
        try:
            await ours.prepare()
            await ours.run(0)
            about = {"lead_facts_1": "lead_id", "lead_states_1": "lead_id", "marks": "substr(stream, 6)"}
            await _grown(place, url, events, about, "heard_1")
            yield ours
        finally:
            await bus.close()


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """The same with few and with many events. EVENTS=10000000 is the whole measurement."""
    made: Contenders = {}
    async with AsyncExitStack() as stack:
        for events in (FEW, MANY):
            made[named(WHATS[0], events)] = await stack.enter_async_context(orders(place, events))
        for events in (FEW, MANY):
            ours = await stack.enter_async_context(reporting(place, events))
            made[named(WHATS[1], events)] = Prepared(ours.prepare, ours.run)
        yield made
