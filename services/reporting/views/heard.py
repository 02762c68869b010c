"""Every public event as it came: inbox, drill-down and proof at once."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from shared.bus.heard import Heard
from shared.contracts.needs import needed
from shared.contracts.schema import published
from shared.decider import message
from shared.events.registry import personal_fields
from shared.views.table import Put, Table
from shared.web.auth import Auth

REFERENCES = ("vin", "stay_id", "order_id", "lead_id", "opportunity_id", "campaign_id", "transfer_id")


@message
class HeardRow:
    event_id: str
    type: str
    source: str
    stream: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    store_id: str | None
    actor: str
    correlation_id: str
    data: str
    vin: str | None
    stay_id: str | None
    order_id: str | None
    lead_id: str | None
    opportunity_id: str | None
    campaign_id: str | None
    transfer_id: str | None


heard_events = Table(
    "heard",
    1,
    HeardRow,
    key=("event_id",),
    indexes=(
        *(f"({name}, recorded_at) where {name} is not null" for name in ("vin", "order_id", "lead_id", "opportunity_id", "campaign_id")),
        "stream, sequence",
    ),
    also="alter table {table} add column xid xid8 not null default pg_current_xact_id(); create index on {table} (xid)",
)


def log(heard: Heard) -> Put[HeardRow]:
    """The event with what it refers to."""
    references: dict[str, Any] = {name: getattr(heard.event, name, None) for name in REFERENCES}
    return Put(
        heard_events,
        HeardRow(
            event_id=str(heard.id),
            type=heard.type,
            source=heard.source,
            stream=heard.stream,
            sequence=heard.sequence,
            occurred_at=heard.occurred_at,
            recorded_at=heard.recorded_at,
            store_id=heard.store_id,
            actor=heard.actor,
            correlation_id=heard.correlation_id,
            data=heard.data.decode(),
            **references,
        ),
    )


def again(row: HeardRow) -> Heard:
    """A kept event as it was heard."""
    return Heard(
        id=UUID(row.event_id),
        type=row.type,
        source=row.source,
        stream=row.stream,
        sequence=row.sequence,
        event=_decoders()[row.type].decode(row.data),
        data=row.data.encode(),
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        store_id=row.store_id,
        actor=row.actor,
        correlation_id=row.correlation_id,
        lineage="",
    )


@cache
def _decoders() -> dict[str, msgspec.json.Decoder[Any]]:
    return {type: msgspec.json.Decoder(cls) for type, cls in published().items()}


def visible(auth: Auth) -> list[str]:
    """The types of events whose figures, or people, a reader may see."""
    return [type for type in published() if (permission := needed(type)) is None or auth.may(permission)]


def hidden(cls: type | None) -> list[str]:
    """The fields of an event that a report never shows."""
    return personal_fields(cls) if cls else []
