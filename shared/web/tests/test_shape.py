"""The form of an answer as it is documented."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NotRequired, TypedDict

import pytest

from shared.values.money import Money
from shared.web.openapi import example
from shared.web.shape import REF, page_of, schema_of, shape

type Stage = Literal["open", "closed"]


@dataclass(frozen=True)
class Line:
    """One of many."""

    text: str
    price: Money


class Note(TypedDict):
    by: str
    at: NotRequired[datetime]


@dataclass(frozen=True)
class Row:
    order_id: str
    price: int
    paid: int | None
    currency: str
    stage: Stage
    day: date | None
    lines: tuple[Line, ...]
    secret: str


def test_a_row_as_it_is_shown() -> None:
    shown = shape("Sale", Row, without=("secret", "currency"), amounts=("price", "paid"), also={"notes": list[Note]}, nullable=("stage",))
    schemas: dict[str, Any] = {}
    assert schema_of(shown, schemas) == {"$ref": f"{REF}Sale"}
    sale = schemas["Sale"]
    assert sale["required"] == ["order_id", "price", "paid", "stage", "day", "lines", "notes"]
    assert sale["additionalProperties"] is False
    assert sale["properties"]["price"] == {"$ref": f"{REF}Amount"}
    assert sale["properties"]["paid"] == {"anyOf": [{"$ref": f"{REF}Amount"}, {"type": "null"}]}
    assert sale["properties"]["stage"]["anyOf"][1] == {"type": "null"}
    assert schemas["Line"]["description"] == "One of many."
    assert schemas["Note"]["required"] == ["by"]
    made = example({"$ref": f"{REF}Sale"}, schemas)
    assert made["price"] == {"amount": "189800.00", "currency": "CNY"}
    assert (made["stage"], made["day"], made["lines"][0]["text"]) == ("open", "2026-11-22", "text")


def test_a_page_of_some_columns() -> None:
    schemas: dict[str, Any] = {}
    page = schema_of(page_of("Listed", Row, only=("order_id", "stage"), maybe=("stage",)), schemas)
    assert page["required"] == ["items", "next_cursor"]
    assert schemas["Listed"]["required"] == ["order_id"]
    assert schema_of(page_of(shape("Listed", Row, only=("order_id", "stage"), maybe=("stage",))), schemas) == page


def test_shapes_within_shapes_and_objects_with_more_fields() -> None:
    schemas: dict[str, Any] = {}
    inner = shape("Facts", also={"id": str}, more=True)
    schema_of(shape("Outer", also={"one": inner, "many": [inner], "numbers": dict[str, int], "anything": Any}), schemas)
    assert schemas["Outer"]["properties"]["many"] == {"type": "array", "items": {"$ref": f"{REF}Facts"}}
    assert schemas["Outer"]["properties"]["numbers"]["additionalProperties"] == {"type": "integer"}
    assert "additionalProperties" not in schemas["Facts"]


def test_one_name_is_one_schema() -> None:
    schemas: dict[str, Any] = {}
    schema_of(shape("Sale", also={"a": int}), schemas)
    with pytest.raises(ValueError, match="Sale"):
        schema_of(shape("Sale", also={"a": str}), schemas)
    with pytest.raises(TypeError, match="no part of an answer"):
        schema_of(shape("Odd", also={"a": complex}), schemas)
