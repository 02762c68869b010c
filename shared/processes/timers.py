"""Fires timers: each due command is handled and its row deleted in one transaction, whatever process gets to it first.

The database's clock says what is due: a process whose own is wrong fires nothing early.
"""

import asyncio
from datetime import timedelta

import structlog

from shared.bus import metrics
from shared.handling import Handler
from shared.ops import failpoints
from shared.store.protocol import Conflict, Store, Taken, Unavailable

log = structlog.get_logger()

BATCH = 50
POLL = 0.5
LATER = timedelta(seconds=30)
FOR_GOOD = 3
"""Failed tries after which a person has to look."""


class Timers:
    """The timer worker of one process; several may run, a row is taken by one."""

    def __init__(self, store: Store, handler: Handler) -> None:
        self.store = store
        self.handler = handler
        self._wake = handler.scheduled.listen()

    async def run(self) -> None:
        """Until cancelled: fire what is due, then wait for the next one that is due at once, or for the poll."""
        while True:
            woken = self._wake.is_set()
            self._wake.clear()
            try:
                if woken or await self._due():
                    while await self.fire(BATCH) == BATCH:
                        pass
            except Unavailable:
                await asyncio.sleep(1)
            try:
                await asyncio.wait_for(self._wake.wait(), POLL)
            except TimeoutError:
                continue

    async def _due(self) -> bool:
        """A look that costs a third of finding out in a transaction that there is nothing to be done."""
        async with self.store.look() as tx:
            return bool(await tx.fired(1))

    async def fire(self, limit: int) -> int:
        """Fires up to `limit` due timers together; when that fails, one by one. Returns how many were due."""
        try:
            async with self.store.begin() as tx:
                due = await tx.fired(limit)
                if due:
                    await self.handler.fire(tx, due)
                    failpoints.hit("timers.before_commit")
            if due:
                failpoints.hit("timers.after_commit")
            return len(due)
        except Unavailable:
            raise
        except Exception:
            fired = 0
            while fired < limit and await self._one():
                fired += 1
            return fired

    async def _one(self) -> bool:
        """One due timer alone: a lost race or a held claim is tried again, anything else waits half a minute and is told. False: none is due."""
        cause = ""
        for _ in range(5):
            key = None
            try:
                async with self.store.begin() as tx:
                    due = await tx.fired(1)
                    if not due:
                        return False
                    key = due[0].key
                    await self.handler.fire(tx, due)
                return True
            except (Conflict, Taken) as error:
                cause = repr(error)
                await asyncio.sleep(0.01)
            except Unavailable:
                raise
            except Exception as error:
                cause = repr(error)
                log.exception("timer failed", key=key)
                break
        if key is not None:
            async with self.store.begin() as tx:
                await tx.postpone(key, LATER, cause[:2000])
        return True

    async def count(self) -> None:
        """Tells how many timers fail for good, until cancelled: every process of a service tells the same."""
        while True:
            try:
                metrics.timers_failing.labels(self.handler.folder.stored.context).set(len(await self.store.failing(FOR_GOOD)))
            except Unavailable:
                log.info("timers not counted")
            await asyncio.sleep(metrics.COUNT)
