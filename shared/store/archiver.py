"""Whether PostgreSQL gets its log to where it is kept: while it does not, what is written is in no backup, and the log fills the disk."""

import asyncio
from typing import Any

import psycopg
import structlog

from shared.bus import metrics
from shared.store.postgres import PostgresStore
from shared.store.protocol import Unavailable

log = structlog.get_logger(__name__)

FAILS = """select current_setting('archive_mode') <> 'off' and last_failed_time > coalesce(last_archived_time, '-infinity') is true
    from pg_stat_archiver"""
"""The last try failed, and none has succeeded since. PostgreSQL tells this to every role."""


async def fails(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether this server's archiver fails; where nothing is archived it does not."""
    found = await (await connection.execute(FAILS)).fetchone()
    return bool(found and found[0])


async def watch(store: PostgresStore, database: str) -> None:
    """Tells whether the archiver of a store's server fails, until cancelled: every process of a service tells the same."""
    while True:
        try:
            async with store.look() as tx:
                metrics.archive_failing.labels(database).set(await fails(tx.conn))
        except (Unavailable, psycopg.Error) as error:
            log.info("archiver not looked at", database=database, error=repr(error))
        await asyncio.sleep(metrics.COUNT)
