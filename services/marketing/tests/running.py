"""Marketing running on PostgreSQL: it hears events, fires timers and answers requests, without Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.marketing.app import service
from services.marketing.tests import hearing
from services.marketing.tests.hearing import OTHER_STORE, OWNER, SOUTHERNER, STORE, SUN, ZHAO, hear
from shared.testing.hearing import NOON, an_id
from shared.testing.running import Running as Base
from shared.testing.running import on_database
from shared.testing.servers import FreshDatabase
from shared.web.auth import Auth

PLANS = frozenset({"campaigns.read", "campaigns.write", "campaigns.spend"})
PEOPLE = {
    "sun": Auth(SUN, PLANS, frozenset({STORE})),
    "zhao": Auth(ZHAO, frozenset({"campaigns.read", "campaigns.approve"}), frozenset({STORE})),
    "owner": Auth(OWNER, PLANS | {"campaigns.approve"}, all_stores=True),
    "southerner": Auth(SOUTHERNER, PLANS | {"campaigns.approve"}, frozenset({OTHER_STORE})),
    "li": Auth(an_id(25), frozenset({"campaigns.read"}), frozenset({STORE})),
}


@dataclass
class Running(Base):
    """The service, and what a test does with it."""

    service = service
    people = PEOPLE
    asks = "sun"

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Hears public events, then fires the timers that are due."""
        for event in events:
            await self.take(hear(event, at))
        await self.tick()


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """Marketing on a fresh database that knows a legal entity, two stores and a colleague."""
    async with on_database(Running, fresh_database) as made:
        await made.hear(hearing.entity, hearing.store(), hearing.store(OTHER_STORE, "BJ2"), hearing.staff)
        yield made
