"""Finance running on PostgreSQL: it hears events, fires timers and answers requests, without Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.finance.app import service
from services.finance.tests import hearing
from services.finance.tests.hearing import OTHER_STORE, STORE, WANG, ZHAO, hear
from shared.testing.hearing import NOON, an_id
from shared.testing.running import Running as Base
from shared.testing.running import on_database
from shared.testing.servers import FreshDatabase
from shared.web.auth import Auth

ALL = frozenset({"finance.read", "finance.receipt", "finance.pay", "finance.approve", "finance.invoice", "finance.ledger"})
PEOPLE = {
    "wang": Auth(WANG, ALL, frozenset({STORE, OTHER_STORE})),
    "zhao": Auth(ZHAO, ALL, frozenset({STORE, OTHER_STORE})),
    "sun": Auth(an_id(23), ALL, frozenset({OTHER_STORE})),
    "he": Auth(an_id(25), ALL, frozenset({STORE})),
    "li": Auth(an_id(24), frozenset({"orders.read"}), frozenset({STORE})),
}


@dataclass
class Running(Base):
    """The service, and what a test does with it."""

    service = service
    people = PEOPLE
    asks = "wang"

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Hears public events, then fires the timers they set."""
        for event in events:
            await self.take(hear(event, at))
        await self.tick()

    async def balances(self, by: str = "wang") -> dict[str, str]:
        """The trial balance by account, zeros left out."""
        made = (await self.get("/ledger/trial-balance?as_of=2099-12-31", by)).json
        assert all(total["balance"]["amount"] == "0.00" for total in made["totals"])
        return {item["account"]: item["balance"]["amount"] for item in made["items"] if item["balance"]["amount"] != "0.00"}


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """Finance on a fresh database that knows a legal entity, two stores, staff and a customer."""
    async with on_database(Running, fresh_database) as made:
        await made.hear(hearing.entity, hearing.store(), hearing.store(OTHER_STORE, "BJ2"), hearing.staff)
        yield made
