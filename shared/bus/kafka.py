"""The bus on Apache Kafka, by aiokafka: acknowledged by all replicas, in order per key, offsets kept by us and never by Kafka."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.protocol import Batch, BusUnavailable, Message, OutOfRange, Place, Record, Starts

log = structlog.get_logger(__name__)

_BATCH_BYTES = 512 * 1024
"""Two of the largest events; half of what a broker takes by default."""
_SILENT = 20.0
"""Seconds without a message, though every partition gets a watermark every other second, after which a member joins anew."""
_UNASSIGNED = 60.0
"""The same for a member that was given no partition: there may be more members than partitions."""
_FAILURES = (KafkaError, OSError, TimeoutError)


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member of a consumer group. Nothing is fetched before `starts` has said from where."""

    def __init__(self, consumer: AIOKafkaConsumer, starts: Starts, most: int) -> None:
        self._consumer = consumer
        self._starts = starts
        self._most = most
        self._lost = True
        self._next: dict[Place, int] = {}
        self._heard_at = asyncio.get_running_loop().time()

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """What was fetched may go to another member now."""
        self._lost = True

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """The next poll finds out where to go on."""
        self._lost = True

    def reset(self) -> None:
        """The next poll asks `starts` again."""
        self._lost = True

    async def poll(self, timeout: float) -> Batch:
        """The next messages, after at most `timeout` seconds. Raises BusUnavailable too when nothing comes for long: a client may be stuck."""
        if self._lost and not await self._seek():
            return {}
        with _answering():
            try:
                async with asyncio.timeout(timeout + _SILENT):
                    fetched = await self._consumer.getmany(timeout_ms=int(timeout * 1000), max_records=self._most)
            except NoOffsetForPartitionError:  # assigned a moment ago, not sought yet; Kafka has no offsets of ours
                return {}
            except OffsetOutOfRangeError as error:
                raise OutOfRange(f"Kafka does not keep what is wanted: {error}") from error
        now = asyncio.get_running_loop().time()
        if fetched:
            self._heard_at = now
        elif now - self._heard_at > (_SILENT if self._consumer.assignment() else _UNASSIGNED):
            raise BusUnavailable("Nothing has been heard for long.")
        if self._lost:
            return {}
        batch = {Place(*at): [_record(one) for one in records] for at, records in fetched.items() if records}
        self._next |= {place: records[-1].offset + 1 for place, records in batch.items()}
        return batch

    async def _seek(self) -> bool:
        self._lost = False
        try:
            assigned = {Place(*at) for at in self._consumer.assignment()}
            self._next = dict(await self._starts(assigned))
            for place, offset in self._next.items():
                self._consumer.seek(TopicPartition(*place), offset)
        except IllegalStateError:  # taken away in between
            self._lost = True
        except BaseException:
            self._lost = True
            raise
        return not self._lost

    def lag(self) -> dict[Place, int]:
        """How many messages of each partition have not been polled yet, as of the last fetch."""
        ends = {Place(*at): self._consumer.highwater(at) for at in self._consumer.assignment()}
        return {place: end - self._next[place] for place, end in ends.items() if end is not None and place in self._next}


