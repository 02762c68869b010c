"""Customers running on PostgreSQL: it hears events and answers requests, without Kafka; the caretaker works when told to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from psycopg_pool import AsyncConnectionPool

from services.customers.app import service
from services.customers.caretaker import Caretaker
from services.customers.tests import hearing
from services.customers.tests.hearing import LI, MA, NOON, OTHER_STORE, OWNER, STORE, SUN, WANG, ZHAO, hear
from shared.deciding import Folder
from shared.events.vault import MemoryVault
from shared.handling import Handler
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.testing.servers import FreshDatabase
from shared.web.app import create_app
from shared.web.auth import Auth, bearer
from shared.web.tests.client import Answer, Client

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


class ByName:
    """Believes the name in the token."""

    async def authenticate(self, headers: Mapping[str, str]) -> Auth:
        """Who is called so."""
        return PEOPLE[bearer(headers)]


@dataclass
class Running:
    """The service, and what a test does with it."""

    store: PostgresStore
    handler: Handler
    reader: AsyncConnectionPool[Any]
    vault: MemoryVault
    settings: Any = field(default_factory=lambda: SimpleNamespace(internal_public_key="", cursor_secret="x" * 40))
    client: Client = field(init=False)
    caretaker: Caretaker = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(create_app(service, self, authenticator=ByName()))
        self.caretaker = Caretaker(self.store, self.handler, self.vault)

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Public events of others, as the consumer brings them, in one transaction."""
        heard = [hear(event, at) for event in events]
        async with self.store.begin() as tx:
            await self.handler.apply(tx, [(one, service.listen(one)) for one in heard], "customers")

    async def post(self, path: str, body: Any = None, by: str = "li", match: str = "*", key: str | None = None) -> Answer:
        """A command, with a key of its own unless one is given."""
        headers = {"authorization": f"Bearer {by}", "idempotency-key": key or str(uuid4()), "if-match": match}
        return await self.client.post(f"/api/v1{path}", body, headers)

    async def get(self, path: str, by: str = "li") -> Answer:
        """A read."""
        return await self.client.get(f"/api/v1{path}", {"authorization": f"Bearer {by}"})

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
    writer_url, reader_url = await fresh_database("customers")
    await migrate(writer_url, "customers_reader", service.all_tables())
    options: dict[str, Any] = {"kwargs": {"autocommit": True}, "open": False, "min_size": 1, "max_size": 5}
    async with AsyncConnectionPool(writer_url, **options) as writer, AsyncConnectionPool(reader_url, **options) as reader:
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        try:
            made = Running(store, handler, reader, MemoryVault())
            stores = hearing.store(), hearing.store(OTHER_STORE, "US1", "America/New_York")
            await made.hear(*stores, hearing.seller(LI), hearing.seller(WANG), hearing.seller(SUN, OTHER_STORE))
            yield made
        finally:
            await handler.stop()
