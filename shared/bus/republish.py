"""A whole store told again, stream by stream between what is new: for a new consumer, or when Kafka has lost what it had."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from shared.bus.protocol import BusUnavailable
from shared.deciding import Folded, Folder, evolve, told
from shared.ops import failpoints
from shared.store.protocol import EventRow, OutboxRow, Republication, Store, Unavailable

log = structlog.get_logger(__name__)

STREAMS = 100
"""Streams told again before what is new has its turn."""


class Republisher:
    """What the relay tells beside its outbox. Names of streams are compared by code point, as databases of locale C do."""

    def __init__(self, store: Store, folder: Folder) -> None:
        self.store = store
        self.folder = folder
        self.open: Republication | None = None
        """What is being told again; None: nothing."""
        self._early: set[str] = set()
        """Streams told again before their turn, as something new followed in them."""

    async def look(self) -> None:
        """Finds out whether something is to be told again."""
        found = await self.store.republication()
        if found is None or self.open is None or found.id != self.open.id:
            self.open = found
            self._early.clear()

    async def next(self, waiting: Sequence[OutboxRow], ends: Callable[[], Awaitable[dict[int, int]]]) -> AsyncIterator[list[OutboxRow]]:
        """Lists to be published in this order, before `waiting` is. An event that cannot be read ends it for good: the relay must go on."""
        now = self.open
        assert now is not None
        try:
            if now.starts is None:
                now = await self._keep(replace(now, starts=await ends()))
            ahead = sorted({row.stream for row in waiting if row.stream > now.after} - self._early)
            for start in range(0, len(ahead), STREAMS):
                yield await self._told(ahead[start : start + STREAMS])
            self._early.update(ahead)
            streams = await self.store.streams(now.after, STREAMS)
            if streams:
                yield await self._told(streams)
            await self._keep(replace(now, after=streams[-1]) if streams else replace(now, done=True))
        except (Unavailable, BusUnavailable):
            raise
        except Exception as error:
            log.exception("republication given up", id=now.id)
            await self._keep(replace(now, done=True, failed=repr(error)))

    async def _keep(self, now: Republication) -> Republication:
        """What is open may have changed meanwhile: another relay told the rest, and this one looked."""
        failpoints.hit("republish.before_keep")
        await self.store.republished(now)
        failpoints.hit("republish.after_keep")
        if self.open is not None and self.open.id == now.id:
            self.open = None if now.done else now
        return now

    async def _told(self, streams: Sequence[str]) -> list[OutboxRow]:
        loaded = await self.store.load(streams)
        return [row for stream in streams for row in self._of(stream, loaded.events[stream])]

    def _of(self, stream: str, history: Sequence[EventRow]) -> list[OutboxRow]:
        """Every public event of a stream, as it was told the first time."""
        aggregate = self.folder.of(stream)
        folded, rows = Folded(state=aggregate.decider.initial), []
        for event in history:
            recorded = self.folder.recorded(event)
            evolve(aggregate, folded, recorded)
            rows += [replace(row, recorded_at=event.recorded_at) for row in told(aggregate, folded.state, recorded)]
        return rows
