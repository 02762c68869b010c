"""The lines of a process to its database and to Kafka: whatever crosses them may be slow, fail, be lost, or be the last that it does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

from shared.bus.memory import MemoryBus, MemorySubscription
from shared.bus.protocol import Batch, BusUnavailable, Message, Starts
from shared.store.protocol import Commit, Unavailable
from shared.testing.overlapping import OverlappingStore, OverlappingTransaction
from tests.simulation.faults import Faults

SESSION = 1.5
"""Seconds until Kafka notices that a member of a group is gone."""
HELD = 4.0
"""Seconds a slow server takes at most."""
_STATEMENTS = (
    *("load", "holder", "rows", "scan", "tallies", "lock", "append", "number", "fired", "postpone"),
    *("take", "positions", "lineages", "learn", "parked_keys", "park", "parked", "parked_count", "reached", "unpark"),
)


class Crossing(Protocol):
    """What a line needs of the process it belongs to."""

    alive: bool

    async def cross(self, failure: type[Exception]) -> None:
        """Waits, raises the failure, or never comes back."""
        ...

    def odds(self) -> Faults | None:
        """The chances of faults; None while all is calm."""
        ...

    def chance(self, odds: float) -> bool:
        """The seed's next yes or no."""
        ...

    def within(self, most: float) -> float:
        """The seed's next number below `most`."""
        ...

    def beside(self, work: Any) -> None:
        """Something that goes on whatever becomes of the process."""
        ...


class TransactionLine:
    """An open transaction, seen over the line."""

    def __init__(self, tx: OverlappingTransaction, process: Crossing) -> None:
        self.tx = tx
        self.process = process
        self.told: list[Callable[[], object]] = []

    def after(self, told: Callable[[], object]) -> None:
        """Told when the process knows of the commit."""
        self.told.append(told)


def _statement(name: str) -> Callable[..., Awaitable[Any]]:
    async def send(self: TransactionLine, *args: Any, **named: Any) -> Any:
        await self.process.cross(Unavailable)
        return await getattr(self.tx, name)(*args, **named)

    return send


for _name in _STATEMENTS:
    setattr(TransactionLine, _name, _statement(_name))


class StoreLine:
    """The store of a service as one of its processes has it."""

    def __init__(self, store: OverlappingStore, process: Crossing, deposed: Callable[[], None]) -> None:
        self.store = store
        self.process = process
        self.lineage = store.lineage
        self.deposed = deposed
        """Told when outbox rows are deleted by who no longer leads."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        """A transaction; whether it committed may remain unknown."""
        await self.process.cross(Unavailable)
        async with self.store.begin() as tx:
            line = TransactionLine(tx, self.process)
            yield line
            if (odds := self.process.odds()) and self.process.chance(odds.held):
                await asyncio.sleep(self.process.within(HELD))
            await self.process.cross(Unavailable)
        await self.process.cross(Unavailable)
        for told in line.told:
            told()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Any]:
        """For reading only."""
        await self.process.cross(Unavailable)
        async with self.store.look() as tx:
            yield tx

    async def append(self, commit: Commit) -> None:
        """One commit in a transaction of its own."""
        async with self.begin() as tx:
            await tx.tx.append(commit)

    async def lead(self, name: str, holder: UUID, seconds: float) -> int | None:
        """The lease; the answer may be lost."""
        await self.process.cross(Unavailable)
        epoch = await self.store.lead(name, holder, seconds)
        await self.process.cross(Unavailable)
        return epoch

    async def sent(self, positions: Sequence[int], lease: str, epoch: int) -> bool:
        """Deletes what was published; the answer may be lost."""
        await self.process.cross(Unavailable)
        done = await self.store.sent(positions, lease, epoch)
        if done and self.store.epoch(lease) != epoch:
            self.deposed()
        await self.process.cross(Unavailable)
        return done


def _read(name: str) -> Callable[..., Awaitable[Any]]:
    async def send(self: StoreLine, *args: Any, **named: Any) -> Any:
        await self.process.cross(Unavailable)
        return await getattr(self.store, name)(*args, **named)

    return send


for _name in ("load", "holder", "rows", "scan", "tallies", "waiting", "watermark"):
    setattr(StoreLine, _name, _read(_name))


class SubscriptionLine:
    """A member of a group, seen over the line."""

    def __init__(self, member: MemorySubscription, process: Crossing) -> None:
        self.member = member
        self.process = process
        self.reset = member.reset
        self.lag = member.lag

    async def poll(self, timeout: float) -> Batch:
        """The next messages, late perhaps: by then they may be another member's."""
        batch = await self.member.poll(timeout)
        await self.process.cross(BusUnavailable)
        return batch


class BusLine:
    """Kafka as one process has it."""

    def __init__(self, bus: MemoryBus, process: Crossing) -> None:
        self.bus = bus
        self.process = process

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """All of it, a first part of it, or all of it later; what the producer learns is another matter."""
        await self.process.cross(BusUnavailable)
        odds, process = self.process.odds(), self.process
        if odds and process.chance(odds.kafka):
            await self.bus.publish(topic, messages[: int(process.within(len(messages)))])
            raise BusUnavailable
        if odds and process.chance(odds.late):
            process.beside(self._later(topic, messages, process.within(6.0)))
            raise BusUnavailable
        await self.bus.publish(topic, messages)
        if odds and process.chance(odds.acknowledged_late):
            await asyncio.sleep(process.within(HELD))
        if odds and process.chance(odds.late):
            process.beside(self._later(topic, messages, process.within(6.0)))
        await process.cross(BusUnavailable)

    async def _later(self, topic: str, messages: Sequence[Message], seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.bus.publish(topic, messages)

    async def broadcast(self, topic: str, message: Message) -> None:
        """To every partition."""
        await self.process.cross(BusUnavailable)
        await self.bus.broadcast(topic, message)

    async def cluster(self) -> str:
        """The id of the cluster."""
        await self.process.cross(BusUnavailable)
        return await self.bus.cluster()

    @asynccontextmanager
    async def subscribe(self, topics: Collection[str], group: str, starts: Starts) -> AsyncIterator[SubscriptionLine]:
        """Joins a group; who dies stays a member until its session is over."""
        await self.process.cross(BusUnavailable)
        member = self.bus.subscribe(topics, group, starts)
        try:
            yield SubscriptionLine(await member.__aenter__(), self.process)
        finally:
            if self.process.alive:
                await member.__aexit__(None, None, None)
            else:
                self.process.beside(_leave(member.__aexit__))


async def _leave(leave: Callable[..., Awaitable[Any]]) -> None:
    await asyncio.sleep(SESSION)
    await leave(None, None, None)
