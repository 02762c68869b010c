"""What surrounds an event: who, where, when and because of what."""

from datetime import datetime
from hashlib import sha1
from uuid import UUID

import msgspec

from shared.decider import message
from shared.values.ids import uuid_of

_VERSION_5 = 5 << 76 | 2 << 62
_REST = ~(15 << 76 | 3 << 62)


@message
class Meta:
    """Kept with every event. `actor` is a staff id, `system` or `partner:<key>`; never a name."""

    actor: str
    store_id: str | None
    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


class Recorded[E](msgspec.Struct, frozen=True, kw_only=True):
    """An event in its stream. `occurred_at` is the command's time; the database adds when it was recorded."""

    id: UUID
    stream: str
    version: int
    event: E
    occurred_at: datetime
    meta: Meta


INDEXES = 100
"""How many public events one private event may become."""


def sequence(version: int, index: int) -> int:
    """The order of public events within a stream; it may have holes."""
    return version * INDEXES + index


def public_id(private_id: UUID, public_type: str, index: int) -> UUID:
    """Derived as uuid5 does, so that publishing again repeats the id."""
    digest = sha1(private_id.bytes + f"{public_type}/{index}".encode(), usedforsecurity=False).digest()
    return uuid_of(int.from_bytes(digest[:16]) & _REST | _VERSION_5)
