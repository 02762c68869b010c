"""Brings public events from the outbox to Kafka, in position order: one leader per service, and a crash repeats but never skips."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import structlog

from shared.bus import metrics
from shared.bus.cloudevents import to_message, watermark
from shared.bus.pace import Pace
from shared.bus.protocol import PREFIX, Bus, BusUnavailable, topic_of
from shared.bus.republish import Republisher
from shared.ops import failpoints
from shared.store.protocol import Conflict, OutboxRow, Store, Unavailable

log = structlog.get_logger(__name__)

_LEASE = "relay"
_PASSING = (Unavailable, Conflict, psycopg.OperationalError, BusUnavailable, TimeoutError, ConnectionError)
_LONGEST_WAIT = 2.0
_RENEWED = 1.0


class Relay:
    """Relays while it holds the lease. An advisory lock would not do: a stopped process keeps it."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        context: str,
        holder: UUID,
        *,
        wake: asyncio.Event | None = None,
        batch: int = 1000,
        poll: float = 0.05,
        lease: float = 5.0,
        tick: float = 2.0,
        prefix: str = PREFIX,
        again: Republisher | None = None,
    ) -> None:
        self.store = store
        self.bus = bus
        self.again = again
        self.context = context
        self.topic = topic_of(context, prefix)
        self.holder = holder
        self.wake = wake or asyncio.Event()
        """Set after a public event of this process; other processes' rows are found by polling."""
        self.batch = batch
        self.poll = poll
        self.lease = lease
        self.tick = tick
        self._epoch: int | None = None
        self._until = 0.0
        self._ahead: Sequence[OutboxRow] = []
        """The next batch, read while the one before it was sent. Of this epoch: nobody else has told it meanwhile."""
        metrics.begin_relay(context)

    @property
    def leading(self) -> bool:
        """Whether this process may believe that it holds the lease; the store has the last word."""
        return self._epoch is not None and asyncio.get_running_loop().time() < self._until

    async def run(self) -> None:
        """Until cancelled; then the lease is given back, so that a successor need not wait for its end."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hold())
                tasks.create_task(self._relay())
                tasks.create_task(self._mark_time())
        finally:
            if self.leading:
                with suppress(*_PASSING):
                    await self.store.lead(_LEASE, self.holder, 0)

    async def publish_once(self) -> int:
        """One batch: read, publish, delete what was acknowledged; the number read. Raises what stands in the way."""
        epoch = self._epoch
        rows, self._ahead = self._ahead, []
        if epoch is None or not self.leading:
            return 0
        rows = rows or await self.store.waiting(self.batch)
        if self.again and self.again.open:
            await self._tell_again(self.again, rows)
        if rows:
            await self._publish_rows(rows, epoch)
        return self.batch if self.again and self.again.open else len(rows)

    async def _tell_again(self, again: Republisher, rows: Sequence[OutboxRow]) -> None:
        """Some more streams from their beginning; those of waiting rows first, so that nobody hears a stream's end before its beginning."""
        async for told in again.next(rows, lambda: self.bus.ends(self.topic)):
            for start in range(0, len(told), self.batch):
                await self._publish(told[start : start + self.batch])

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        await self.bus.publish(self.topic, [to_message(row, self.context, self.store.lineage) for row in rows])
        metrics.published.labels(self.context).inc(len(rows))

    async def _publish_rows(self, rows: Sequence[OutboxRow], epoch: int) -> None:
        """The next ones are read meanwhile where there are more: not those that follow the last, some before it may commit late."""
        failpoints.hit("relay.before_publish")
        positions = [row.position for row in rows]
        sent, more = await asyncio.gather(self._publish(rows), self._read_on(positions), return_exceptions=True)
        if sent is not None:
            raise sent
        failpoints.hit("relay.after_publish")
        if not await self.store.sent(positions, _LEASE, epoch):
            log.warning("relay fenced", context=self.context, epoch=epoch)
            self._epoch = None
        failpoints.hit("relay.after_delete")
        if isinstance(more, BaseException):
            raise more
        if self._epoch == epoch:
            self._ahead = more

    async def _read_on(self, positions: Sequence[int]) -> Sequence[OutboxRow]:
        return await self.store.waiting(self.batch, positions) if len(positions) == self.batch else []

    async def take_lease(self) -> bool:
        """Takes or renews the lease, counted from before the question."""
        asked = asyncio.get_running_loop().time()
        epoch = await self.store.lead(_LEASE, self.holder, self.lease)
        if epoch is not None and self.again:
            # Before it believes to lead, and sends the end of a stream whose beginning is to be told again.
            await self.again.look()
        if epoch != self._epoch:
            self._ahead = []
        self._epoch, self._until = epoch, asked + self.lease
        metrics.leading.labels(self.context).set(epoch is not None)
        return epoch is not None

    async def _hold(self) -> None:
        """Renews the lease each second or more often; who does not have it asks more often still, so as not to miss its end."""
        while True:
            wait = min(_RENEWED, self.tick, self.lease / 3)
            try:
                if not await self.take_lease():
                    wait = min(wait, self.poll)
            except _PASSING as error:
                metrics.leading.labels(self.context).set(self.leading)
                log.warning("relay cannot renew its lease", context=self.context, error=repr(error))
            await asyncio.sleep(wait)

    async def _relay(self) -> None:
        wait, clock, pace = self.poll, asyncio.get_running_loop().time, Pace()
        while True:
            try:
                self.wake.clear()
                began = clock()
                if (sent := await self.publish_once()) < self.batch:
                    if pause := pace.rest(sent, began, clock()):
                        await asyncio.sleep(pause)
                    await self._wait()
                wait = self.poll
            except _PASSING as error:
                metrics.publish_failures.labels(self.context).inc()
                log.warning("relay repeats", context=self.context, error=repr(error))
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), self.poll)
        except TimeoutError:
            return

    async def mark_time(self) -> None:
        """Tells every partition how far this store has been published, and the operator how old the oldest waiting row is."""
        at, oldest = await self.store.watermark()
        metrics.outbox_age.labels(self.context).set((datetime.now(UTC) - oldest).total_seconds() if oldest else 0)
        if self.again and self.again.open:  # what is told again was recorded long before now
            return
        await self.bus.broadcast(self.topic, watermark(at, self.context, self.store.lineage))

    async def _mark_time(self) -> None:
        while True:
            await asyncio.sleep(self.tick)
            try:
                if self.leading:
                    await self.mark_time()
                else:  # who leads tells how old the oldest is
                    metrics.outbox_age.labels(self.context).set(0)
            except _PASSING as error:
                log.warning("relay cannot send its watermark", context=self.context, error=repr(error))
