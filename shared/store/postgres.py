"""The event store on PostgreSQL: psycopg, one statement per append where a commit releases nothing."""

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.decider import Count, Take, TakeSlot
from shared.ops import failpoints
from shared.store import statements
from shared.store.protocol import (
    NOTHING,
    SECTION,
    Answer,
    Commit,
    Conflict,
    EventRow,
    Kept,
    Key,
    Loaded,
    OutboxRow,
    Republication,
    Section,
    Taken,
    TimerRow,
    Unavailable,
    Watermark,
)
from shared.views.table import Table

type Connection = psycopg.AsyncConnection[Any]

_EVENT = """stream, version, id, type, type_version, convert_from(data, 'UTF8') as data, convert_from(meta, 'UTF8') as meta,
    occurred_at, recorded_at, encode(hash, 'hex') as hash"""
_LOAD = f"select {_EVENT} from events where stream = any(%s::text[]) order by stream, version"
_LOAD_ON = f"""select {_EVENT} from unnest(%s::text[], %s::bigint[]) as known(stream, since) join events using (stream)
    where version > since order by stream, version"""
_ANSWERS = """select subject, route, key, body_hash, status, stream, version, seen from idempotency
    where (subject, route, key) in (select * from json_to_recordset(%s::json) as x(subject text, route text, key text))"""
_NUMBER = """insert into numbers (series, day, n) values (%s, %s, %s)
    on conflict (series, day) do update set n = numbers.n + excluded.n returning n"""
_LEAD = """insert into leases (name, holder, epoch, expires_at)
    values (%(name)s, %(holder)s, 1, clock_timestamp() + make_interval(secs => %(seconds)s))
    on conflict (name) do update set
        epoch = case when leases.holder = excluded.holder then leases.epoch else leases.epoch + 1 end,
        holder = excluded.holder, expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    where leases.holder = excluded.holder or leases.expires_at < clock_timestamp()
    returning epoch"""
_WAITING = """select id, stream, sequence, type, convert_from(data, 'UTF8'), convert_from(headers, 'UTF8'), position, recorded_at
    from outbox where position <> all(%s::bigint[]) order by position limit %s"""
_SENT = """with mine as (select from leases where name = %(lease)s and epoch = %(epoch)s for update),
    gone as (delete from outbox where position = any(%(positions)s::bigint[]) and exists (select from mine))
    select count(*) from mine"""
# The statement's own start bounds it, and it is read before the outbox: whatever commits later began its transaction after the bound.
_WATERMARK_WRITERS = """select least(statement_timestamp(), min(xact_start)) from pg_stat_activity
    where datname = current_database() and usename = current_user and pid <> pg_backend_pid() and xact_start is not null"""
_WATERMARK_OUTBOX = "select min(recorded_at) from outbox"
_FIRED = """select key, due_at, stream, type, convert_from(data, 'UTF8') as data, convert_from(meta, 'UTF8') as meta
    from timers where due_at <= coalesce(%s::timestamptz, clock_timestamp()) order by due_at, key limit %s for update skip locked"""
_FAILING = """select key, due_at, stream, type, convert_from(data, 'UTF8') as data, convert_from(meta, 'UTF8') as meta, tries, cause
    from timers where tries > 0 and tries >= %s order by key"""
_KEPT = """select stream, version, id, type, type_version, occurred_at, meta, data, hash from events where stream in
    (select distinct stream from events where stream > %s order by stream limit %s) order by stream, version"""
_HOLD_KEYS = "select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(%s::text[]) as key"
# A transaction is in one section whole, however many events it has.
_SECTION = """with bound as (select coalesce(%(until)s::text::xid8, least(pg_snapshot_xmin(pg_current_snapshot()),
        (select greatest(xid::text::bigint, %(since)s::bigint + 1)::text::xid8 from events
            where xid >= %(since)s::text::xid8 order by xid offset %(most)s limit 1))) as until)
    select (select until::text::bigint from bound), count(*),
        encode(sha256(coalesce(string_agg(hash, ''::bytea order by stream, version), '')), 'hex')
    from events where xid >= %(since)s::text::xid8 and xid < (select until from bound)"""
_REPUBLICATION = """select id, starts, after, done_at is not null as done, failed from republications
    where case when %(id)s::bigint is null then done_at is null else id = %(id)s end order by id limit 1"""
