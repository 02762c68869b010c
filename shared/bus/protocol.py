"""What a bus promises. Kafka keeps it for real, memory for unit tests and simulation; one conformance suite holds both to it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(slots=True)
class Message:
    """What is sent: messages of one key keep their order."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Record:
    """A message where the bus keeps it."""

    place: Place
    offset: int
    message: Message


type Batch = Mapping[Place, Sequence[Record]]
"""Messages per partition, by offset."""
type Starts = Callable[[Collection[Place]], Awaitable[Mapping[Place, int]]]
"""Asked with the partitions now assigned: the offset of the next message wanted from each."""


class BusUnavailable(Exception):
    """Kafka does not answer; what of a publish arrived is unknown."""


class OutOfRange(Exception):
    """The message wanted next is not kept any more, or was never written."""


class Subscription(Protocol):
    """One member of a consumer group, with the partitions the group gives it."""

    async def poll(self, timeout: float) -> Batch:
        """The next messages, after at most `timeout` seconds. Raises BusUnavailable, OutOfRange, and what `starts` raises."""
        ...

    def reset(self) -> None:
        """Forgets what was fetched: the next poll asks `starts` and goes on from there."""
        ...

    def lag(self) -> Mapping[Place, int]:
        """How many messages of each partition have not been polled yet, as far as known."""
        ...


class Bus(Protocol):
    """Topics with partitions, kept for a month."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns when all are acknowledged by all replicas. Raises BusUnavailable; then of each key a first part may have arrived."""
        ...

    async def broadcast(self, topic: str, message: Message) -> None:
        """Publishes to every partition."""
        ...

    def subscribe(self, topics: Collection[str], group: str, starts: Starts) -> AbstractAsyncContextManager[Subscription]:
        """Joins `group`; every partition is given to one member. Raises BusUnavailable."""
        ...

    async def ends(self, topic: str) -> dict[int, int]:
        """Per partition the offset that the next message will get. Raises BusUnavailable."""
        ...

    async def cluster(self) -> str:
        """The id of the cluster; offsets mean nothing in another one. Raises BusUnavailable."""
        ...


PREFIX = "forecourt"


def topic_of(context: str, prefix: str = PREFIX) -> str:
    """The topic of a context's public events; a prefix of their own keeps test runs apart."""
    return f"{prefix}.{context}"
