"""The form of a read's answer, told from the rows it is made of: for the document alone, an answer is not validated again."""

import inspect
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints, is_typeddict

from shared.values.money import Money

REF = "#/components/schemas/"
AMOUNT: dict[str, Any] = {
    "type": "object",
    "description": "An amount as it is written, with the decimals of its currency (ISO 4217).",
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?[0-9]{1,16}(\.[0-9]{2,3})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
    "examples": [{"amount": "189800.00", "currency": "CNY"}],
}
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time", "examples": ["2026-11-22T01:30:00Z"]},
    date: {"type": "string", "format": "date", "examples": ["2026-11-22"]},
    Money: {"$ref": f"{REF}Amount"},
    Any: {},
    object: {},
}
_EXAMPLES = {
    "vin": "LSGXE83L3KD123456",
    "currency": "CNY",
    "phone": "+8613800138000",
    "email": "lin.yue@example.com",
    "name": "Lin Yue",
    "username": "lin.yue",
    "month": "2026-11",
    "brand": "Aurora",
    "series": "A5",
    "timezone": "Asia/Shanghai",
    "number": "SO-BJ1-20261122-001",
    "account": "1405",
    "reason": "As agreed on the telephone",
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An object, or with `listed` a page of them: the fields of `row`, of which some are left out, shown as amounts, or added."""

    name: str
    row: type | None = None
    only: Collection[str] = ()
    without: Collection[str] = ()
    amounts: Collection[str] = ()
    """Columns in minor units that are shown with their currency."""
    maybe: Collection[str] = ()
    """Fields that some callers, or some rows, do not get."""
    nullable: Collection[str] = ()
    also: Mapping[str, Any] | None = None
    """Further fields, or other types for those of the row: a type, a Shape, or a list of one Shape."""
    listed: bool = False
    more: bool = False
    """Whether an object has fields that only its kind tells."""


def shape(name: str, row: type | None = None, *, also: Mapping[str, Any] | None = None, **parts: Any) -> Shape:
    """What a read of one thing answers, for `response_model`. `parts` are those of Shape."""
    return Shape(name=name, row=row, also=also, **parts)


def page_of(name: str | Shape, row: type | None = None, *, also: Mapping[str, Any] | None = None, **parts: Any) -> Shape:
    """What a list answers, for `response_model`: a page of a shape, or of one made of these parts."""
    if isinstance(name, Shape):
        return replace(name, listed=True)
    return Shape(name=name, row=row, also=also, listed=True, **parts)


def schema_of(shown: Shape, components: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of an answer; the schemas it refers to are added to `components`."""
    properties = {name: _described(name, _schema(hint, components)) for name, hint in _hints(shown)}
    needed = [name for name in properties if name not in shown.maybe]
    _add(components, shown.name, _closed(shown.name, properties, needed, more=shown.more))
    if not shown.listed:
        return {"$ref": REF + shown.name}
    cursor = {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Where the next page begins; null on the last."}
    page = {"items": {"type": "array", "items": {"$ref": REF + shown.name}}, "next_cursor": cursor}
    return _closed(f"A page of {shown.name}", page, list(page))


def _closed(title: str, properties: dict[str, Any], needed: list[str], *, more: bool = False) -> dict[str, Any]:
    made = {"title": title, "type": "object", "properties": properties, "required": needed}
    return made if more else {**made, "additionalProperties": False}


def _hints(shown: Shape) -> Iterator[tuple[str, Any]]:
    """Field and type, in the order of the row."""
    hints = get_type_hints(shown.row) if shown.row else {}
    also = shown.also or {}
    for name in dict.fromkeys([*(shown.only or hints), *also]):
        hint = also.get(name, hints.get(name))
        if name in shown.without:
            continue
        if name in shown.amounts:
            hint = Money | None if NoneType in get_args(hint) else Money
        yield name, hint | None if name in shown.nullable else hint


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A text with an example that looks like one."""
    if schema == {"type": "string"}:
        if name.endswith("_id"):
            return schema | {"examples": ["0192f3a4-5b6c-7d8e-9f01-23456789abcd"]}
        if name in _EXAMPLES:
            return schema | {"examples": [_EXAMPLES[name]]}
    if "anyOf" in schema:
        return schema | {"anyOf": [_described(name, arm) for arm in schema["anyOf"]]}
    return schema


def _schema(hint: Any, components: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a type as `shared.web.json.encode` writes it."""
    while isinstance(hint, TypeAliasType):
        hint = hint.__value__
    if isinstance(hint, list):
        return {"type": "array", "items": _schema(hint[0], components)}
    if isinstance(hint, Shape):
        return schema_of(hint, components)
    if hint is Money:
        _add(components, "Amount", AMOUNT)
    if hint in _PLAIN:
        return _PLAIN[hint]
    arms = get_args(hint)
    match get_origin(hint):
        case origin if origin is Annotated:
            return _schema(arms[0], components)
        case origin if origin is Literal:
            return {"enum": list(arms)}
        case origin if origin in (Union, UnionType):
            return {"anyOf": [_schema(arm, components) for arm in arms]}
        case origin if origin in (list, tuple, frozenset, set, Sequence):
            return {"type": "array", "items": _schema(arms[0], components)}
        case origin if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": _schema(arms[1], components)}
    if is_dataclass(hint) or is_typeddict(hint):
        return _object(hint, components)
    raise TypeError(f"{hint} is no part of an answer.")


def _object(cls: Any, components: dict[str, Any]) -> dict[str, Any]:
    """The schema of a dataclass or TypedDict, as a component of its name."""
    hints = get_type_hints(cls, vars(sys.modules[cls.__module__]))
    properties = {name: _described(name, _schema(hint, components)) for name, hint in hints.items()}
    made = _closed(cls.__name__, properties, [name for name in hints if name not in getattr(cls, "__optional_keys__", ())])
    if (told := inspect.getdoc(cls)) and not told.startswith(f"{cls.__name__}("):
        made["description"] = told
    _add(components, cls.__name__, made)
    return {"$ref": REF + cls.__name__}


def _add(components: dict[str, Any], name: str, made: dict[str, Any]) -> None:
    if components.setdefault(name, made) != made:
        raise ValueError(f"{name} is the name of two different schemas.")
