"""Makes a view anew from its history, beside the live one, and puts it in its place with a pause of a quarter of a second at most."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Protocol, cast

import msgspec
import psycopg
import structlog
from psycopg.types.json import Jsonb

from shared.ops import failpoints
from shared.store import statements
from shared.views.schema import bare, finish
from shared.views.table import Table

log = structlog.get_logger(__name__)

type Connection = psycopg.AsyncConnection[Any]

BESIDE = "rebuilding"
"""The schema in which a table grows up under the name it will have."""
_ONE_AT_A_TIME = 7002
CHUNK = 20_000
"""Events read in one transaction."""
STREAMS = 1_000
"""Streams folded again in one transaction."""
FEW = 200
"""Streams that may be left for the time under the lock."""
LOCK_WAIT = 0.1
HOLD = 0.15
"""Seconds under the lock after which a try is given up: with the wait for the lock that is a quarter of a second."""
TRIES = 200
SHOWN = 20


class CannotRebuild(Exception):
    """The view cannot be made from what this service keeps, or another rebuild runs."""


class _TooSlow(Exception):
    """Too much is left to do under the lock."""


@dataclass
class Made:
    """What streams make of a view: their rows, and the keys they ever had, some of which may be gone."""

    rows: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    keys: set[tuple[Any, ...]] = field(default_factory=set)

    def put(self, key: tuple[Any, ...], row: Any) -> None:
        """The row of a key, whole."""
        self.rows[key] = row
        self.keys.add(key)


class History(Protocol):
    """Where a view comes from: a table with `stream`, an order within it, and the `xid` of the transaction that wrote a row."""

    table: str
    order: str
    columns: str
    """What `fold` is given of each row; `stream` comes first."""
    parts: tuple[str, ...]
    """The streams that matter: conditions of one stretch each, so that the key's index finds it in order."""

    def fold(self, rows: Sequence[tuple[Any, ...]], made: Made) -> None:
        """Takes the whole history of some streams, by stream and in order."""
        ...


@dataclass(kw_only=True)
class Outcome:
    """What a rebuild found and did."""

    view: str
    rows: int = 0
    wrong: int = 0
    """Rows of the live table that were not what the history says."""
    shown: list[str] = field(default_factory=list)
    """The first of them."""
    pause: float = 0.0
    """The longest time, in seconds, for which writers may have waited."""
    tries: int = 0
    seconds: float = 0.0
    left: list[str] = field(default_factory=list)
    """Tables of older versions of this view that are still there."""


