"""After-sales running on PostgreSQL: it hears events, fires timers and answers requests, without Kafka."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from psycopg_pool import AsyncConnectionPool

from services.aftersales.app import service
from services.aftersales.listens import listen
from services.aftersales.tests import hearing
from services.aftersales.tests.hearing import (
    BUYER,
    CUSTOMER,
    HE,
    LI,
    NOON,
    OTHER_STORE,
    SHANGHAI,
    SOUTHERNER,
    STORE,
    WU,
    ZHAO,
    hear,
    person,
)
from shared.deciding import Folder
from shared.events.vault import MemoryVault
from shared.handling import Handler
from shared.processes.timers import Timers
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.testing.servers import FreshDatabase
from shared.values.clock import local_day, utc_now
from shared.web.app import create_app
from shared.web.auth import Auth, bearer
from shared.web.tests.client import Answer, Client

SERVES = frozenset({"service.book", "service.work", "service.read", "complaints.write"})
PEOPLE = {
    "wu": Auth(WU, SERVES, frozenset({STORE})),
    "he": Auth(HE, SERVES, frozenset({STORE})),
    "li": Auth(LI, frozenset({"service.book", "complaints.write"}), frozenset({STORE})),
    "zhao": Auth(ZHAO, frozenset({"service.book", "service.read", "complaints.write"}), frozenset({STORE})),
    "southerner": Auth(SOUTHERNER, SERVES, frozenset({OTHER_STORE})),
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
    keys: Any = field(default_factory=lambda: count(1))
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(create_app(service, self, authenticator=ByName()))

    async def hear(self, *events: Any, at: datetime = NOON) -> None:
        """Hears public events, then fires the timers that are due."""
        for event in events:
            heard = hear(event, at, getattr(event, "store_id", STORE))
            async with self.store.begin() as tx:
                await self.handler.apply(tx, [(heard, listen(heard))], "aftersales")
        await self.tick()

    async def tick(self) -> None:
        """Fires the timers that are due."""
        while await Timers(self.store, self.handler).fire(50):
            pass

    async def all_due(self) -> None:
        """Fires every timer that waits now, as if its time had come, from two workers at once."""
        async with self.store.begin() as tx:
            await tx.conn.execute("update timers set due_at = now()")
        await asyncio.gather(self.tick(), self.tick())

    async def post(self, path: str, body: Any = None, by: str = "wu", key: str | None = None) -> Answer:
        """A command, with a key of its own unless one is given."""
        headers = {"authorization": f"Bearer {by}", "idempotency-key": key or f"k{next(self.keys)}", "if-match": "*"}
        return await self.client.post(f"/api/v1{path}", body, headers)

    async def did(self, path: str, body: Any = None, by: str = "wu") -> str:
        """A command that is accepted; the id it answers."""
        answer = await self.post(path, body, by)
        assert answer.status in (200, 201), answer.body
        return str(answer.json["id"])

    async def get(self, path: str, by: str = "wu") -> Answer:
        """A read."""
        return await self.client.get(f"/api/v1{path}", {"authorization": f"Bearer {by}"})

    async def told(self, name: str) -> list[str]:
        """The bodies of the public events of this name, in order."""
        return [row.data for row in await self.store.waiting(500) if row.type == f"aftersales.{name}.v1"]

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
    writer_url, reader_url = await fresh_database("aftersales")
    await migrate(writer_url, "aftersales_reader", service.all_tables())
    options: dict[str, Any] = {"kwargs": {"autocommit": True}, "open": False, "min_size": 1, "max_size": 5}
    async with AsyncConnectionPool(writer_url, **options) as writer, AsyncConnectionPool(reader_url, **options) as reader:
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        try:
            made = Running(store, handler, reader, MemoryVault())
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
        finally:
            await handler.stop()
