"""A breaking change of what is published fails; an addition does not."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import gate
from shared.contracts.gate import Side, breaks, broken_events, broken_operations

EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "kind": {"enum": ["cash", "card"]},
        "name": {"type": "string", "x-personal": True},
        "price": {"type": "object", "properties": {"minor": {"type": "integer"}}, "required": ["minor"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"account": {"type": "string"}}, "required": []}},
        "vin": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "text": {"type": "string", "maxLength": 80},
    },
    "required": ["order_id", "kind", "price", "vin"],
}


def test_nothing_that_was_released_is_broken() -> None:
    assert broken_events(gate.released("events"), gate.events()) == [], "publish a new version beside the old"
    assert broken_operations(gate.released("operations"), gate.operations()) == [], "keep the old beside the new"


def changed(path: str, value: Any) -> dict[str, Any]:
    """EVENT with another value at a dotted place; None takes it away."""
    made = deepcopy(EVENT)
    *steps, last = path.split(".")
    inner = made
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return made


OTHER = [{"type": "integer"}, {"type": "null"}]
WIDER = [{"type": "string"}, {"type": "null"}, {"type": "integer"}]
CHANGES: list[tuple[str, Any, str]] = [
    ("properties.order_id", None, "event request answer"),
    ("properties.order_id", {"type": "integer"}, "event request answer"),
    ("properties.order_id", {"type": "string", "format": "uuid"}, "event request answer"),
    ("properties.order_id", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "event answer"),
    ("properties.name", {"type": "string"}, "event request answer"),
    ("properties.price.properties.minor", {"type": "string"}, "event request answer"),
    ("properties.lines.items.properties", {}, "event request answer"),
    ("properties.lines.items.required", ["account"], "event request"),
    ("properties.text.maxLength", 40, "event request"),
    ("properties.text.maxLength", 200, "event answer"),
    ("properties.text.maxLength", None, "event answer"),
    ("properties.kind.enum", ["cash"], "event request"),
    ("properties.kind.enum", ["cash", "card", "loan"], "event"),
    ("properties.kind", {"type": "string"}, "event request answer"),
    ("properties.vin.anyOf", [{"type": "string"}], "event request"),
    ("properties.vin.anyOf", WIDER, "event answer"),
    ("properties.vin.anyOf", OTHER, "event request answer"),
    ("properties.new", {"type": "string"}, ""),
    ("required", ["order_id", "kind", "price", "vin", "name"], "event request"),
    ("required", ["order_id", "kind", "price"], "event answer"),
    ("additionalProperties", False, "event request"),
    ("title", "Another", ""),
    ("description", "In other words", ""),
]


@pytest.mark.parametrize("side", ["event", "request", "answer"])
@pytest.mark.parametrize(("path", "value", "broken"), CHANGES, ids=lambda value: str(value)[:40])
def test_each_kind_of_change(path: str, value: Any, broken: str, side: Side) -> None:
    new = gate.binding(changed(path, value), {})
    assert bool(list(breaks(gate.binding(EVENT, {}), new, side))) == (side in broken.split())


@pytest.mark.parametrize("side", ["event", "request", "answer"])
def test_a_new_field_that_is_required(side: Side) -> None:
    new = changed("properties.new", {"type": "string"})
    new["required"] = [*EVENT["required"], "new"]
    assert list(breaks(EVENT, new, side)) == ([] if side == "answer" else [".new: is new and required"])


def test_the_place_is_named() -> None:
    new = changed("properties.lines.items.properties.account", {"type": "integer"})
    assert list(breaks(EVENT, new, "event")) == [".lines[].account: type changed from string to integer"]
    values = {"type": "object", "additionalProperties": {"type": "integer"}}
    assert list(breaks(values, {"type": "object", "additionalProperties": {"type": "string"}}, "answer")) == [
        ".*: type changed from integer to string"
    ]


def test_a_type_that_is_gone_and_one_that_is_new() -> None:
    assert broken_events({"orders.A.v1": EVENT}, {"orders.A.v2": EVENT}) == ["orders.A.v1: is gone"]
    assert broken_events({"orders.A.v1": EVENT}, {"orders.A.v1": EVENT, "orders.B.v1": EVENT}) == []


OPERATION: dict[str, Any] = {
    "parameters": {"type": "object", "properties": {"query store_id": {"type": "string"}}, "required": [], "additionalProperties": False},
    "request": {"application/json": EVENT},
    "status": "201",
    "answer": {"application/json": EVENT},
    "permission": ["orders.write"],
}


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("status", "200", "answers 200, not 201"),
        ("permission", ["orders.approve"], "who was allowed is not"),
        ("parameters", {**OPERATION["parameters"], "properties": {}}, "parameters.query store_id: is gone"),
        ("parameters", {**OPERATION["parameters"], "required": ["query store_id"]}, "was optional, is required"),
        ("request", {}, "request: application/json is gone"),
        ("answer", {"text/csv": EVENT}, "answer: application/json is gone"),
    ],
)
def test_an_operation_that_breaks_its_callers(part: str, value: Any, said: str) -> None:
    (found,) = broken_operations({"POST /orders": OPERATION}, {"POST /orders": {**OPERATION, part: value}})
    assert said in found


def test_operations_that_come_go_and_open() -> None:
    free = {**OPERATION, "permission": [], "request": {}}
    assert broken_operations({"POST /orders": OPERATION}, {}) == ["POST /orders: is gone"]
    assert broken_operations({}, {"POST /orders": OPERATION}) == []
    assert broken_operations({"POST /orders": {**free, "permission": ["x"]}}, {"POST /orders": free}) == []
    assert len(broken_operations({"POST /orders": free}, {"POST /orders": OPERATION})) == 2
    more = {**OPERATION, "permission": ["orders.write", "orders.approve"]}
    assert broken_operations({"POST /orders": OPERATION}, {"POST /orders": more}) == []


def test_a_release_is_refused_while_something_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RELEASED", tmp_path / "released")
    monkeypatch.setattr(gate, "operations", lambda: {"POST /orders": OPERATION})
    monkeypatch.setattr(gate, "events", lambda: {"orders.A.v1": EVENT})
    gate.release()
    monkeypatch.setattr(gate, "events", lambda: {"orders.A.v1": changed("properties.order_id", None)})
    with pytest.raises(ValueError, match="order_id: is gone"):
        gate.release()
    assert gate.released("events") == {"orders.A.v1": EVENT}
    monkeypatch.setattr(gate, "events", lambda: {"orders.A.v1": changed("properties.new", {"type": "string"})})
    gate.release()
    assert "new" in gate.released("events")["orders.A.v1"]["properties"]
