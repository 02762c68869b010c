"""Where a row is measured: the servers of a laptop, databases of its own, and what counts as a server's CPU."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from deploy.bench.peers.install import NotInstalled
from deploy.bench.peers.run import Failed
from deploy.local.setup import at
from shared.deciding import Aggregate, Folder
from shared.events.registry import Registry
from shared.handling import CACHED, Handler
from shared.store.migrate import migrate
from shared.store.pool import Pool
from shared.store.postgres import PostgresStore
from shared.testing.servers import Servers
from shared.views.table import Table


@dataclass
class Place:
    """Real servers, started when first asked for. `beside` are further processes that serve, whose CPU counts as the servers'."""

    servers: Servers
    beside: list[int] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    """Peers that could not be run, and why."""

    def serving(self) -> list[int]:
        """The process ids whose CPU is the servers'."""
        return [*self.servers.pids, *self.beside]

    @contextmanager
    def perhaps(self, name: str) -> Iterator[None]:
        """A peer that cannot be had leaves a note and no figures."""
        try:
            yield
        except (NotInstalled, Failed) as error:
            self.absent[name] = str(error)

    async def superuser(self, name: str) -> str:
        """A database for a peer that makes its own schema; a superuser's URL, as its own guides have it."""
        writer, _ = await self.servers.fresh_database(name)
        return at(self.servers.postgres, urlsplit(writer).path[1:])

    async def database(self, name: str, *tables: Table[Any]) -> str:
        """A migrated database of its own; the writer's URL."""
        writer, reader = await self.servers.fresh_database(name)
        await migrate(writer, urlsplit(reader).username or "", tables)
        return writer


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresStore]:
    """The store in a database, as a service opens it."""
    async with Pool(url, "bench") as pool:
        store = PostgresStore(pool)
        await store.open()
        yield store


@asynccontextmanager
async def handling(
    store: PostgresStore, stored: Registry, *aggregates: Aggregate[Any, Any, Any], remember: bool = True
) -> AsyncIterator[Handler]:
    """A handler at work, as a service has it; without memory every stream is cold."""
    handler = Handler(store, Folder(stored, aggregates), cached=CACHED if remember else 0)
    await handler.start()
    try:
        yield handler
    finally:
        await handler.stop()