_REPUBLISHED = """update republications set starts = coalesce(starts, %(starts)s::jsonb), after = greatest(after, %(after)s),
    failed = coalesce(failed, %(failed)s), done_at = coalesce(done_at, case when %(done)s then clock_timestamp() end) where id = %(id)s"""


_AWAY = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout, PoolTimeout)
"""Also a session that the server ended because this process stood still within a transaction."""
TOO_LARGE = "54"
"""The class of SQLSTATEs that say a row or key is beyond a limit: the command's fault, not the server's."""


def array(values: Collection[str]) -> str:
    """A text[] literal: psycopg's list dumper is Python and three times slower."""
    return "{" + ",".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values) + "}"


def _numbers(values: Collection[int]) -> str:
    """A bigint[] literal."""
    return "{" + ",".join(map(str, values)) + "}"


class PostgresTransaction:
    """One open transaction on one connection."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.told: list[Callable[[], object]] = []

    def after(self, told: Callable[[], object]) -> None:
        """`told` is called once this transaction has committed."""
        self.told.append(told)

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """The events of `streams` beyond the version known of each, and the stored answers of `keys`."""
        events: dict[str, list[EventRow]] = {stream: [] for stream in streams}
        if streams:
            cursor = self.conn.cursor(binary=True)
            if known:
                found = await cursor.execute(_LOAD_ON, [array(streams), _numbers([known.get(stream, 0) for stream in streams])])
            else:
                found = await cursor.execute(_LOAD, [array(streams)])
            for row in await found.fetchall():
                events[row[0]].append(EventRow(*row))
        answers: dict[Key, Answer] = {}
        if keys:
            cursor = self.conn.cursor(binary=True)
            for row in await (await cursor.execute(_ANSWERS, [statements.text([asdict(key) for key in keys])])).fetchall():
                key = Key(subject=row[0], route=row[1], key=row[2])
                answers[key] = Answer(key=key, body_hash=row[3], status=row[4], stream=row[5], version=row[6], seen=row[7])
        return Loaded(events=events, answers=answers)

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        found = await (await self.conn.execute("select stream from claims where kind = %s and key = %s", [kind, key])).fetchone()
        return found[0] if found else None

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        return await self._rows(table, keys, "")

    async def lock(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key, held against other writers until this transaction ends; in key order, else two would deadlock.

        Where there is no row to be held yet, its key is: of two who write its first version, the second sees what the first wrote.
        """
        held = f"order by {', '.join(table.key)} for update"
        found = await self._rows(table, keys, held)
        if missing := [key for key in keys if key not in found]:
            await self.conn.execute(_HOLD_KEYS, [array(sorted(f"{table.sql_name}{key}" for key in missing))])
            found |= await self._rows(table, missing, held)
        return found

    async def _rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]], held: str) -> dict[tuple[Any, ...], Any]:
        if not keys:
            return {}
        wanted = statements.text([dict(zip(table.key, key, strict=True)) for key in keys])
        cursor = self.conn.cursor(row_factory=dict_row)
        found = await (await cursor.execute(cast(Any, _by_key(table, held)), [wanted])).fetchall()
        made = [msgspec.convert(row, type=table.row) for row in found]
        return {table.key_of(row): row for row in made}

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        test = " and ".join(f"{name} = %({name})s" for name in where) or "true"
        cursor = self.conn.cursor(row_factory=dict_row)
        sql = f"select {', '.join(table.columns)} from {table.sql_name} where {test}"
        found = await (await cursor.execute(cast(Any, sql), where)).fetchall()
        return [msgspec.convert(row, type=table.row) for row in found]

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys; 0 for one never counted."""
        sql = "select key, n from tallies where kind = %s and key = any(%s::text[])"
        found = await (await self.conn.execute(sql, [kind, array(keys)])).fetchall()
        return dict.fromkeys(keys, 0) | {row[0]: row[1] for row in found}

    async def append(self, commit: Commit) -> None:
        """Writes a commit. Raises Conflict or Taken, after which the transaction is dead."""
        try:
            for statement in statements.before(commit):
                await self.conn.execute(cast(Any, statement.sql), statement.params)
            if whole := statements.append(commit):
                await self.conn.execute(cast(Any, whole.sql), whole.params)
        except psycopg.Error as error:
            raise translated(error, commit) from error

    async def number(self, series: str, day: date, many: int = 1) -> int:
        """The next number of a series on a business day, the last of so `many`; gapless."""
        found = await (await self.conn.execute(_NUMBER, [series, day, many])).fetchone()
        assert found is not None
        return int(found[0])

    async def fired(self, limit: int, now: datetime | None = None) -> list[TimerRow]:
        """Timers due by then (None: by the store's own clock), locked for this transaction and skipped by others."""
        cursor = self.conn.cursor(row_factory=dict_row)
        return [TimerRow(**row) for row in await (await cursor.execute(_FIRED, [now, limit])).fetchall()]

    async def postpone(self, key: str, by: timedelta, cause: str) -> None:
        """A timer that is due and could not be handled waits on, by the database's clock; the try is counted. One set anew meanwhile stays as it is."""
        sql = "update timers set due_at = clock_timestamp() + %s, tries = tries + 1, cause = %s where key = %s and due_at <= clock_timestamp()"
        await self.conn.execute(sql, [by, cause.replace("\0", "\N{REPLACEMENT CHARACTER}"), key])


class PostgresStore:
    """The store of one service, on a pool of role writer whose connections autocommit."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self.pool = pool
        self.lineage = ""

    async def open(self) -> None:
        """Reads the store's lineage; the schema is there already."""
        async with self.look() as tx:
            found = await (await tx.conn.execute("select lineage from store")).fetchone()
            self.lineage = str(found[0]) if found else ""

    @asynccontextmanager
    async def look(self) -> AsyncIterator[PostgresTransaction]:
        """Each statement a transaction of its own, so that reading takes one round trip instead of three."""
        try:
            async with self.pool.connection() as conn:
                yield PostgresTransaction(conn)
        except _AWAY as error:
            raise translated(error, Commit()) from error

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTransaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self.look() as tx:
            async with tx.conn.transaction():
                yield tx
                failpoints.hit("append.before_commit")
            failpoints.hit("append.after_commit")
            for told in tx.told:
                told()

    async def load(self, streams: Collection[str], keys: Collection[Key] = (), known: Mapping[str, int] = NOTHING) -> Loaded:
        """The events of `streams` beyond the version known of each, and the stored answers of `keys`."""
        async with self.look() as tx:
            return await tx.load(streams, keys, known)

    async def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds a claimed key, or None."""
        async with self.look() as tx:
            return await tx.holder(kind, key)

    async def rows(self, table: Table[Any], keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Rows of a view by key."""
        async with self.look() as tx:
            return await tx.rows(table, keys)

    async def scan(self, table: Table[Any], **where: object) -> list[Any]:
        """Rows of a view whose columns equal the given values."""
        async with self.look() as tx:
            return await tx.scan(table, **where)

    async def tallies(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """The tallies of these keys; 0 for one never counted."""
        async with self.look() as tx:
            return await tx.tallies(kind, keys)

    async def append(self, commit: Commit) -> None:
        """One commit: a single autocommitted statement, or a transaction where something must be released first."""
        if statements.before(commit):
            async with self.begin() as tx:
                await tx.append(commit)
            return
        async with self.look() as tx:
            failpoints.hit("append.before_commit")
            await tx.append(commit)
            failpoints.hit("append.after_commit")

    async def lead(self, name: str, holder: UUID, seconds: float) -> int | None:
        """Takes or renews a lease by the database's clock."""
        async with self.look() as tx:
            found = await (await tx.conn.execute(_LEAD, {"name": name, "holder": holder, "seconds": seconds})).fetchone()
            return int(found[0]) if found else None

    async def waiting(self, limit: int, but: Collection[int] = ()) -> Sequence[OutboxRow]:
        """The oldest outbox rows in position order, without those at the positions of `but`."""
        async with self.look() as tx:
            cursor = tx.conn.cursor(binary=True)
            return [OutboxRow(*row) for row in await (await cursor.execute(_WAITING, [_numbers(but), limit])).fetchall()]

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        """Deletes these rows while the lease is still of this epoch: by list, a range would lose rows that commit late."""
        async with self.look() as tx:
            found = await (await tx.conn.execute(_SENT, {"lease": lease, "epoch": epoch, "positions": _numbers(positions)})).fetchone()
            return bool(found and found[0])

    async def watermark(self) -> Watermark:
        """How far this store has been published: now or the oldest open writer, read first, then the oldest unpublished row."""
        async with self.look() as tx:
            writers = await (await tx.conn.execute(_WATERMARK_WRITERS)).fetchone()
            oldest = await (await tx.conn.execute(_WATERMARK_OUTBOX)).fetchone()
            assert writers is not None and oldest is not None
            return Watermark(min(writers[0], oldest[0] or writers[0]), oldest[0])

    async def streams(self, after: str, limit: int) -> list[str]:
        """The names of the streams that follow `after`, in their order."""
        async with self.look() as tx:
            sql = "select distinct stream from events where stream > %s order by stream limit %s"
            return [stream for (stream,) in await (await tx.conn.execute(sql, [after, limit])).fetchall()]

    async def failing(self, tries: int) -> list[TimerRow]:
        """Timers that could not be handled so often, or more."""
        async with self.look() as tx:
            cursor = tx.conn.cursor(row_factory=dict_row)
            return [TimerRow(**row) for row in await (await cursor.execute(_FAILING, [tries])).fetchall()]

    async def kept(self, after: str, limit: int) -> list[Kept]:
        """The whole of the `limit` streams that follow `after`, as they lie there, by stream and version."""
        async with self.look() as tx:
            cursor = tx.conn.cursor(binary=True)
            return [Kept(*row) for row in await (await cursor.execute(_KEPT, [after, limit])).fetchall()]

    async def section(self, since: int, until: int | None = None, *, most: int = SECTION) -> Section:
        """The events from one bound to another, both transaction ids."""
        bounds = {"since": str(since), "until": None if until is None else str(until), "most": most}
        async with self.look() as tx:
            found = await (await tx.conn.execute(_SECTION, bounds)).fetchone()
            assert found is not None
            return Section(*found)

    async def republish(self) -> int:
        """Asks for the whole store to be told again; the id of that request."""
        async with self.look() as tx:
            found = await (await tx.conn.execute("insert into republications default values returning id")).fetchone()
            assert found is not None
            return int(found[0])

    async def republication(self, id: int | None = None) -> Republication | None:
        """This request, or the oldest one that is not done."""
        async with self.look() as tx:
            cursor = tx.conn.cursor(row_factory=dict_row)
            found = await (await cursor.execute(_REPUBLICATION, {"id": id})).fetchone()
            return msgspec.convert(found, type=Republication, str_keys=True) if found else None

    async def republished(self, now: Republication) -> None:
        """Keeps how far it has come; it never goes back."""
        starts = statements.text(now.starts) if now.starts is not None else None
        async with self.look() as tx:
            await tx.conn.execute(_REPUBLISHED, {**asdict(now), "starts": starts})


@cache
def _by_key(table: Table[Any], held: str) -> str:
    shape = ", ".join(f"{name} {table.columns[name]}" for name in table.key)
    wanted = f"select * from json_to_recordset(%s::json) as x({shape})"
    return f"select {', '.join(table.columns)} from {table.sql_name} where ({', '.join(table.key)}) in ({wanted}) {held}"


def translated(error: Exception, commit: Commit) -> Exception:
    """What a database error means to a caller: a lost race, a held claim, or an unknown outcome."""
    if isinstance(error, (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation, psycopg.errors.CheckViolation)):
        diag = error.diag
        family = {"claims_pkey": Take, "slots_overlap": TakeSlot, "tallies_full": Count}.get(diag.constraint_name or "")
        if family is not None:
            return Taken(_culprit([c for _, c in commit.claims if isinstance(c, family)], diag.message_detail or ""))
        return Conflict() if isinstance(error, psycopg.errors.UniqueViolation) else error
    if isinstance(error, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)):
        return Conflict()
    if isinstance(error, _AWAY) and not (getattr(error, "sqlstate", None) or "").startswith(TOO_LARGE):
        return Unavailable()
    return error


def _culprit(claims: list[Any], detail: str) -> Any:
    """The claim the database names in its detail: `Key (kind, key)=(…, …)` or `row contains (…, …, …)`."""
    named = re.search(r"(?:=|contains )\((.*)", detail)
    inside = named.group(1) if named else ""
    return next((c for c in claims if inside.startswith((f"{c.kind}, {c.key},", f"{c.kind}, {c.key})"))), claims[0])
