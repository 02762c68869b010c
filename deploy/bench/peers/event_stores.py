"""The event stores of others as contenders of an append."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from deploy.bench import raw
from deploy.bench.measure import Contender, Took, callers
from deploy.bench.peers import install
from deploy.bench.peers.run import HERE, run

FUNCTIONS = (
    *("message-store-version", "hash-64", "category", "is-category", "id", "cardinal-id", "stream-version", "acquire-lock"),
    *("get-category-messages", "get-last-stream-message", "get-stream-messages", "write-message"),
)
WRITE = "select write_message(%s::varchar, %s::varchar, %s::varchar, %s::jsonb, %s::jsonb, %s::bigint)"


def eventsourcing(url: str, what: str, threads: int) -> Contender:
    """pyeventsourcing: `append` by its default way, `function` by its database functions."""
    python = install.peers()

    async def contender(seconds: float) -> Took:
        return await run([python, HERE / "es.py", what, url, str(threads), str(seconds)])

    return contender


def emmett(url: str, callers: int) -> Contender:
    """emmett-postgresql on Node."""
    folder, node = install.modules(), install.node()

    async def contender(seconds: float) -> Took:
        return await run([node, HERE / "emmett.mjs", url, str(callers), str(seconds)], folder=folder)

    return contender


@asynccontextmanager
async def message_db(superuser: str, many: int, categories: int) -> AsyncIterator[Contender]:
    """message-db's write_message on `many` connections; its lock is per category. The database of `superuser` is its own."""
    _create(superuser, install.modules() / "node_modules/@eventide/message-db/database")
    async with raw.connections(superuser, many) as connections:
        for connection in connections:
            await connection.execute("set search_path = message_store, public")

        async def write(caller: int) -> None:
            stream = f"order{caller % categories}-{uuid4()}"
            data = raw.payload().decode()
            await connections[caller].execute(WRITE, [str(uuid4()), stream, "Placed", data, raw.META.decode(), -1])

        async def contender(seconds: float) -> Took:
            return await callers(many, seconds, write)

        yield contender


def _create(url: str, folder: Path) -> None:
    files = [
        *("types/message.sql", "tables/messages.sql"),
        *(f"functions/{name}.sql" for name in FUNCTIONS),
        *(f"indexes/messages-{name}.sql" for name in ("id", "stream", "category")),
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((folder / "schema/message-store.sql").read_bytes())
        connection.execute("set search_path = message_store, public")
        for file in files:
            connection.execute((folder / file).read_bytes().replace(b"CONCURRENTLY", b""))
