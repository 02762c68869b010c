"""After-sales running on PostgreSQL: it hears events, fires timers and answers requests, without Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.aftersales.app import service
from services.aftersales.tests import hearing
from services.aftersales.tests.hearing import BUYER, CUSTOMER, HE, LI, OTHER_STORE, SHANGHAI, SOUTHERNER, STORE, WU, ZHAO, hear, person
from shared.testing.hearing import NOON
from shared.testing.running import Running as Base
from shared.testing.running import on_database
from shared.testing.servers import FreshDatabase
from shared.values.clock import local_day, utc_now
from shared.web.auth import Auth

SERVES = frozenset({"service.book", "service.work", "service.read", "complaints.write"})
PEOPLE = {
    "wu": Auth(WU, SERVES, frozenset({STORE})),
    "he": Auth(HE, SERVES, frozenset({STORE})),
    "li": Auth(LI, frozenset({"service.book", "complaints.write"}), frozenset({STORE})),
    "zhao": Auth(ZHAO, frozenset({"service.book", "service.read", "complaints.write"}), frozenset({STORE})),
    "southerner": Auth(SOUTHERNER, SERVES, frozenset({OTHER_STORE})),
}


@dataclass
class Running(Base):
    """The service, and what a test does with it."""

    service = service
    people = PEOPLE
    asks = "wu"

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Hears public events, then fires the timers that are due."""
        for event in events:
            await self.take(hear(event, at, getattr(event, "store_id", STORE)))
        await self.tick()

    async def all_due(self) -> None:
        """Fires every timer that waits now, as if its time had come, from two workers at once."""
        async with self.store.begin() as tx:
            await tx.conn.execute("update timers set due_at = now()")
        await asyncio.gather(self.tick(), self.tick())

    async def did(self, path: str, body: Any = None, by: str = "wu") -> str:
        """A command that is accepted; the id it answers."""
        answer = await self.post(path, body, by)
        assert answer.status in (200, 201), answer.body
        return str(answer.json["id"])

    async def bay(self, name: str = "Bay 1", store_id: str = STORE, by: str = "wu") -> str:
        """An open bay."""
        return await self.did("/service-bays", {"store_id": store_id, "name": name}, by)


def at(hour: int, minute: int = 0, days: int = 1) -> datetime:
    """That time at the store, so many days from today."""
    day = local_day(utc_now(), SHANGHAI) + timedelta(days=days)
    return datetime.combine(day, time(hour, minute), ZoneInfo(SHANGHAI))


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """After-sales on a fresh database that knows a legal entity, two stores, their people and two customers."""
    async with on_database(Running, fresh_database) as made:
        await made.hear(
            hearing.entity,
            hearing.store(),
            hearing.store(OTHER_STORE, "BJ2"),
            person(WU, "wu", "service-adviser"),
            person(HE, "he", "service-adviser"),
            person(LI, "li", "sales-consultant"),
            person(SOUTHERNER, "southerner", "service-adviser", at=OTHER_STORE),
            replace(hearing.customer(CUSTOMER, ""), name=await made.vault.seal(CUSTOMER, "林悦")),
            replace(hearing.customer(BUYER, ""), name=await made.vault.seal(BUYER, "周平")),
        )
        yield made
