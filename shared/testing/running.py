"""A service on a real database for its own tests: it hears events, fires timers and answers requests, without Kafka."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

from psycopg_pool import AsyncConnectionPool

from shared.bus.heard import Heard
from shared.deciding import Folder
from shared.events.vault import MemoryVault
from shared.handling import Handler
from shared.processes.timers import Timers
from shared.service import Service
from shared.store.migrate import migrate
from shared.store.pool import Readers
from shared.store.postgres import PostgresStore
from shared.testing.servers import FreshDatabase
from shared.web.app import create_app
from shared.web.auth import Auth, bearer
from shared.web.tests.client import Answer, Client


@dataclass(frozen=True)
class ByName:
    """Believes the name in the token."""

    people: Mapping[str, Auth]

    async def authenticate(self, headers: Mapping[str, str]) -> Auth:
        """Who is called so."""
        return self.people[bearer(headers)]


@dataclass
class Running:
    """The service, and what a test does with it. A subclass names the service, its people and who asks when nobody is named."""

    service: ClassVar[Service]
    people: ClassVar[Mapping[str, Auth]]
    asks: ClassVar[str]

    store: PostgresStore
    handler: Handler
    reader: Readers
    vault: Any
    """In memory; None for a service that may not have one."""
    settings: Any = field(default_factory=lambda: SimpleNamespace(internal_public_key="", cursor_secret="x" * 40))
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(create_app(self.service, self, authenticator=ByName(self.people)))

    async def take(self, *heard: Heard) -> None:
        """What a consumer does with these messages, in one transaction."""
        async with self.store.begin() as tx:
            await self.handler.apply(tx, [(one, self.service.listen(one)) for one in heard], self.service.context)

    async def tick(self) -> None:
        """Fires the timers that are due."""
        while await Timers(self.store, self.handler).fire(50):
            pass

    async def post(self, path: str, body: Any = None, by: str | None = None, key: str | None = None, match: str = "*") -> Answer:
        """A command, with a key of its own unless one is given."""
        headers = {"authorization": f"Bearer {by or self.asks}", "idempotency-key": key or str(uuid4()), "if-match": match}
        return await self.client.post(f"/api/v1{path}", body, headers)

    async def get(self, path: str, by: str | None = None) -> Answer:
        """A read."""
        return await self.client.get(f"/api/v1{path}", {"authorization": f"Bearer {by or self.asks}"})

    async def told(self, name: str) -> list[str]:
        """The bodies of the public events of this name that wait to be sent, in order."""
        return [row.data for row in await self.store.waiting(500) if row.type == f"{self.service.context}.{name}.v1"]


@asynccontextmanager
async def on_database[R: Running](kind: type[R], fresh_database: FreshDatabase) -> AsyncIterator[R]:
    """The service of this kind on a fresh database that knows nothing yet."""
    service = kind.service
    writer_url, reader_url = await fresh_database(service.context)
    await migrate(writer_url, f"{service.context}_reader", service.all_tables())
    options: dict[str, Any] = {"kwargs": {"autocommit": True}, "open": False, "min_size": 1, "max_size": 5}
    async with AsyncConnectionPool(writer_url, **options) as writer, Readers(reader_url, "reader") as reader:
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        try:
            yield kind(store, handler, reader, MemoryVault() if service.vault else None)
        finally:
            await handler.stop()
