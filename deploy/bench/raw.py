"""Hand-written loops, each doing one thing and nothing else: what the machine allows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec
import psycopg

from deploy.bench.model import Placed, place, placed
from shared.values.ids import new_id

type Connection = psycopg.AsyncConnection[Any]

EVENTS = """create table bare (position bigint generated always as identity primary key, stream uuid not null, version int not null,
    type text not null, data bytea not null, meta bytea, at timestamptz not null default now(), unique (stream, version))"""
INSERT = """insert into bare (stream, version, type, data, meta)
    select * from unnest(%s::uuid[], %s::int[], %s::text[], %s::bytea[], %s::bytea[])"""
META = b'{"user":"u1","correlation_id":"c-123456","causation_id":"x-654321"}'
_encode = msgspec.json.Encoder().encode


@asynccontextmanager
async def connections(url: str, many: int) -> AsyncIterator[list[Connection]]:
    """Connections that commit every statement and prepare it at once."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(many):
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
            made.append(await stack.enter_async_context(connection))
        yield made


def event() -> Placed:
    """An event of the size of ours."""
    return placed(place(new_id()))


def payload() -> bytes:
    """The same as JSON."""
    return _encode(event())


def row() -> tuple[Any, ...]:
    """One bare row."""
    return uuid4(), 1, "Placed", payload(), META


class GroupCommit:
    """Callers queue rows; each connection takes all that wait, at most 256, and inserts them by one statement."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._queue: asyncio.Queue[tuple[tuple[Any, ...], asyncio.Future[None]]] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._drain(connection)) for connection in connections]

    async def insert(self, row: tuple[Any, ...]) -> None:
        """Returns when the row is on disk."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((row, future))
        await future

    async def _drain(self, connection: Connection) -> None:
        while True:
            taken = [await self._queue.get()]
            while not self._queue.empty() and len(taken) < 256:
                taken.append(self._queue.get_nowait())
            await connection.execute(INSERT, [list(column) for column in zip(*(row for row, _ in taken), strict=True)])
            for _, future in taken:
                future.set_result(None)

    async def close(self) -> None:
        """Stops draining."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def group_commit(url: str) -> AsyncIterator[GroupCommit]:
    """On two connections and a table of its own."""
    async with connections(url, 2) as two:
        await two[0].execute("drop table if exists bare")
        await two[0].execute(EVENTS)
        group = GroupCommit(two)
        try:
            yield group
        finally:
            await group.close()
