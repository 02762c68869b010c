"""Our messages are CloudEvents as the reference library reads and writes them."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

from shared.bus.cloudevents import WATERMARK, Envelope, Malformed, Watermark, heard, known, read, to_message, watermark
from shared.bus.protocol import Message
from shared.bus.tests.support import LINEAGE, message, row
from shared.contracts.orders import VehicleRequested
from shared.store.protocol import OutboxRow

AT = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)


def full() -> OutboxRow:
    attributes = {
        "time": "2026-03-02T12:00:00.25Z",
        "storeid": "store-1",
        "authid": "staff-1",
        "correlationid": "click-1",
        "causationid": "cause-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return replace(row("order-1", 7), headers=msgspec.json.encode(attributes).decode(), recorded_at=AT)


def envelope_of(message: Message) -> Envelope:
    found = read(message)
    assert isinstance(found, Envelope)
    return found


def test_the_library_reads_our_messages() -> None:
    made = to_message(full(), "orders", LINEAGE)
    event = from_binary_event(KafkaMessage(headers=dict(made.headers), key=made.key, value=made.value))
    assert (event.get_id(), event.get_source(), event.get_type()) == (str(full().id), "/forecourt/orders", "orders.VehicleRequested.v1")
    assert event.get_time() == AT
    assert (event.get_subject(), event.get_datacontenttype()) == ("order-1", "application/json")
    assert event.get_dataschema() == "urn:forecourt:schema:orders.VehicleRequested.v1"
    extensions = ("recordedtime", "correlationid", "causationid", "storeid", "partitionkey", "sequence", "authid", "lineage")
    assert [event.get_extension(name) for name in extensions] == [
        *("2026-03-02T12:00:00.250000Z", "click-1", "cause-1", "store-1", "order-1", "700", "staff-1"),
        LINEAGE,
    ]
    assert event.get_data() == {"request_id": "7", "order_id": "order-1", "vin": "V", "store_id": "s", "seller_id": "li"}


def test_we_read_what_the_library_writes() -> None:
    made = to_message(full(), "orders", LINEAGE)
    event = from_binary_event(KafkaMessage(headers=dict(made.headers), key=made.key, value=made.value))
    assert isinstance(event, CloudEvent)
    theirs = to_binary_event(event)
    key = theirs.key.encode() if isinstance(theirs.key, str) else theirs.key
    again = Message(key, theirs.value, list(theirs.headers.items()))
    assert heard(envelope_of(again), made.value) == heard(envelope_of(made), made.value)
    assert again.key == made.key


def test_an_event_comes_back_whole() -> None:
    made = to_message(full(), "orders", LINEAGE)
    envelope = envelope_of(made)
    event = heard(envelope, made.value)
    assert known(envelope)
    assert event.event == VehicleRequested(request_id="7", order_id="order-1", vin="V", store_id="s", seller_id="li")
    assert (event.id, event.stream, event.sequence, event.source) == (full().id, "order-1", 700, "orders")
    assert (event.occurred_at, event.recorded_at) == (AT, AT)
    assert (event.store_id, event.actor, event.correlation_id) == ("store-1", "staff-1", "click-1")
    assert event.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_field_the_contract_does_not_know_is_ignored() -> None:
    made = message("order-1", 1)
    newer = made.value.replace(b"{", b'{"colour":"red",', 1)
    assert heard(envelope_of(made), newer).event == heard(envelope_of(made), made.value).event


def test_a_watermark_is_a_cloudevent_too() -> None:
    made = watermark(AT, "orders", LINEAGE)
    event = from_binary_event(KafkaMessage(headers=dict(made.headers), key=made.key, value=made.value))
    assert event.get_type() == WATERMARK
    assert read(made) == Watermark(source="orders", lineage=LINEAGE, at=AT)


@pytest.mark.parametrize("missing", ["ce_id", "ce_type", "ce_source", "ce_sequence", "ce_partitionkey", "ce_lineage"])
def test_a_message_without_an_attribute_we_need_is_malformed(missing: str) -> None:
    made = message("order-1", 1)
    with pytest.raises(Malformed, match=missing):
        read(replace(made, headers=[pair for pair in made.headers if pair[0] != missing]))


@pytest.mark.parametrize("name, value", [("ce_id", b"1"), ("ce_sequence", b"9" * 30), ("ce_partitionkey", b"a\0b"), ("ce_source", b"\xff")])
def test_an_attribute_that_cannot_be_kept_is_malformed(name: str, value: bytes) -> None:
    made = message("order-1", 1)
    with pytest.raises(Malformed):
        read(replace(made, headers=[*made.headers, (name, value)]))


def test_a_moment_without_an_offset_is_malformed() -> None:
    with pytest.raises(Malformed):
        read(replace(watermark(AT, "orders", LINEAGE), value=b"2026-03-02T12:00:00"))


def test_a_body_that_is_not_the_contract_is_malformed() -> None:
    with pytest.raises(Malformed):
        heard(envelope_of(message("order-1", 1)), b'{"request_id": 1}')
