"""The bus in memory, for unit tests and simulation: the same promises, and faults on demand."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4
from zlib import crc32

from shared.bus.protocol import Batch, BusUnavailable, Message, OutOfRange, Place, Record, Starts


class MemorySubscription:
    """A member of a group; the bus says which partitions are its own."""

    def __init__(self, bus: "MemoryBus", topics: Collection[str], starts: Starts, most: int) -> None:
        self.topics = topics
        self._bus = bus
        self._starts = starts
        self._most = most
        self._lost = True
        self._next: dict[Place, int] = {}

    def reset(self) -> None:
        """The next poll asks `starts` again."""
        self._lost = True

    async def poll(self, timeout: float) -> Batch:
        """The next messages, after at most `timeout` seconds."""
        self._bus.answer()
        while self._lost:
            await self._seek()
        if not (found := self._fetch(self._next)):
            await self._bus.wait(timeout)
            found = {} if self._lost else self._fetch(self._next)
        return found

    async def _seek(self) -> None:
        """What is assigned anew while `starts` is asked makes it be asked again."""
        self._lost = False
        try:
            self._next = dict(await self._starts(self._bus.assigned(self)))
        except BaseException:
            self._lost = True
            raise

    def _fetch(self, wanted: dict[Place, int]) -> dict[Place, list[Record]]:
        found: dict[Place, list[Record]] = {}
        left = self._most
        for place, offset in wanted.items():
            log, first = self._bus.log(place), self._bus.first.get(place, 0)
            if not first <= offset <= first + len(log):
                raise OutOfRange(f"{place} keeps {first} to {first + len(log)}, not {offset}")
            if records := log[offset - first :][:left]:
                found[place] = records
                wanted[place] = records[-1].offset + 1
                left -= len(records)
        return found

    def lag(self) -> dict[Place, int]:
        """How many messages of each partition have not been polled yet."""
        return {place: self._bus.first.get(place, 0) + len(self._bus.log(place)) - offset for place, offset in self._next.items()}


class MemoryBus:
    """Logs in memory; `down`, `cut_after`, `forget` and a changed `cluster_id` are its faults."""

    def __init__(self, partitions: int = 3, most: int = 500) -> None:
        self.partitions = partitions
        self.most = most
        self.cluster_id = str(uuid4())
        self.down = False
        self.cut_after: int | None = None
        """The next publish appends only so many messages, then fails."""
        self.first: dict[Place, int] = {}
        """The first offset still kept, where that is not 0."""
        self._logs: dict[Place, list[Record]] = {}
        self._groups: dict[str, list[MemorySubscription]] = {}
        self._news = asyncio.Event()

    def answer(self) -> None:
        """Raises BusUnavailable while down."""
        if self.down:
            raise BusUnavailable

    def log(self, place: Place) -> list[Record]:
        """What a partition keeps."""
        return self._logs.setdefault(place, [])

    def records(self, topic: str) -> list[Record]:
        """What all partitions of a topic keep, one after the other."""
        return [record for partition in range(self.partitions) for record in self.log(Place(topic, partition))]

    def forget(self, topic: str, count: int) -> None:
        """Retention: the first `count` messages of each partition are gone."""
        for place in (Place(topic, partition) for partition in range(self.partitions)):
            gone = min(count, len(self.log(place)))
            self.first[place] = self.first.get(place, 0) + gone
            del self.log(place)[:gone]

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Appends in order, to the partition of each key."""
        self.answer()
        cut, self.cut_after = self.cut_after, None
        for message in messages[:cut]:
            self._append(Place(topic, crc32(message.key or b"") % self.partitions), message)
        if cut is not None:
            raise BusUnavailable
        await asyncio.sleep(0)

    async def broadcast(self, topic: str, message: Message) -> None:
        """Appends to every partition."""
        self.answer()
        for partition in range(self.partitions):
            self._append(Place(topic, partition), message)

    def _append(self, place: Place, message: Message) -> None:
        log = self.log(place)
        log.append(Record(place, self.first.get(place, 0) + len(log), message))
        self._news.set()

    async def wait(self, timeout: float) -> None:
        """Until something is published, or the time is over."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), timeout)
        except TimeoutError:
            return

    @asynccontextmanager
    async def subscribe(self, topics: Collection[str], group: str, starts: Starts) -> AsyncIterator[MemorySubscription]:
        """Joins a group; every member is assigned anew."""
        self.answer()
        member = MemorySubscription(self, topics, starts, self.most)
        members = self._groups.setdefault(group, [])
        members.append(member)
        self._rebalance(members)
        try:
            yield member
        finally:
            members.remove(member)
            self._rebalance(members)

    def _rebalance(self, members: list[MemorySubscription]) -> None:
        for member in members:
            member.reset()
        self._news.set()

    def assigned(self, member: MemorySubscription) -> list[Place]:
        """The partitions of this member: every n-th."""
        members = next(group for group in self._groups.values() if member in group)
        mine = range(members.index(member), self.partitions, len(members))
        return [Place(topic, partition) for topic in member.topics for partition in mine]

    async def ends(self, topic: str) -> dict[int, int]:
        """Per partition the offset that the next message will get."""
        self.answer()
        places = [Place(topic, partition) for partition in range(self.partitions)]
        return {place.partition: self.first.get(place, 0) + len(self.log(place)) for place in places}

    async def cluster(self) -> str:
        """The id of the cluster."""
        self.answer()
        return self.cluster_id
