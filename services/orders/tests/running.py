"""Orders running on PostgreSQL: it hears others and itself, fires timers and answers requests, without Kafka."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from psycopg_pool import AsyncConnectionPool

from services.orders.app import service
from services.orders.listens import listen
from services.orders.tests import hearing
from services.orders.tests.hearing import CUSTOMER, LI, OTHER_STORE, STORE, SUN, ZHAO, an_id
from shared.bus.cloudevents import Envelope, heard, read, to_message
from shared.bus.heard import Heard
from shared.deciding import Folder
from shared.events.vault import MemoryVault
from shared.handling import Handler
from shared.processes.timers import Timers
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.testing.servers import FreshDatabase
from shared.values.clock import utc_now
from shared.web.app import create_app
from shared.web.auth import Auth, bearer
from shared.web.tests.client import Answer, Client

SELLING = frozenset({"orders.read", "orders.write", "orders.sign", "orders.deliver"})
MANAGING = SELLING | {"orders.approve", "orders.all"}
PEOPLE = {
    "li": Auth(LI, SELLING, frozenset({STORE}), frozenset({"sales-consultant"})),
    "chen": Auth(an_id(24), SELLING, frozenset({STORE}), frozenset({"sales-consultant"})),
    "zhao": Auth(ZHAO, MANAGING, frozenset({STORE}), frozenset({"sales-manager"})),
    "sun": Auth(SUN, MANAGING, frozenset({OTHER_STORE}), frozenset({"sales-manager"})),
    "owner": Auth(an_id(25), frozenset({"orders.read", "orders.approve", "orders.all"}), roles=frozenset({"group-owner"}), all_stores=True),
    "admin": Auth(an_id(26), frozenset({"rules.write"}), roles=frozenset({"administrator"})),
    "clerk": Auth(an_id(27), frozenset({"inventory.read"}), frozenset({STORE}), frozenset({"stock-clerk"})),
}


class ByName:
    """Believes the name in the token."""

    async def authenticate(self, headers: Mapping[str, str]) -> Auth:
        """Who is called so."""
        return PEOPLE[bearer(headers)]


@dataclass
class Running:
    """The service, and what a test does with it. `told` are all public events of its own so far."""

    store: PostgresStore
    handler: Handler
    reader: AsyncConnectionPool[Any]
    vault: MemoryVault
    settings: Any = field(default_factory=lambda: SimpleNamespace(internal_public_key="", cursor_secret="x" * 40))
    keys: Any = field(default_factory=lambda: count(1))
    told: list[Heard] = field(default_factory=list)
    position: int = 0
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(create_app(service, self, authenticator=ByName()))

    async def hear(self, *events: Any) -> None:
        """Hears public events of others, then whatever follows from them here."""
        for event in events:
            await self.take(hearing.hear(event, utc_now()))
        await self.settle()

    async def take(self, public: Heard) -> None:
        """What a consumer does with one message."""
        async with self.store.begin() as tx:
            await self.handler.apply(tx, [(public, listen(public))], "orders")

    async def settle(self) -> None:
        """Hears its own public events and fires timers until nothing is left to do."""
        while await self.own() or await Timers(self.store, self.handler).fire(50):
            pass

    async def own(self) -> int:
        """Hears its own public events once."""
        rows = [row for row in await self.store.waiting(10_000) if row.position > self.position]
        for row in rows:
            self.position = row.position
            message = to_message(row, "orders", "test")
            envelope = read(message)
            assert isinstance(envelope, Envelope)
            public = heard(envelope, message.value)
            self.told.append(public)
            await self.take(public)
        return len(rows)

    def all(self, kind: type) -> list[Any]:
        """Its public events of a kind, oldest first."""
        return [public.event for public in self.told if isinstance(public.event, kind)]

    def last(self, kind: type) -> Any:
        """The newest public event of a kind."""
        return self.all(kind)[-1]

    async def post(self, path: str, body: Any = None, by: str = "li", key: str | None = None, match: str = "*") -> Answer:
        """A command and all that follows from it, with a key of its own unless one is given."""
        headers = {"authorization": f"Bearer {by}", "idempotency-key": key or f"k{next(self.keys)}", "if-match": match}
        answer = await self.client.post(f"/api/v1{path}", body, headers)
        await self.settle()
        return answer

    async def get(self, path: str, by: str = "li") -> Answer:
        """A read."""
        return await self.client.get(f"/api/v1{path}", {"authorization": f"Bearer {by}"})

    async def late(self) -> None:
        """Plays a fortnight later: fires every timer there is."""
        async with self.store.begin() as tx:
            due = await tx.fired(100, utc_now() + timedelta(days=14))
            await self.handler.fire(tx, due)
        await self.settle()


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """Orders on a fresh database that knows a little world, with a customer whose name is sealed."""
    writer_url, reader_url = await fresh_database("orders")
    await migrate(writer_url, "orders_reader", service.all_tables())
    options: dict[str, Any] = {"kwargs": {"autocommit": True}, "open": False, "min_size": 1, "max_size": 5}
    async with AsyncConnectionPool(writer_url, **options) as writer, AsyncConnectionPool(reader_url, **options) as reader:
        store = PostgresStore(writer)
        await store.open()
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        await handler.start()
        try:
            made = Running(store, handler, reader, MemoryVault())
            name, phone = await made.vault.seal(CUSTOMER, "林悦"), await made.vault.seal(CUSTOMER, "+8613800138000")
            await made.hear(*hearing.everything(), replace(hearing.customer, name=name, phone=phone))
            yield made
        finally:
            await handler.stop()
