"""Public events as server-sent events: read from Kafka itself, resumed where the last one was seen, without personal fields."""

import asyncio
import base64
import binascii
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from starlette.types import Receive, Send

from services.gateway.people import Person
from services.gateway.routes import CONTEXTS
from shared.contracts.needs import NEEDS
from shared.contracts.schema import published
from shared.events.registry import personal_fields
from shared.web.problems import Problem

HEARTBEAT = 15.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,8000}")
MOST, MOST_EACH = 100, 8
"""Streams of one gateway process at a time, and of one person; each holds a Kafka consumer."""

type StillHere = Callable[[], Awaitable[Person]]
"""Looks the person up again. Raises Problem when he may not be here any more."""

_PERSONAL = {name: personal_fields(cls) for name, cls in published().items()}


class EventStream:
    """All contexts' topics, filtered for one person."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka = kafka
        self.topics = [f"{prefix}.{context}" for context in CONTEXTS]
        self._open: Counter[str] = Counter()

    async def serve(self, still_here: StillHere, last_event_id: str, receive: Receive, send: Send) -> None:
        """Streams until the client leaves or may not stay. Raises Problem before the first byte: bad-cursor, unavailable, too-many-requests."""
        places = _parse(last_event_id) if last_event_id else {}
        name = (await still_here()).staff_id
        if self._open.total() >= MOST or self._open[name] >= MOST_EACH:
            raise Problem("too-many-requests", headers={"Retry-After": "30"})
        self._open[name] += 1
        try:
            async with self._consumer(places) as consumer:
                at = {f"{p.topic.rpartition('.')[2]}:{p.partition}": await consumer.position(p) for p in consumer.assignment()}
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await send({"type": "http.response.body", "body": b": welcome\n\n", "more_body": True})
                gone = asyncio.create_task(_gone(receive))
                try:
                    await self._pump(consumer, still_here, at, send, gone)
                finally:
                    gone.cancel()
        except KafkaError:
            raise Problem("unavailable", headers={"Retry-After": "5"}) from None
        finally:
            self._open[name] -= 1

    async def _pump(
        self, consumer: AIOKafkaConsumer, still_here: StillHere, at: dict[str, int], send: Send, gone: "asyncio.Task[None]"
    ) -> None:
        quiet = 0.0
        while not gone.done():
            batch = await consumer.getmany(timeout_ms=500, max_records=200)
            try:
                person = await still_here()
            except Problem:
                break
            chunks = []
            for place, records in batch.items():
                for record in records:
                    at[f"{place.topic.rpartition('.')[2]}:{place.partition}"] = record.offset + 1
                    if shown := _shown(record, person):
                        chunks.append(b"id: " + _format(at) + b"\nevent: " + shown[0] + b"\ndata: " + shown[1] + b"\n\n")
            quiet = 0.0 if chunks else quiet + 0.5
            if quiet >= HEARTBEAT:
                chunks, quiet = [b": still here\n\n"], 0.0
            if chunks:
                await send({"type": "http.response.body", "body": b"".join(chunks), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    @asynccontextmanager
    async def _consumer(self, places: Mapping[str, int]) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest")
        await consumer.start()
        try:
            cluster = await consumer._client.fetch_all_metadata()
            parts = [TopicPartition(topic, n) for topic in self.topics for n in sorted(cluster.partitions_for_topic(topic) or ())]
            consumer.assign(parts)
            for part in parts:
                offset = places.get(f"{part.topic.rpartition('.')[2]}:{part.partition}")
                if offset is None:
                    await consumer.seek_to_end(part)
                else:
                    consumer.seek(part, offset)
            yield consumer
        finally:
            await consumer.stop()


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _shown(record: ConsumerRecord[Any, Any], person: Person) -> tuple[bytes, bytes] | None:
    """Name and JSON of an event this person may see; None for a watermark or a foreign store's."""
    headers = {name: value.decode() for name, value in record.headers}
    kind = headers.get("ce_type", "")
    name, _, _ = kind.rpartition(".v")
    needed = NEEDS.get(name) or NEEDS.get(name.partition(".")[0])
    store = headers.get("ce_storeid")
    if kind not in _PERSONAL or (needed and needed not in person.permissions):
        return None
    if store and "*" not in person.stores and store not in person.stores:
        return None
    data = msgspec.json.decode(record.value)
    for field in _PERSONAL[kind]:
        data.pop(field, None)
    shown = {
        "id": headers.get("ce_id"),
        "type": kind,
        "stream": headers.get("ce_partitionkey"),
        "store_id": store,
        "time": headers.get("ce_time"),
        "recorded": headers.get("ce_recordedtime"),
        "correlation_id": headers.get("ce_correlationid"),
        "data": data,
    }
    return kind.encode(), msgspec.json.encode(shown)


def _format(at: Mapping[str, int]) -> bytes:
    return base64.urlsafe_b64encode(msgspec.json.encode({k: v for k, v in at.items() if v})).rstrip(b"=")


def _parse(last_event_id: str) -> dict[str, int]:
    """The offsets a stream had reached; partitions never read start at 0. Raises Problem("bad-cursor")."""
    if not _ID.fullmatch(last_event_id):
        raise Problem("bad-cursor")
    try:
        raw = base64.urlsafe_b64decode(last_event_id + "=" * (-len(last_event_id) % 4))
        seen = msgspec.json.decode(raw, type=dict[str, int])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise Problem("bad-cursor") from None
    if len(seen) > 1000 or any(value < 0 for value in seen.values()):
        raise Problem("bad-cursor")
    return {f"{context}:{number}": 0 for context in CONTEXTS for number in range(64)} | seen
