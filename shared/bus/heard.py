"""A public event as a consumer hears it, and what a listener may make of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.decider import Rejected, message
from shared.views.table import Change, Drop, Put


@message
class Heard:
    """`event` is the contract's class; `source` the context that published it; `data` the bytes as they came."""

    id: UUID
    type: str
    source: str
    stream: str
    sequence: int
    event: Any
    data: bytes
    occurred_at: datetime
    recorded_at: datetime
    store_id: str | None
    actor: str
    correlation_id: str
    lineage: str
    traceparent: str | None = None


@message
class Send:
    """A command for a stream of this service. A rejection is recorded as `refused(rejection)` on that stream, or among the refusals."""

    to: str
    command: Any
    refused: Callable[[Rejected], Any] | None = None


type Effect = Send | Put[Any] | Change[Any] | Drop[Any]
type Listen = Callable[[Heard], list[Effect]]