class KafkaBus:
    """One process's way to Kafka at `servers` (host:port, comma separated)."""

    def __init__(self, servers: str, *, client: str = "forecourt", timeout: float = 10.0, session: float = 6.0, most: int = 500) -> None:
        self.servers = servers
        self.client = client
        self.timeout = timeout
        """Seconds after which a publish counts as failed."""
        self.session = session
        """Seconds after which a silent member's partitions go to others."""
        self.most = most
        self._producer: AIOKafkaProducer | None = None
        self._sending = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """All acknowledged, or BusUnavailable. Within a partition a batch is sent when the one before it has arrived."""
        async with self._producing() as producer:
            count = len(await producer.partitions_for(topic))
            lanes: defaultdict[int, list[Message]] = defaultdict(list)
            for message in messages:
                lanes[_partition(message.key or b"", count)].append(message)
            await _send(producer, topic, lanes)

    async def broadcast(self, topic: str, message: Message) -> None:
        """Publishes to every partition."""
        async with self._producing() as producer:
            await _send(producer, topic, {partition: [message] for partition in await producer.partitions_for(topic)})

    @asynccontextmanager
    async def _producing(self) -> AsyncIterator[AIOKafkaProducer]:
        """The producer; after any error it is thrown away, so that no batch follows one that was lost."""
        async with self._sending:
            with _answering():
                try:
                    async with asyncio.timeout(self.timeout):
                        if self._producer is None:
                            self._producer = self._new_producer()
                            await self._producer.start()
                        yield self._producer
                except BaseException:
                    self._throw_away()
                    raise

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self.servers,
            client_id=self.client,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=int(self.timeout * 1000),
        )

    def _throw_away(self) -> None:
        if self._producer is not None:
            task = asyncio.create_task(_abandon(self._producer))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            self._producer = None

    async def _stop(self, client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
        try:
            await _within(self.timeout, client.stop())
        except _FAILURES as error:
            log.info("Kafka client did not stop cleanly", error=repr(error))
            if isinstance(client, AIOKafkaConsumer):
                await _leave(client)

    async def close(self) -> None:
        """Stops the producer; subscriptions end with their blocks."""
        if self._producer is not None:
            await self._stop(self._producer)
            self._producer = None
        await asyncio.gather(*self._closing, return_exceptions=True)

    @asynccontextmanager
    async def subscribe(self, topics: Collection[str], group: str, starts: Starts) -> AsyncIterator[KafkaSubscription]:
        """Joins a consumer group; its offsets are kept by the caller, never by Kafka."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.servers,
            client_id=self.client,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=int(self.session * 1000),
            heartbeat_interval_ms=int(self.session * 1000 / 3),
        )
        subscription = KafkaSubscription(consumer, starts, self.most)
        consumer.subscribe(list(topics), listener=subscription)
        try:
            try:
                await _within(2 * self.timeout, consumer.start())
            except _FAILURES as error:
                raise BusUnavailable(repr(error)) from error
            yield subscription
        finally:
            await self._stop(consumer)

    async def ends(self, topic: str) -> dict[int, int]:
        """Per partition the offset that the next message will get."""
        async with self._producing() as producer:
            places = [TopicPartition(topic, partition) for partition in await producer.partitions_for(topic)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers, client_id=self.client, enable_auto_commit=False)
        try:
            with _answering():
                async with asyncio.timeout(self.timeout):
                    await consumer.start()
                    return {at.partition: end for at, end in (await consumer.end_offsets(places)).items()}
        finally:
            await self._stop(consumer)

    async def cluster(self) -> str:
        """The id of the cluster."""
        async with self._admin() as admin:
            return str((await admin.describe_cluster())["cluster_id"])

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers, client_id=self.client)
        try:
            with _answering():
                await _within(self.timeout, admin.start())
                async with asyncio.timeout(self.timeout):
                    yield admin
        finally:
            with suppress(*_FAILURES):
                await _within(self.timeout, admin.close())


async def _send(producer: AIOKafkaProducer, topic: str, lanes: Mapping[int, Sequence[Message]]) -> None:
    """Fills the lanes side by side; waits for all even when one fails, then raises its error."""
    lost = await asyncio.gather(*(_fill(producer, topic, at, lane) for at, lane in lanes.items()), return_exceptions=True)
    for error in lost:
        if error is not None:
            raise error


async def _fill(producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Message]) -> None:
    """Batch after batch, each acknowledged before the next is sent: a later message never arrives without an earlier one."""
    left = deque(messages)
    while left:
        batch = producer.create_batch()
        while left and _fits(batch, left[0]):
            left.popleft()
        if not batch.record_count():
            raise ValueError(f"A message of {len(left[0].value)} bytes does not fit into a batch.")
        await asyncio.shield(await producer.send_batch(batch, topic, partition=partition))


def _fits(batch: BatchBuilder, message: Message) -> bool:
    """Adds a message; a full batch refuses it without an error."""
    added = batch.append(key=message.key, value=message.value, timestamp=None, headers=message.headers)
    return added is not None


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Stops it without a flush: an idempotent producer would go on trying to send what it has for as long as it lives."""
    producer._closed = True
    with suppress(Exception):
        await producer._sender.close()
    with suppress(Exception):
        await producer.client.close()


@contextmanager
def _answering() -> Iterator[None]:
    """What means that Kafka does not answer is BusUnavailable to whoever asked."""
    try:
        yield
    except BaseException as error:
        if _away(error):
            raise BusUnavailable(repr(error)) from error
        raise


def _away(error: BaseException) -> bool:
    """Whether an error of the client means that Kafka does not answer.

    A cancellation from inside the client does: our own task would end by it, and nobody would know.
    """
    task = asyncio.current_task()
    cut_off = isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()
    return cut_off or isinstance(error, _FAILURES)


async def _within(seconds: float, job: Coroutine[Any, Any, None]) -> None:
    """Waits so long and no longer, then lets the job go: parts of the client swallow their cancellation, and with it any time limit."""
    task = asyncio.ensure_future(job)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _GOING.add(task)
            task.add_done_callback(_gone)
    if not done:
        raise TimeoutError
    if task.cancelled():  # by the client itself, as `stop` does to its fetches: not for us, whose task nobody has cancelled
        raise ConnectionError("The client cut itself off.")
    task.result()


_GOING: set[asyncio.Task[None]] = set()


def _gone(task: "asyncio.Task[None]") -> None:
    """What it still had to say is nobody's business."""
    _GOING.discard(task)
    if not task.cancelled():
        task.exception()


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """What an unfinished stop leaves behind: a heartbeat that would keep a dead member in its group, and fetches for nobody."""
    fetcher, coordinator = consumer._fetcher, consumer._coordinator
    left = [getattr(coordinator, "_heartbeat_task", None), getattr(fetcher, "_fetch_task", None), *getattr(fetcher, "_pending_tasks", ())]
    for task in left:
        if task is not None:
            task.cancel()
    with suppress(Exception):
        await _within(1, consumer._client.close())


@lru_cache(20_000)
def _partition(key: bytes, count: int) -> int:
    """As Kafka's own clients place a key; murmur2 in Python costs 15 µs."""
    return int((murmur2(key) & 0x7FFFFFFF) % count)


def _record(one: Any) -> Record:
    return Record(Place(one.topic, one.partition), one.offset, Message(one.key, one.value or b"", list(one.headers)))
