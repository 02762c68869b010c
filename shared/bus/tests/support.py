"""A shelf that keeps, per stream, the numbers it heard in the order it heard them: what is lost, doubled or reordered shows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from psycopg_pool import AsyncConnectionPool

from shared.bus.cloudevents import to_message
from shared.bus.consumer import Consumer
from shared.bus.heard import Effect, Heard
from shared.bus.protocol import Bus, Message
from shared.contracts.orders import VehicleRequested
from shared.deciding import Folder
from shared.events.envelope import sequence
from shared.events.registry import Registry
from shared.handling import Handler
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.protocol import Commit, OutboxRow, Store
from shared.testing.servers import Servers
from shared.values.clock import utc_now
from shared.values.ids import derived_id
from shared.views.table import Change, Table

TYPE = "orders.VehicleRequested.v1"
LINEAGE = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Shelf:
    stream: str
    numbers: list[int]


shelves: Table[Shelf] = Table(name="shelves", version=1, row=Shelf, key=("stream",), store=None)


def row(stream: str, n: int, type: str = TYPE) -> OutboxRow:
    """The n-th public event of a stream, counted from 1."""
    event = VehicleRequested(request_id=str(n), order_id=stream, vin="V", store_id="s", seller_id="li")
    attributes = {"time": utc_now(), "authid": "system", "correlationid": "c", "storeid": "s"}
    return OutboxRow(
        id=derived_id(stream, str(n), type),
        stream=stream,
        sequence=sequence(n, 0),
        type=type,
        data=msgspec.json.encode(event).decode(),
        headers=msgspec.json.encode(attributes).decode(),
    )


def message(stream: str, n: int, type: str = TYPE, lineage: str = LINEAGE) -> Message:
    return to_message(row(stream, n, type), "orders", lineage)


async def append(store: Store, rows: Iterable[OutboxRow]) -> None:
    for each in rows:
        await store.append(Commit(outbox=[each]))


@dataclass
class Listener:
    """Listens as a service does; `fails` says which events it cannot take, `of_use` of which it makes something (None: of all)."""

    fails: Callable[[Heard], Exception | None] = lambda heard: None
    of_use: Collection[int] | None = None
    calls: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, heard: Heard) -> list[Effect]:
        n = int(heard.event.request_id)
        self.calls.append((heard.stream, n))
        if error := self.fails(heard):
            raise error
        if self.of_use is not None and n not in self.of_use:
            return []
        return [Change(shelves, (heard.stream,), lambda shelf: Shelf(heard.stream, [*(shelf.numbers if shelf else []), n]))]


def consumer(store: Store, bus: Bus, listener: Listener, **also: Any) -> Consumer:
    handler = Handler(store, Folder(Registry("stock", {}), ()))
    return Consumer("stock", store, bus, ["orders"], listener, handler.apply, **{"tries": 3, "pause": 0.001, **also})


async def shelf(store: Store, stream: str) -> list[int]:
    found = await store.rows(shelves, [(stream,)])
    return list(found[(stream,)].numbers) if found else []


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    """Waits for a condition, plain or awaitable; AssertionError when it does not come."""
    async with asyncio.timeout(seconds):
        while True:
            met = true()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(writer_url: str) -> AsyncIterator[PostgresStore]:
    """A store on a database that has been migrated."""
    async with AsyncConnectionPool(writer_url, min_size=1, max_size=4, kwargs={"autocommit": True}, open=False) as pool:
        store = PostgresStore(pool)
        await store.open()
        yield store


async def fresh_store(servers: Servers, name: str) -> str:
    """A migrated database of its own; the writer's URL."""
    writer, reader = await servers.fresh_database(name)
    await migrate(writer, urlsplit(reader).username or "", [shelves])
    return writer


def holder(n: int) -> UUID:
    return UUID(int=n)
