"""Answers to idempotency keys are kept for a month, so that they do not grow for ever: who sends a key again later has it done anew."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from shared.store.postgres import PostgresStore
from shared.store.protocol import Unavailable

log = structlog.get_logger(__name__)

KEPT = timedelta(days=30)
EVERY = 6 * 3600.0
LOOK = 60.0
"""Seconds between two looks at whether it is time, and this process's turn."""
BATCH = 10_000
_FORGET = """delete from idempotency where ctid = any(array(
    select ctid from idempotency where recorded_at < clock_timestamp() - %s limit %s))"""


async def forget(store: PostgresStore, kept: timedelta = KEPT) -> int:
    """Deletes the answers given longer ago, in statements of their own; how many there were. Raises Unavailable."""
    gone = 0
    while True:
        async with store.look() as tx:
            found = (await tx.conn.execute(_FORGET, [kept, BATCH])).rowcount
        gone += found
        if found < BATCH:
            return gone


async def tend(store: PostgresStore, leading: Callable[[], bool]) -> None:
    """Does so four times a day, in the one process of a service that leads; until cancelled."""
    due, clock = 0.0, asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(LOOK)
        if leading() and clock() >= due:
            try:
                log.info("old answers forgotten", count=await forget(store))
                due = clock() + EVERY
            except Unavailable as error:
                log.info("old answers not forgotten yet", error=repr(error))
