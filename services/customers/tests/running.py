"""Customers running on PostgreSQL: it hears events and answers requests, without Kafka; the caretaker works when told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.customers.app import service
from services.customers.caretaker import Caretaker
from services.customers.tests import hearing
from services.customers.tests.hearing import LI, MA, OTHER_STORE, OWNER, STORE, SUN, WANG, ZHAO, hear
from shared.testing.hearing import NOON
from shared.testing.running import Running as Base
from shared.testing.running import on_database
from shared.testing.servers import FreshDatabase
from shared.web.auth import Auth

SELLS = frozenset({"customers.read", "customers.write"})
CONSULTANT = frozenset({"sales-consultant"})
PEOPLE = {
    "li": Auth(LI, SELLS, frozenset({STORE}), CONSULTANT),
    "wang": Auth(WANG, SELLS, frozenset({STORE}), CONSULTANT),
    "zhao": Auth(ZHAO, SELLS | {"customers.erase", "leads.assign"}, frozenset({STORE}), frozenset({"sales-manager"})),
    "sun": Auth(SUN, SELLS | {"customers.erase"}, frozenset({OTHER_STORE}), frozenset({"sales-manager"})),
    "ma": Auth(MA, frozenset({"campaigns.read"}), frozenset({STORE}), frozenset({"marketing"})),
    "owner": Auth(OWNER, frozenset({"customers.read", "leads.all"}), roles=frozenset({"group-owner"}), all_stores=True),
}


@dataclass
class Running(Base):
    """The service, and what a test does with it."""

    service = service
    people = PEOPLE
    asks = "li"

    caretaker: Caretaker = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.caretaker = Caretaker(self.store, self.handler, self.vault)

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Public events of others, as the consumer brings them, in one transaction."""
        await self.take(*(hear(event, at) for event in events))

    async def items(self, path: str, by: str = "li") -> list[Any]:
        """The items of a list."""
        answer = await self.get(path, by)
        assert answer.status == 200, answer.body
        return list(answer.json["items"])

    async def events(self, customer_id: str) -> list[str]:
        """The names of what is stored of a customer."""
        stream = f"customer-{customer_id}"
        return [row.type for row in (await self.store.load([stream])).events[stream]]

    async def published(self) -> list[str]:
        """The types on their way out, in order."""
        return [row.type for row in await self.store.waiting(500)]


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """Customers on a fresh database that knows two stores and their people."""
    async with on_database(Running, fresh_database) as made:
        stores = hearing.store(), hearing.store(OTHER_STORE, "US1", "America/New_York")
        await made.hear(*stores, hearing.seller(LI), hearing.seller(WANG), hearing.seller(SUN, OTHER_STORE))
        yield made


def lin(**more: Any) -> dict[str, Any]:
    """The body of a registration."""
    return {
        "store_id": STORE,
        "name": "林悦",
        "phone": "138 0013 8000",
        "email": "Lin.Yue@Example.com",
        "address": "北京市朝阳区建国路 1 号",
        "birthday": "1990-05-17",
        "notes": "likes blue",
        "preferences": {"brand": "VW", "series": "ID.4", "budget": {"amount": "180000.00", "currency": "CNY"}},
        "consents": [{"purpose": "marketing-sms", "given": True, "wording": "privacy-2026-01"}],
    } | more


async def registered(customers: Running, by: str = "li", **more: Any) -> str:
    """The id of a new customer."""
    answer = await customers.post("/customers", lin(**more), by)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])
