"""Messages that failed too often wait here with all of use that follow them in their stream, until an operator has them tried again."""

from collections.abc import Awaitable, Callable
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
import structlog

from shared.bus.cloudevents import Envelope, heard, known, read
from shared.bus.heard import Effect, Heard, Listen
from shared.bus.inbox import Parked, inbox
from shared.bus.protocol import Record
from shared.store.protocol import Store, Transaction

log = structlog.get_logger(__name__)

type Apply = Callable[[Transaction, list[tuple[Heard, list[Effect]]]], Awaitable[None]]
"""Carries out effects within an open transaction."""


def parked(record: Record, envelope: Envelope | None, cause: str) -> Parked:
    """A message to be parked. One without a readable envelope gets an id from its place, and its Kafka key for a stream."""
    place, message = record.place, record.message
    nowhere = f"{place.topic}/{place.partition}/{record.offset}"
    headers = [(name, value.decode(errors="replace")) for name, value in message.headers]
    return Parked(
        event_id=envelope.id if envelope else uuid5(NAMESPACE_OID, nowhere),
        source=envelope.source if envelope else place.topic.rpartition(".")[2],
        stream=envelope.stream if envelope else _storable((message.key or nowhere.encode()).decode(errors="replace")),
        sequence=envelope.sequence if envelope else -1,
        topic=place.topic,
        partition=place.partition,
        offset=record.offset,
        headers=msgspec.json.encode(headers).decode(),
        data=message.value,
        cause=_storable(cause[:2000]),
    )


def _storable(text: str) -> str:
    """PostgreSQL keeps every character but one."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


async def waiting(store: Store, consumer: str) -> list[Parked]:
    """Everything parked for a consumer, by source and stream, in order."""
    async with store.begin() as tx:
        return await inbox(tx).parked(consumer)


async def retry(store: Store, consumer: str, source: str, stream: str, listen: Listen, apply: Apply) -> int:
    """Applies what is parked behind a stream, in order, and frees it: all in one transaction, or nothing and the error is raised."""
    async with store.begin() as tx:
        box, key = inbox(tx), (source, stream)
        if key not in await box.parked_keys(consumer, [key]):
            return 0
        messages = await box.parked(consumer, key)
        envelopes = [(read(message.message), message.data) for message in messages]
        events = [heard(envelope, data) for envelope, data in envelopes if isinstance(envelope, Envelope) and known(envelope)]
        if events:
            await apply(tx, [(event, listen(event)) for event in events])
        await box.unpark(consumer, [message.event_id for message in messages])
    log.info("parked stream freed", consumer=consumer, source=source, stream=stream, messages=len(messages))
    return len(messages)


async def discard(store: Store, consumer: str, event_id: UUID, reason: str) -> bool:
    """An operator gives one parked message up, for a reason that is logged; False when it is not parked."""
    async with store.begin() as tx:
        box = inbox(tx)
        found = [message for message in await box.parked(consumer) if message.event_id == event_id]
        for message in found:
            await box.parked_keys(consumer, [(message.source, message.stream)])
            await box.unpark(consumer, [event_id])
    log.warning("parked message given up", consumer=consumer, event_id=str(event_id), reason=reason, found=bool(found))
    return bool(found)
