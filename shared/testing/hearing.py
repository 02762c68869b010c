"""Public events as a consumer hands them over, for tests of those who listen."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from shared.bus.heard import Heard
from shared.contracts import gateway, published_name

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def an_id(n: int) -> str:
    """A short way to an id."""
    return f"0192f3a4-0000-7000-8000-{n:012}"


def store_opened(
    store_id: str, code: str, entity_id: str, *, timezone: str = "Asia/Shanghai", opens: str = "09:00", closes: str = "18:00"
) -> gateway.StoreOpened:
    """A store of a legal entity."""
    return gateway.StoreOpened(
        store_id=store_id,
        code=code,
        name=f"远行{code}店",
        entity_id=entity_id,
        region="north",
        timezone=timezone,
        opens=opens,
        closes=closes,
    )


def entity_registered(entity_id: str, currency: str = "CNY") -> gateway.LegalEntityRegistered:
    """A legal entity at the usual rate of VAT."""
    return gateway.LegalEntityRegistered(
        entity_id=entity_id, name="北京远行汽车有限公司", tax_number="91110000MA01", currency=currency, vat_permille=130
    )


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
