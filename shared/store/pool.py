"""Connections to one database: while it is away everybody is told at once, and when it is back everybody goes on."""

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.views.schema import SCOPE

SIZE = 5
STATEMENT_LIMIT = "5s"
PATIENCE = 1.5
"""Seconds a caller waits for a free connection."""
IMPATIENCE = 0.2
"""The same once somebody has waited in vain, until a connection is had again."""
SILENCE = 4.0
"""Seconds a server may take to answer a statement; one that says nothing for longer is not there, whatever its socket looks like."""
_SHOW = f"select set_config('{SCOPE}', %s, false)"
RETRY = 0.5
"""Seconds between tries to connect, for as long as it takes; the library's own way waits twice as long each time."""


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that is given up when its server falls silent: a frozen one can neither answer nor cut its own statement."""

    shown: str | None = None
    """Whose rows it shows to a reader; None when that is not sure."""

    async def show(self, stores: str) -> None:
        """Rows of these stores (`a,b`, or `*`), and of no other, until somebody else's are asked for.

        Asked only when the stores change: told in a transaction of its own, every read would be four statements.
        """
        if self.shown != stores:
            self.shown = None
            await self.execute(_SHOW, [stores])
            self.shown = stores

    async def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Waits for the server. Raises OperationalError after SILENCE."""
        try:
            return await super().wait(gen, interval, SILENCE if timeout is None else timeout)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server was silent for {SILENCE:.0f} s") from error


class Pool(AsyncConnectionPool[psycopg.AsyncConnection[Any]]):
    """Autocommitting connections of one role, whose statements are cut at five seconds."""

    def __init__(self, url: str, name: str) -> None:
        limits = " ".join(f"-c {what}_timeout={STATEMENT_LIMIT}" for what in ("statement", "idle_in_transaction_session", "lock"))
        super().__init__(
            url,
            connection_class=Connection,
            min_size=1,
            max_size=SIZE,
            kwargs={"autocommit": True, "options": limits, "application_name": name, "connect_timeout": 5},
            open=False,
            timeout=PATIENCE,
            reconnect_timeout=RETRY,
            reconnect_failed=_try_again,
            name=name,
        )
        self._away = False

    async def getconn(self, timeout: float | None = None) -> psycopg.AsyncConnection[Any]:
        """A connection that its server has not closed. Raises PoolTimeout, the sooner when the one before waited in vain too."""
        while True:
            try:
                connection = await super().getconn(IMPATIENCE if self._away else timeout)
            except PoolTimeout:
                self._away = True
                raise
            self._away = False
            if not hung_up(connection):
                return connection
            await connection.close()
            await self.putconn(connection)


class Readers(Pool):
    """Connections of role reader, each had for somebody's stores: who says nothing of them sees no store's rows."""

    @asynccontextmanager
    async def showing(self, stores: str) -> AsyncIterator[Connection]:
        """One that shows the rows of these stores (`a,b`, or `*`), and of no other."""
        async with self.anyhow() as conn:
            await conn.show(stores)
            yield conn

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """One that shows no store's rows."""
        async with self.anyhow(timeout) as conn:
            await conn.show("")
            yield conn

    @asynccontextmanager
    async def anyhow(self, timeout: float | None = None) -> AsyncIterator[Connection]:
        """One that shows what it happens to show: only for statements that are known to read no store's rows."""
        async with super().connection(timeout) as conn:
            yield cast(Connection, conn)


def hung_up(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether the server is gone: found out without asking it, as there is nothing else to read from one that nobody uses.

    Else each connection that has outlived its server would cost somebody his command, long after the server is back.
    """
    poll = select.poll()
    try:
        poll.register(connection.fileno(), select.POLLIN)
        while poll.poll(0):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return False


async def _try_again(pool: AsyncConnectionPool[Any]) -> None:
    """A pool that has given up connecting begins anew."""
    await pool.check()
