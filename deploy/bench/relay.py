"""From the outbox to Kafka's acknowledgement: our relay, which also reads and deletes the rows, beside bare producers."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from deploy.bench.measure import Contender, Contenders, Prepared, Took, times
from deploy.bench.model import PRICE
from deploy.bench.place import Place, opened
from shared.bus.kafka import KafkaBus
from shared.bus.relay import Relay
from shared.contracts import orders as public
from shared.events.envelope import sequence
from shared.store.protocol import Commit, OutboxRow
from shared.values.clock import utc_now
from shared.values.ids import new_id, new_uuid

TURN = 20_000
STREAMS = 2_000
OURS, SEND, BUILDER = "ours, from outbox rows", "aiokafka send", "raw BatchBuilder"
GOALS = (times(OURS, SEND, 1.5), times(OURS, BUILDER, 0.7))
_encode = msgspec.json.Encoder().encode


def outbox() -> list[OutboxRow]:
    """A turn's rows, in order, as an append writes them."""
    streams = [f"deal-{new_id()}" for _ in range(STREAMS)]
    return [row(stream, number) for number in range(1, TURN // STREAMS + 1) for stream in streams]


def row(stream: str, number: int) -> OutboxRow:
    """The public event of a stream's event of that number."""
    event = public.OrderChanged(order_id=stream[5:], number=f"SO-{stream[-8:]}", price=PRICE, vin=stream[-17:])
    attributes = {
        "time": utc_now(),
        "storeid": "0192f3a4-0000-7000-8000-000000000001",
        "authid": "lin",
        "correlationid": stream[5:],
        "causationid": new_id(),
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    return OutboxRow(
        id=new_uuid(),
        stream=stream,
        sequence=sequence(number, 0),
        type="orders.OrderChanged.v1",
        data=_encode(event).decode(),
        headers=_encode(attributes).decode(),
        recorded_at=utc_now(),
    )


type Ready = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, value and headers."""


def by_hand(rows: Sequence[OutboxRow], lineage: str) -> list[Ready]:
    """The messages of rows, with all the headers that ours have."""
    made = []
    for each in rows:
        told: dict[str, str] = msgspec.json.decode(each.headers)
        told |= {"specversion": "1.0", "id": str(each.id), "source": "/forecourt/orders", "type": each.type, "subject": each.stream}
        told |= {"partitionkey": each.stream, "sequence": str(each.sequence), "lineage": lineage}
        told |= {"recordedtime": (each.recorded_at or utc_now()).isoformat(), "dataschema": f"urn:forecourt:schema:{each.type}"}
        headers = [*((f"ce_{name}", value.encode()) for name, value in told.items()), ("content-type", b"application/json")]
        made.append((each.stream.encode(), each.data.encode(), headers))
    return made


async def send(producer: AIOKafkaProducer, topic: str, messages: Sequence[Ready]) -> None:
    """One `send` per message; returns when all are acknowledged."""
    waiting = [await producer.send(topic, value, key=key, headers=headers) for key, value, headers in messages]
    await asyncio.gather(*waiting)


async def send_batches(producer: AIOKafkaProducer, topic: str, messages: Sequence[Ready]) -> None:
    """Batches built by hand, one lane per partition."""
    count = len(await producer.partitions_for(topic))
    lanes: dict[int, deque[Ready]] = {}
    places: dict[bytes, int] = {}
    for message in messages:
        at = places.get(message[0])
        if at is None:
            at = places[message[0]] = (murmur2(message[0]) & 0x7FFFFFFF) % count
        lanes.setdefault(at, deque()).append(message)

    async def fill(at: int, lane: deque[Ready]) -> None:
        while lane:
            batch = producer.create_batch()
            while lane and batch.append(key=lane[0][0], value=lane[0][1], timestamp=None, headers=lane[0][2]) is not None:
                lane.popleft()
            await (await producer.send_batch(batch, topic, partition=at))

    await asyncio.gather(*(fill(at, lane) for at, lane in lanes.items()))


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """A turn is 20,000 events of 2,000 streams, whatever its seconds."""
    topics = await place.servers.fresh_topics("orders", "send", "builder")
    bus = KafkaBus(place.servers.kafka)
    producer = AIOKafkaProducer(
        bootstrap_servers=place.servers.kafka, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=512 * 1024
    )
    await producer.start()
    async with opened(await place.database("orders")) as store:
        relay = Relay(store, bus, "orders", uuid4(), prefix=topics, lease=60)
        ready: list[OutboxRow] = []

        async def fill() -> None:
            rows = outbox()
            for start in range(0, TURN, 1000):
                await store.append(Commit(outbox=rows[start : start + 1000]))
            await relay.take_lease()

        async def ours(seconds: float) -> Took:
            began, sent = time.perf_counter(), 0
            while count := await relay.publish_once():
                sent += count
            return Took(operations=sent, seconds=time.perf_counter() - began)

        async def make() -> None:
            ready[:] = outbox()

        def raw(way: str) -> Contender:
            async def run(seconds: float) -> Took:
                began = time.perf_counter()
                for start in range(0, TURN, 1000):
                    messages = by_hand(ready[start : start + 1000], store.lineage)
                    await (send if way == "send" else send_batches)(producer, f"{topics}.{way}", messages)
                return Took(operations=TURN, seconds=time.perf_counter() - began)

            return run

        try:
            yield {OURS: Prepared(fill, ours), SEND: Prepared(make, raw("send")), BUILDER: Prepared(make, raw("builder"))}
        finally:
            await producer.stop()
            await bus.close()
