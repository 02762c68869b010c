"""The published language as AsyncAPI 3: a channel per context, a message per public event, CloudEvents attributes as headers."""

from pathlib import Path
from typing import Any

import yaml

from shared.bus.cloudevents import WATERMARK
from shared.contracts.needs import needed
from shared.contracts.schema import CONTEXTS, published

FILE = Path(__file__).parent / "asyncapi.yaml"
_ID = "0192f3a4-5b6c-7d8e-9f01-23456789abcd"
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_ATTRIBUTES = {
    "specversion": ("The version of CloudEvents.", "1.0"),
    "id": ("Of this event; a repeat has the same.", _ID),
    "source": ("Who tells it.", "/forecourt/orders"),
    "type": ("Its name and version.", "orders.OrderApproved.v1"),
    "subject": ("The stream it is of.", f"order-{_ID}"),
    "partitionkey": ("The stream: events of one stream come in order.", f"order-{_ID}"),
    "sequence": ("Its place in the stream; there may be holes.", "3000"),
    "time": ("When it happened.", "2026-11-22T09:30:00Z"),
    "recordedtime": ("When it was recorded.", "2026-11-22T09:30:01Z"),
    "authid": ("Who did it: a member of staff, a partner, or the system.", _ID),
    "correlationid": ("The trace of the request it goes back to.", "4bf92f3577b34da6a3ce929d0e0e4736"),
    "lineage": ("The event store it comes from; a restored one is another.", _ID),
    "dataschema": ("Its JSON Schema.", "urn:forecourt:schema:orders.OrderApproved.v1"),
}
_OPTIONAL = {
    "causationid": ("The private event it follows from.", _ID),
    "storeid": ("The dealer's store it belongs to.", _ID),
    "traceparent": ("W3C trace context.", _TRACE),
}
_OF_WATERMARK = ("specversion", "id", "source", "type", "lineage")


def document() -> dict[str, Any]:
    """The AsyncAPI document of the published language."""
    messages = {name: _message(name, cls) for name, cls in published().items()}
    messages["watermark"] = {
        "name": WATERMARK,
        "summary": "Nothing that the source recorded before this moment will follow in this partition.",
        "contentType": "text/plain",
        "headers": {"$ref": "#/components/schemas/WatermarkAttributes"},
        "payload": {"type": "string", "format": "date-time", "examples": ["2026-11-22T09:30:00Z"]},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Forecourt",
            "version": "1",
            "description": "Public events on Kafka: CloudEvents 1.0 in binary mode, keyed by stream. Personal fields (x-personal) hold tokens.",
        },
        "defaultContentType": "application/json",
        "channels": {context: _channel(context, messages) for context in CONTEXTS},
        "operations": {f"hear-{context}": {"action": "receive", "channel": {"$ref": f"#/channels/{context}"}} for context in CONTEXTS},
        "components": {
            "messages": messages,
            "schemas": {
                "Attributes": _headers(_ATTRIBUTES, _OPTIONAL),
                "WatermarkAttributes": _headers({name: _ATTRIBUTES[name] for name in _OF_WATERMARK}, {}),
            },
        },
    }


def _channel(context: str, messages: dict[str, Any]) -> dict[str, Any]:
    told = [name for name in messages if name == "watermark" or name.startswith(f"{context}.")]
    return {
        "address": f"forecourt.{context}",
        "description": f"What {context} tells the others.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in told},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": ["delete"]}}},
    }


def _message(name: str, cls: type) -> dict[str, Any]:
    form = "application/schema+json;version=draft-2020-12"
    made: dict[str, Any] = {"name": name, "title": name.split(".")[1], "headers": {"$ref": "#/components/schemas/Attributes"}}
    if cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}("):
        made["summary"] = cls.__doc__
    if permission := needed(name):
        made["x-permission"] = permission
    return {**made, "payload": {"schemaFormat": form, "schema": {"$ref": f"./schemas/{name}.json"}}}


def _headers(always: dict[str, tuple[str, str]], sometimes: dict[str, tuple[str, str]]) -> dict[str, Any]:
    told = always | sometimes
    properties = {f"ce_{name}": {"type": "string", "description": text, "examples": [shown]} for name, (text, shown) in told.items()}
    properties["content-type"] = {"type": "string"}
    return {"type": "object", "properties": properties, "required": [*(f"ce_{name}" for name in always), "content-type"]}


def text() -> str:
    """The file's content."""
    made: str = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=140)
    return made


def write() -> None:
    """Writes the document."""
    FILE.write_text(text(), encoding="utf-8")