async def rebuild(writer_url: str, reader: str, table: Table[Any], history: History) -> Outcome:
    """Rebuilds one view, or builds a version that is not there yet. Raises CannotRebuild."""
    began = time.perf_counter()
    options = "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c lock_timeout=5s"
    async with await psycopg.AsyncConnection.connect(writer_url, autocommit=True, options=options) as conn:
        (mine,) = await _one(conn, "select pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        if not mine:
            raise CannotRebuild("Another rebuild runs in this database.")
        work = _Rebuild(conn, reader, table, history)
        try:
            await work.run()
        finally:
            if not conn.broken:
                await conn.execute(f"drop schema if exists {BESIDE} cascade")
        work.outcome.seconds = time.perf_counter() - began
    log.info("view rebuilt", view=table.sql_name, rows=work.outcome.rows, wrong=work.outcome.wrong, pause=round(work.outcome.pause, 3))
    return work.outcome


async def drop(writer_url: str, tables: Sequence[str]) -> None:
    """Drops tables of older versions, which no running process uses any more."""
    async with await psycopg.AsyncConnection.connect(writer_url, autocommit=True, options="-c lock_timeout=5s") as conn:
        for name in tables:
            await conn.execute(f"drop table public.{name}".encode())


class _Rebuild:
    """One view on one connection, whose search path finds the new table before the live one."""

    def __init__(self, conn: Connection, reader: str, table: Table[Any], history: History) -> None:
        self.conn = conn
        self.reader = reader
        self.table = table
        self.history = history
        self.outcome = Outcome(view=table.sql_name)
        self._only = f"({' or '.join(history.parts)})"
        self._bound = 0
        """Every event of an earlier transaction is in the new table."""
        self._wrong: set[tuple[Any, ...]] = set()

    async def run(self) -> None:
        """Builds, catches up, compares, and takes over."""
        await self._run(f"drop schema if exists {BESIDE} cascade")
        await self._run(f"create schema {BESIDE}")
        await self._run(f"set search_path = {BESIDE}, public")
        await self._run(bare(self.table))
        await self._build()
        failpoints.hit("rebuild.built")
        async with self.conn.transaction():
            await self._run(finish(self.table, self.conn.info.user, self.reader))
        await self._run(f"analyze {self.table.sql_name}")
        (live,) = await _one(self.conn, "select to_regclass(%s) is not null", [f"public.{self.table.sql_name}"])
        if live:
            await self._catch_up()
            await self._compare()
            await self._catch_up()
            await self._take_over()
            self.outcome.wrong = len(self._wrong)
        else:
            await self._catch_up()
            await self._run(f"alter table {BESIDE}.{self.table.sql_name} set schema public")
        (self.outcome.rows,) = await _one(self.conn, f"select count(*) from public.{self.table.sql_name}")
        self.outcome.left = await self._older()

    async def _older(self) -> list[str]:
        sql = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname ~ %s"
        found = await (await self.conn.execute(sql, [f"^{self.table.name}_[0-9]+$"])).fetchall()
        return sorted(name for (name,) in found if int(name.rpartition("_")[2]) < self.table.version)

    # --- what has happened until now ---------------------------------------------------------------------------------

    async def _build(self) -> None:
        """Everything, stream by stream, in short transactions. The bound is taken before the first event is read."""
        await self._mark()
        for part in self.history.parts:
            await self._build_part(part)

    async def _build_part(self, part: str) -> None:
        after, most = "", CHUNK
        sql = (
            f"select {self.history.columns} from {self.history.table} where stream > %s and {part} "
            f"order by stream, {self.history.order} limit %s"
        )
        while rows := await self._rows(sql, [after, most]):
            whole = rows
            if len(rows) == most:
                whole = [row for row in rows if row[0] != rows[-1][0]]
                if not whole:
                    most *= 2
                    continue
            most = CHUNK
            made = Made()
            self.history.fold(whole, made)
            await self._copy(made)
            after = whole[-1][0]

    async def _mark(self) -> int:
        """Moves the bound to the oldest transaction still open; the bound before."""
        before = self._bound
        (self._bound,) = await _one(self.conn, "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return before

    async def _copy(self, made: Made) -> None:
        columns = self.table.columns
        values = [_value(name, kind) for name, kind in columns.items()]
        sql = f"copy {self.table.sql_name} ({', '.join(columns)}) from stdin (format binary)"
        async with self.conn.cursor().copy(sql.encode()) as copy:
            copy.set_types(list(columns.values()))
            for row in made.rows.values():
                await copy.write_row([value(row) for value in values])

    # --- what has happened meanwhile ---------------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        """Rounds without a lock, until little is left."""
        for _ in range(TRIES):
            touched = await self._touched(await self._mark())
            for start in range(0, len(touched), STREAMS):
                async with self.conn.transaction():
                    await self._refold(touched[start : start + STREAMS])
            if len(touched) <= FEW:
                return
        raise CannotRebuild("Events come in faster than this view can be folded.")

    async def _touched(self, bound: int) -> list[str]:
        """Streams with events of transactions that had not ended when the bound was taken, or began later."""
        sql = f"select distinct stream from {self.history.table} where xid >= %s::text::xid8 and {self._only}"
        return sorted(stream for (stream,) in await self._rows(sql, [str(bound)]))

    async def _refold(self, streams: Sequence[str]) -> Made:
        """These streams from their beginning: one cannot be continued, as a later event may carry an earlier xid."""
        made = Made()
        if streams:
            sql = f"select {self.history.columns} from {self.history.table} where stream = any(%s) and {self._only}"
            self.history.fold(await self._rows(f"{sql} order by stream, {self.history.order}", [list(streams)]), made)
        for statement, rows in (
            (statements.drop(self.table), [dict(zip(self.table.key, key, strict=True)) for key in made.keys - made.rows.keys()]),
            (statements.upsert(self.table), list(made.rows.values())),
        ):
            if rows:
                await self.conn.execute(cast(Any, statement), [statements.text(rows)])
        return made

    async def _compare(self) -> None:
        """Both tables row by row in one snapshot: a row and the event it comes from are committed together."""
        async with self.conn.transaction():
            await self._run("set transaction isolation level repeatable read")
            await self._refold(await self._touched(await self._mark()))
            await self._differences()

    async def _differences(self, keys: set[tuple[Any, ...]] | None = None) -> None:
        """Counts the rows that differ, all or of these keys."""
        name, key, params = self.table.sql_name, self.table.key, {}
        old = f"public.{name}"
        if keys is not None:
            shape = ", ".join(f"{column} {self.table.columns[column]}" for column in key)
            old = (
                f"(select * from public.{name} where ({', '.join(key)}) in (select * from json_to_recordset(%(keys)s::json) as x({shape})))"
            )
            params = {"keys": statements.text([dict(zip(key, values, strict=True)) for values in keys])}
        new = old.replace(f"public.{name}", f"{BESIDE}.{name}")
        same = " and ".join(f"o.{column} = n.{column}" for column in key)
        sides = [", ".join(f"{side}.{column}" for column in self.table.columns) for side in "on"]
        sql = (
            f"select o.{key[0]} is null, n.{key[0]} is null, {', '.join(f'coalesce(o.{c}, n.{c})' for c in key)} "
            f"from {old} o full join {new} n on {same} where ({sides[0]}) is distinct from ({sides[1]})"
        )
        async with self.conn.cursor() as cursor:
            await cursor.execute(cast(Any, sql), params)
            async for missing, surplus, *values in cursor:
                if tuple(values) in self._wrong:
                    continue
                self._wrong.add(tuple(values))
                if len(self.outcome.shown) < SHOWN:
                    what = "missing" if missing else "too many" if surplus else "different"
                    self.outcome.shown.append(f"{', '.join(map(str, values))}: {what}")

    # --- the change of tables ----------------------------------------------------------------------------------------

    async def _take_over(self) -> None:
        """Tries until writers let go of the table in time; waiting for the lock stops them too."""
        passing = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, psycopg.errors.DeadlockDetected, TimeoutError, _TooSlow)
        for self.outcome.tries in range(1, TRIES + 1):
            try:
                async with self._pause():
                    await self._change_tables()
                return
            except passing as error:
                log.info("view not taken over yet", view=self.table.sql_name, error=repr(error))
            await asyncio.sleep(random.uniform(0.05, 0.25))
            await self._catch_up()
        raise CannotRebuild(f"{self.table.sql_name} was never free for {LOCK_WAIT:.1f} s.")

    @asynccontextmanager
    async def _pause(self) -> AsyncIterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.outcome.pause = max(self.outcome.pause, time.perf_counter() - began)

    async def _change_tables(self) -> None:
        """The last round, the comparison of what it touched, and the change: one transaction under the lock."""
        name, bound = self.table.sql_name, self._bound
        async with self.conn.transaction():
            await self._run(f"set local lock_timeout = {LOCK_WAIT * 1000:.0f}; set local statement_timeout = {HOLD * 1000:.0f}")
            await self._run(f"lock table public.{name} in share row exclusive mode")
            async with asyncio.timeout(HOLD):  # PostgreSQL counts each statement anew; the commit is never cut off
                touched = await self._touched(bound)
                if len(touched) > FEW * 5:
                    raise _TooSlow
                made = await self._refold(touched)
                await self._differences(made.keys)
                await self._run("set constraints all immediate")
                await self._run(f"drop table public.{name}")
                await self._run(f"alter table {BESIDE}.{name} set schema public")
                failpoints.hit("rebuild.before_commit")
        failpoints.hit("rebuild.after_commit")

    async def _run(self, sql: str) -> None:
        await self.conn.execute(sql.encode())

    async def _rows(self, sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
        cursor = self.conn.cursor(binary=True)
        return await (await cursor.execute(cast(Any, sql), params)).fetchall()


def _value(name: str, kind: str) -> Callable[[Any], Any]:
    """How a row's value is given to COPY; what has no column type of its own is JSON."""
    get = attrgetter(name)
    if kind != "jsonb":
        return get
    return lambda row: None if (value := get(row)) is None else Jsonb(msgspec.to_builtins(value))


async def _one(conn: Connection, sql: str, params: Sequence[Any] = ()) -> tuple[Any, ...]:
    found = await (await conn.execute(cast(Any, sql), params)).fetchone()
    assert found is not None
    return cast(tuple[Any, ...], found)
