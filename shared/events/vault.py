"""Where the vault keeps its keys: PostgreSQL for real, memory for unit tests and simulation; one conformance suite holds both to it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import structlog
from psycopg import AsyncConnection, Error, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from shared.decider import Rejected
from shared.events.privacy import PERSON, KeyRow, Masters, Vault, VaultUnavailable
from shared.store import archiver
from shared.store.pool import hung_up

type _Connection = AsyncConnection[TupleRow]
type _Work[R] = Callable[[_Connection], Awaitable[R]]

_SCHEMA = Path(__file__).parent / "sql" / "vault.sql"
_SELECT = "select kid, person_id, purpose, master, wrapped, expires_at from keys"
_DROP = """with tended as (insert into tended (at) values (clock_timestamp()) on conflict (once) do update set at = excluded.at)
    delete from keys where expires_at <= clock_timestamp()"""
_LOCK = 0x7661756C74
"""Advisory lock: shared while a key is made, exclusive while someone is forgotten or merged."""

log = structlog.get_logger()


class PostgresVault(Vault):
    """The vault in a database of its own. `async with` opens and closes its pool; a database that is down does not stop the start."""

    def __init__(self, dsn: str, masters: Masters, clock: Callable[[], float] = time.monotonic, patience: float = 2.0) -> None:
        super().__init__(masters, clock)
        self._clock = clock
        self._patience = patience
        self._down_until = 0.0
        self._pool: AsyncConnectionPool[_Connection] = AsyncConnectionPool(
            dsn,
            min_size=0,
            max_size=5,
            open=False,
            timeout=patience,
            reconnect_timeout=1.0,
            configure=self._configure,
            check=_there,
            kwargs={"autocommit": True, "connect_timeout": 2},
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    async def migrate(self) -> None:
        """Makes the tables that are not there yet; several processes may do so at once. Raises VaultUnavailable."""
        await self._run(self._locked("pg_advisory_xact_lock", lambda c: c.execute(_SCHEMA.read_bytes())))

    async def link(self, person_id: str, other: str) -> None:
        async def work(connection: _Connection) -> None:
            await connection.execute(
                """insert into links select * from (values (%(one)s, %(two)s), (%(two)s, %(one)s)) as pair
                   where not exists (select from forgotten where person_id in (%(one)s, %(two)s)) on conflict do nothing""",
                {"one": person_id, "two": other},
            )

        await self._run(self._locked("pg_advisory_xact_lock", work))

    async def drop_expired(self) -> int:
        return await self._run(lambda c: _count(c, _DROP, ()))

    async def forgotten(self) -> set[str]:
        async def work(connection: _Connection) -> set[str]:
            found = await connection.execute("select person_id from forgotten")
            return {person for (person,) in await found.fetchall()}

        return await self._run(work)

    async def rewrap(self, limit: int = 500) -> int:
        async def work(connection: _Connection) -> int:
            known = [name for name in self._masters.keys if name != self._masters.current]
            found = await connection.execute(f"{_SELECT} where master = any(%s) limit %s", (known, limit))
            rows = self._rewrapped([_row(values) for values in await found.fetchall()])
            sql = "update keys set master = %s, wrapped = %s where kid = %s"
            return sum([await _count(connection, sql, (row.master, row.wrapped, row.kid)) for row in rows])

        return await self._run(work)

    async def behind(self) -> int:
        sql = "select count(*) from keys where master <> %s"

        async def work(connection: _Connection) -> int:
            [(n,)] = await (await connection.execute(sql, (self._masters.current,))).fetchall()
            return int(n)

        return await self._run(work)

    async def archive_fails(self) -> bool:
        return await self._run(archiver.fails)

    async def _keep(self, fresh: KeyRow) -> KeyRow:
        whose = (fresh.person_id, fresh.purpose)

        async def find(connection: _Connection) -> KeyRow | None:
            found = await connection.execute(f"{_SELECT} where person_id = %s and purpose = %s", whose)
            values = await found.fetchone()
            return _row(values) if values else None

        async def make(connection: _Connection) -> KeyRow | None:
            await connection.execute(
                """insert into keys (kid, person_id, purpose, master, wrapped, expires_at)
                   select %(kid)s, %(person)s, %(purpose)s, %(master)s, %(wrapped)s, %(expires_at)s
                   where %(purpose)s <> 'person' or not exists (select from forgotten where person_id = %(person)s)
                   on conflict (person_id, purpose) do nothing""",
                {
                    "kid": fresh.kid,
                    "person": fresh.person_id,
                    "purpose": fresh.purpose,
                    "master": fresh.master,
                    "wrapped": fresh.wrapped,
                    "expires_at": fresh.expires_at,
                },
            )
            return await find(connection)

        row = await self._run(find) or await self._run(self._locked("pg_advisory_xact_lock_shared", make))
        if row is None:
            raise _forgotten()
        return row

    async def _find(self, kids: Collection[UUID]) -> list[KeyRow]:
        async def work(connection: _Connection) -> list[KeyRow]:
            unexpired = "(expires_at is null or expires_at > clock_timestamp())"
            found = await connection.execute(f"{_SELECT} where kid = any(%s) and {unexpired}", (list(kids),))
            return [_row(values) for values in await found.fetchall()]

        return await self._run(work)

    async def _forget(self, person_id: str) -> set[UUID]:
        async def work(connection: _Connection) -> set[UUID]:
            found = await connection.execute(
                """with recursive same(person_id) as (
                       select %s union select links.other from same join links using (person_id)
                   ), marked as (
                       insert into forgotten (person_id) select person_id from same on conflict do nothing
                   )
                   delete from keys using same where keys.person_id = same.person_id and purpose = 'person' returning kid""",
                (person_id,),
            )
            return {kid for (kid,) in await found.fetchall()}

        return await self._run(self._locked("pg_advisory_xact_lock", work))

    @staticmethod
    def _locked[R](lock: str, work: _Work[R]) -> _Work[R]:
        async def locked(connection: _Connection) -> R:
            async with connection.transaction():
                await connection.execute(f"select {lock}(%s)", (_LOCK,))
                return await work(connection)

        return locked

    async def _run[R](self, work: _Work[R]) -> R:
        """At most `patience` seconds on any failure, also a hung server; then a second in which nobody asks again."""
        if self._clock() < self._down_until:
            raise VaultUnavailable
        task = asyncio.create_task(self._on_connection(work))
        await asyncio.wait({task}, timeout=self._patience)
        try:
            if not task.done():
                task.cancel()
                raise TimeoutError
            return task.result()
        except (Error, OSError) as failure:
            self._down_until = self._clock() + 1.0
            log.warning("vault.unavailable", cause=type(failure).__name__)
            raise VaultUnavailable from failure

    async def _on_connection[R](self, work: _Work[R]) -> R:
        async with self._pool.connection() as connection:
            return await work(connection)

    async def _configure(self, connection: _Connection) -> None:
        await connection.execute("select set_config('statement_timeout', %s, false)", (f"{self._patience}s",))


class MemoryVault(Vault):
    """The vault of unit tests and simulation; `available = False` plays an outage."""

    def __init__(self, masters: Masters | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(masters or Masters.fresh(), clock)
        self.available = True
        self._rows: dict[tuple[str, str], KeyRow] = {}
        self._links: dict[str, set[str]] = {}
        self._forgotten: set[str] = set()

    async def link(self, person_id: str, other: str) -> None:
        self._ask()
        if not {person_id, other} & self._forgotten:
            self._links.setdefault(person_id, set()).add(other)
            self._links.setdefault(other, set()).add(person_id)

    async def drop_expired(self) -> int:
        self._ask()
        return self._delete(lambda row: not _stands(row))

    async def forgotten(self) -> set[str]:
        self._ask()
        return set(self._forgotten)

    async def rewrap(self, limit: int = 500) -> int:
        self._ask()
        old = [row for row in self._rows.values() if row.master != self._masters.current][:limit]
        rows = self._rewrapped(old)
        self._rows |= {(row.person_id, row.purpose): row for row in rows}
        return len(rows)

    async def behind(self) -> int:
        self._ask()
        return sum(row.master != self._masters.current for row in self._rows.values())

    async def archive_fails(self) -> bool:
        self._ask()
        return False

    async def _keep(self, fresh: KeyRow) -> KeyRow:
        self._ask()
        if fresh.purpose == PERSON and fresh.person_id in self._forgotten:
            raise _forgotten()
        return self._rows.setdefault((fresh.person_id, fresh.purpose), fresh)

    async def _find(self, kids: Collection[UUID]) -> list[KeyRow]:
        self._ask()
        return [row for row in self._rows.values() if row.kid in kids and _stands(row)]

    async def _forget(self, person_id: str) -> set[UUID]:
        self._ask()
        same, found = {person_id}, [person_id]
        while found:
            linked = self._links.get(found.pop(), set()) - same
            same |= linked
            found += linked
        self._forgotten |= same
        kids = {self._rows[person, PERSON].kid for person in same if (person, PERSON) in self._rows}
        self._delete(lambda row: row.kid in kids)
        return kids

    def _delete(self, which: Callable[[KeyRow], bool]) -> int:
        before = len(self._rows)
        self._rows = {key: row for key, row in self._rows.items() if not which(row)}
        return before - len(self._rows)

    def _ask(self) -> None:
        if not self.available:
            raise VaultUnavailable


async def _there(connection: _Connection) -> None:
    if hung_up(connection):
        raise OperationalError("the server is gone")


def _row(values: tuple[Any, ...]) -> KeyRow:
    kid, person_id, purpose, master, wrapped, expires_at = values
    return KeyRow(kid=kid, person_id=person_id, purpose=purpose, master=master, wrapped=bytes(wrapped), expires_at=expires_at)


def _stands(row: KeyRow) -> bool:
    return row.expires_at is None or row.expires_at > datetime.now(UTC)


def _forgotten() -> Rejected:
    return Rejected("person-forgotten", "This person was forgotten; nothing personal about them is stored any more.")


async def _count(connection: AsyncConnection[TupleRow], sql: str, parameters: tuple[Any, ...]) -> int:
    return (await connection.execute(sql, parameters)).rowcount
