"""Orders running on PostgreSQL: it hears others and itself, fires timers and answers requests, without Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from services.orders.app import service
from services.orders.tests import hearing
from services.orders.tests.hearing import CUSTOMER, LI, OTHER_STORE, STORE, SUN, ZHAO
from shared.bus.cloudevents import Envelope, heard, read, to_message
from shared.bus.heard import Heard
from shared.processes.timers import Timers
from shared.testing.hearing import an_id
from shared.testing.running import Running as Base
from shared.testing.running import on_database
from shared.testing.servers import FreshDatabase
from shared.values.clock import utc_now
from shared.web.auth import Auth
from shared.web.tests.client import Answer

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


@dataclass
class Running(Base):
    """The service, and what a test does with it. `public` are all public events of its own so far."""

    service = service
    people = PEOPLE
    asks = "li"

    public: list[Heard] = field(default_factory=list)
    position: int = 0

    async def hear(self, *events: Any) -> None:
        """Hears public events of others, then whatever follows from them here."""
        for event in events:
            await self.take(hearing.hear(event, utc_now()))
        await self.settle()

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
            self.public.append(public)
            await self.take(public)
        return len(rows)

    def all(self, kind: type) -> list[Any]:
        """Its public events of a kind, oldest first."""
        return [public.event for public in self.public if isinstance(public.event, kind)]

    def last(self, kind: type) -> Any:
        """The newest public event of a kind."""
        return self.all(kind)[-1]

    async def post(self, path: str, body: Any = None, by: str | None = None, key: str | None = None, match: str = "*") -> Answer:
        """A command and all that follows from it, with a key of its own unless one is given."""
        answer = await super().post(path, body, by, key, match)
        await self.settle()
        return answer

    async def late(self) -> None:
        """Plays a fortnight later: fires every timer there is."""
        async with self.store.begin() as tx:
            due = await tx.fired(100, utc_now() + timedelta(days=14))
            await self.handler.fire(tx, due)
        await self.settle()


@asynccontextmanager
async def running(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """Orders on a fresh database that knows a little world, with a customer whose name is sealed."""
    async with on_database(Running, fresh_database) as made:
        name, phone = await made.vault.seal(CUSTOMER, "林悦"), await made.vault.seal(CUSTOMER, "+8613800138000")
        await made.hear(*hearing.everything(), replace(hearing.customer, name=name, phone=phone))
        yield made
