"""The AsyncAPI document is that of the code: every public event, on the topic of its context, with the headers it is sent with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import yaml

from shared.bus.cloudevents import to_message, watermark
from shared.contracts import asyncapi
from shared.contracts.schema import CONTEXTS, FOLDER, published
from shared.store.protocol import OutboxRow

DOCUMENT: dict[str, Any] = asyncapi.document()
ID = "0192f3a4-5b6c-7d8e-9f01-23456789abcd"


def test_the_document_is_current() -> None:
    written = asyncapi.FILE.read_text(encoding="utf-8")
    assert written == asyncapi.text(), "run `make contracts` and review"
    assert yaml.safe_load(written) == DOCUMENT


def test_every_event_is_a_message_of_its_contexts_topic_with_its_schema() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {f"forecourt.{context}" for context in CONTEXTS}
    told = [name for channel in DOCUMENT["channels"].values() for name in channel["messages"] if name != "watermark"]
    assert sorted(told) == sorted(published())
    for name in told:
        message = DOCUMENT["components"]["messages"][name]
        assert (FOLDER.parent / message["payload"]["schema"]["$ref"]).is_file()
        assert name in DOCUMENT["channels"][name.partition(".")[0]]["messages"]


def headers(schema: str) -> tuple[set[str], set[str]]:
    told = DOCUMENT["components"]["schemas"][schema]
    return set(told["properties"]), set(told["required"])


def test_the_headers_are_those_that_are_sent() -> None:
    known, always = headers("Attributes")
    given = {"time": "2026-11-22T09:30:00Z", "authid": "lin", "correlationid": "1"}
    more = {"causationid": ID, "storeid": ID, "traceparent": "00-1-2-01"}
    for attributes, expected in ((given, always), (given | more, known)):
        row = OutboxRow(
            id=UUID(ID),
            stream=f"order-{ID}",
            sequence=1000,
            type="orders.OrderApproved.v1",
            data="{}",
            headers=msgspec.json.encode(attributes).decode(),
            recorded_at=datetime(2026, 11, 22, tzinfo=UTC),
        )
        assert {name for name, _ in to_message(row, "orders", ID).headers} == expected
    sent = {name for name, _ in watermark(datetime(2026, 11, 22, tzinfo=UTC), "orders", ID).headers}
    assert headers("WatermarkAttributes") == (sent, sent)
