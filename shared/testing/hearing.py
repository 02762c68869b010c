"""Public events as a consumer hands them over, for tests of those who listen."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from shared.bus.heard import Heard
from shared.contracts import published_name

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def an_id(n: int) -> str:
    """A short way to an id."""
    return f"0192f3a4-0000-7000-8000-{n:012}"


def heard(
    event: Any,
    at: datetime = NOON,
    store_id: str | None = None,
    *,
    actor: str = "li",
    id: UUID | None = None,
    stream: str = "stream",
    sequence: int = 100,
    recorded_at: datetime | None = None,
) -> Heard:
    """The event as it is heard: it happened `at`, and was recorded then unless another moment is given."""
    name = published_name(event)
    return Heard(
        id=id or uuid4(),
        type=name,
        source=name.partition(".")[0],
        stream=stream,
        sequence=sequence,
        event=event,
        data=msgspec.json.encode(event),
        occurred_at=at,
        recorded_at=recorded_at or at,
        store_id=store_id,
        actor=actor,
        correlation_id="c",
        lineage="l",
    )
