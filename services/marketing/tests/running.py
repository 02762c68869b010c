"""Marketing running on PostgreSQL: it hears events, fires timers and answers requests, without Kafka."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

from psycopg_pool import AsyncConnectionPool

from services.marketing.app import service
from services.marketing.listens import listen
from services.marketing.tests import hearing
from services.marketing.tests.hearing import NOON, OTHER_STORE, OWNER, SOUTHERNER, STORE, SUN, ZHAO, an_id, hear
from shared.deciding import Folder
from shared.handling import Handler
from shared.processes.timers import Timers
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.testing.servers import FreshDatabase
from shared.web.app import create_app
from shared.web.auth import Auth, bearer
from shared.web.tests.client import Answer, Client

PLANS = frozenset({"campaigns.read", "campaigns.write", "campaigns.spend"})
PEOPLE = {
    "sun": Auth(SUN, PLANS, frozenset({STORE})),
    "zhao": Auth(ZHAO, frozenset({"campaigns.read", "campaigns.approve"}), frozenset({STORE})),
    "owner": Auth(OWNER, PLANS | {"campaigns.approve"}, all_stores=True),
    "southerner": Auth(SOUTHERNER, PLANS | {"campaigns.approve"}, frozenset({OTHER_STORE})),
    "li": Auth(an_id(25), frozenset({"campaigns.read"}), frozenset({STORE})),
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
    vault: None = None
    settings: Any = field(default_factory=lambda: SimpleNamespace(internal_public_key="", cursor_secret="x" * 40))
    keys: Any = field(default_factory=lambda: count(1))
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(create_app(service, self, authenticator=ByName()))

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Hears public events, then fires the timers that are due."""
        for event in events:
            heard = hear(event, at)
            async with self.store.begin() as tx:
                await self.handler.apply(tx, [(heard, listen(heard))], "marketing")
        await self.tick()

    async def tick(self) -> None:
        """Fires the timers that are due."""
        while await Timers(self.store, self.handler).fire(50):
            pass

    async def post(self, path: str, body: Any = None, by: str = "sun", key: str | None = None, match: str = "*") -> Answer:
        """A command, with a key of its own unless one is given."""
        headers = {"authorization": f"Bearer {by}", "idempotency-key": key or f"k{next(self.keys)}", "if-match": match}
        return await self.client.post(f"/api/v1{path}", body, headers)

    async def get(self, path: str, by: str = "sun") -> Answer:
        """A read."""
        return await self.client.get(f"/api/v1{path}", {"authorization": f"Bearer {by}"})

    async def told(self, name: str) -> list[str]:
        """The bodies of the public events of this name, in order."""
        return [row.data for row in await self.store.waiting(500) if row.type == f"marketing.{name}.v1"]


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """Marketing on a fresh database that knows a legal entity, two stores and a colleague."""
    writer_url, reader_url = await fresh_database("marketing")
    await migrate(writer_url, "marketing_reader", service.all_tables())
    options: dict[str, Any] = {"kwargs": {"autocommit": True}, "open": False, "min_size": 1, "max_size": 5}
    async with AsyncConnectionPool(writer_url, **options) as writer, AsyncConnectionPool(reader_url, **options) as reader:
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        try:
            made = Running(store, handler, reader)
            await made.hear(hearing.entity, hearing.store(), hearing.store(OTHER_STORE, "BJ2"), hearing.staff)
            yield made
        finally:
            await handler.stop()
