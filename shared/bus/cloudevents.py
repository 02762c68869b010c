"""Public events on the wire: CloudEvents 1.0, Kafka binary mode; attributes are headers, the contract is the value."""

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid4

import msgspec

from shared.bus.heard import Heard
from shared.bus.protocol import Message
from shared.contracts import PUBLISHED
from shared.decider import message
from shared.store.protocol import OutboxRow

WATERMARK = "forecourt.watermark"
_SOURCE = "/forecourt/"
_attributes = msgspec.json.Decoder(dict[str, str])


class Malformed(Exception):
    """Not one of our messages, or a broken one."""


class _Names(dict[str, str]):
    """The header of each attribute, kept from the first time on."""

    def __missing__(self, name: str) -> str:
        self[name] = header = f"ce_{name}"
        return header


_NAMES = _Names()


@message
class Envelope:
    """The attributes every public event has; the rest stays text until it is wanted."""

    id: UUID
    type: str
    source: str
    stream: str
    sequence: int
    lineage: str
    attributes: dict[str, str]


@message
class Watermark:
    """Nothing that `source` recorded before `at` will follow in this partition."""

    source: str
    lineage: str
    at: datetime


def to_message(row: OutboxRow, context: str, lineage: str) -> Message:
    """An outbox row as it goes to Kafka, keyed by its stream."""
    stream, at = row.stream.encode(), rfc3339(row.recorded_at or datetime.now(UTC))
    headers = [(_NAMES[name], value.encode()) for name, value in _attributes.decode(row.headers).items()]
    headers += (
        ("ce_id", str(row.id).encode()),
        ("ce_subject", stream),
        ("ce_partitionkey", stream),
        ("ce_sequence", b"%d" % row.sequence),
        ("ce_recordedtime", at.encode()),
    )
    headers += _alike(row.type, context, lineage)
    return Message(stream, row.data.encode(), headers)


@lru_cache(1_000)
def _alike(type: str, context: str, lineage: str) -> tuple[tuple[str, bytes], ...]:
    """The headers that all events of a type share."""
    attributes = {
        "specversion": "1.0",
        "source": _SOURCE + context,
        "type": type,
        "lineage": lineage,
        "dataschema": f"urn:forecourt:schema:{type}",
    }
    return tuple(_headers(attributes, "application/json"))


def watermark(at: datetime, context: str, lineage: str) -> Message:
    """The message that tells a partition how far the store has been published."""
    attributes = {"specversion": "1.0", "id": str(uuid4()), "source": _SOURCE + context, "type": WATERMARK, "lineage": lineage}
    return Message(None, rfc3339(at).encode(), _headers(attributes, "text/plain"))


def read(message: Message) -> Envelope | Watermark:
    """The envelope of a message, its value left alone. Raises Malformed."""
    try:
        headers = {name: value.decode() for name, value in message.headers}
        _refuse_nul(b"".join([value for _, value in message.headers]))
        source, lineage = headers["ce_source"].removeprefix(_SOURCE), headers["ce_lineage"]
        if headers["ce_type"] == WATERMARK:
            return Watermark(source=source, lineage=lineage, at=_moment(message.value.decode()))
        return Envelope(
            id=UUID(headers["ce_id"]),
            type=headers["ce_type"],
            source=source,
            stream=headers["ce_partitionkey"],
            sequence=_number(headers["ce_sequence"]),
            lineage=lineage,
            attributes=headers,
        )
    except (KeyError, ValueError) as error:
        raise Malformed(repr(error)) from error


def known(envelope: Envelope) -> bool:
    """Whether this version of the code knows the contract."""
    return envelope.type in PUBLISHED


def heard(envelope: Envelope, data: bytes) -> Heard:
    """The event itself; fields the contract does not know are ignored. Raises Malformed."""
    attributes = envelope.attributes
    try:
        return Heard(
            id=envelope.id,
            type=envelope.type,
            source=envelope.source,
            stream=envelope.stream,
            sequence=envelope.sequence,
            event=_decoder(envelope.type).decode(data),
            data=data,
            occurred_at=_moment(attributes["ce_time"]),
            recorded_at=_moment(attributes["ce_recordedtime"]),
            store_id=attributes.get("ce_storeid"),
            actor=attributes["ce_authid"],
            correlation_id=attributes["ce_correlationid"],
            lineage=envelope.lineage,
            traceparent=attributes.get("ce_traceparent"),
        )
    except (KeyError, ValueError) as error:
        raise Malformed(repr(error)) from error


def _refuse_nul(value: bytes) -> None:
    if b"\0" in value:
        raise ValueError("a NUL character, which PostgreSQL does not keep")


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is no sequence")
    return number


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return at


@cache
def _decoder(type: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(PUBLISHED[type])


def _headers(attributes: dict[str, str], content_type: str) -> list[tuple[str, bytes]]:
    return [*((_NAMES[name], value.encode()) for name, value in attributes.items()), ("content-type", content_type.encode())]


def rfc3339(at: datetime) -> str:
    """A moment as CloudEvents writes it, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
