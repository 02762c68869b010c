"""What tests of the store begin with: one on PostgreSQL, and tills to command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from psycopg_pool import AsyncConnectionPool

from shared.deciding import Order
from shared.handling import Handler, Request
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.protocol import Key
from shared.testing import tills
from shared.testing.servers import FreshDatabase
from shared.testing.tills import OpenTill
from shared.values.ids import new_id


@asynccontextmanager
async def postgres_store(fresh_database: FreshDatabase) -> AsyncIterator[PostgresStore]:
    """A migrated database with its pool of role writer."""
    writer, reader = await fresh_database("till")
    await migrate(writer, urlsplit(reader).username or "", [tills.tills])
    async with AsyncConnectionPool(writer, min_size=2, max_size=6, kwargs={"autocommit": True}, open=False) as pool:
        store = PostgresStore(pool)
        await store.open()
        yield store


def request(id: str, command: Any, key: str | None = None, **also: Any) -> Request:
    order = Order(stream=f"till-{id}", meta=tills.meta, **{k: also.pop(k) for k in ("expected", "stores", "must_exist") if k in also})
    scoped = Key(subject="li", route="tills", key=key) if key else None
    return Request(order=order, command=command, key=scoped, **also)


async def opened(handler: Handler, name: str = "front") -> str:
    id = new_id()
    await handler.handle(request(id, OpenTill(name=name)))
    return id
