"""The chain of a stream: each event's hash is taken over the hash before it and the event, so an edit or a hole is found at its place."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def link(
    before: bytes, stream: str, version: int, id: UUID, type: str, type_version: int, occurred_at: datetime, meta: bytes, data: bytes
) -> bytes:
    """The hash of an event that follows one of hash `before` (empty for the first). What the database adds is not in it."""
    at = (occurred_at - _EPOCH) // _MICROSECOND
    head = f"{stream}\n{version}\n{id.hex}\n{type}\n{type_version}\n{at}\n{len(meta)}\n"
    return sha256(b"".join((before, head.encode(), meta, data))).digest()
