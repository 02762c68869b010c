"""What surrounds an event: who, where, when and because of what."""

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True, kw_only=True)
class Meta:
    """Kept with every event. `actor` is a staff id, `system` or `partner:<key>`; never a name."""

    actor: str
    store_id: str | None
    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded[E]:
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
    """Derived, so that publishing again repeats the id."""
    return uuid5(private_id, f"{public_type}/{index}")


def derived_id(*parts: str) -> UUID:
    """An id that the same parts always give: a command's id from its process, input event and number."""
    return uuid5(NAMESPACE_URL, "/".join(parts))
