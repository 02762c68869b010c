"""Strict JSON: what a careless parser lets through is refused here, before anyone looks at the body."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import BaseModel

from shared.web.problems import FieldError, Problem

DEPTH = 64
INT64 = 2**63
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = re.compile(r"[^\[\]{}]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_RAW_CONTROL = re.compile("[\x7f-\x9f]")


def parse(raw: bytes) -> Any:
    """The value of a JSON text. Raises Problem (400 for what is no JSON, 422 for values no field can take)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Problem("malformed-json", "The body is not valid UTF-8.") from None
    if text.count("[") + text.count("{") > DEPTH:
        _refuse_depth(text)
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError:
        raise Problem("malformed-json") from None
    except (ValueError, RecursionError):
        raise Problem("malformed-json") from None
    if "\\u" in text or "\\b" in text or "\\f" in text or _RAW_CONTROL.search(text):
        _refuse_control_characters(value)
    return value


def encode(value: Any) -> bytes:
    """An answer as JSON: dicts, lists, dataclasses, moments and days as ISO 8601."""
    return _encoder.encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} cannot be answered as JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Problem("duplicate-key")
    return made


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= 20 else INT64
    if not -INT64 <= number < INT64:
        raise Problem("validation", errors=[FieldError("", "integer-range")])
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Problem("malformed-json", "A number is too large.")
    return number


def _constant(name: str) -> float:
    raise Problem("malformed-json", "NaN and Infinity are no JSON.")


def _refuse_depth(text: str) -> None:
    """Takes the innermost brackets away DEPTH times; what nests deeper is left."""
    left = _NOT_BRACKETS.sub("", _STRING.sub("", text))
    for _ in range(DEPTH):
        shorter = left.replace("[]", "").replace("{}", "")
        if len(shorter) == len(left):
            break
        left = shorter
    if "[]" in left or "{}" in left or left.count("[") + left.count("{") > DEPTH:
        raise Problem("too-deep")


def _refuse_control_characters(value: Any) -> None:
    errors = [FieldError(field, "control-characters") for field, text in _strings(value, "") if _CONTROL.search(text)]
    if errors:
        raise Problem("validation", errors=errors)


def _strings(value: Any, field: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield field, value
        case dict():
            for key, inner in value.items():
                yield field, key
                yield from _strings(inner, f"{field}.{key}" if field else key)
        case list():
            for index, inner in enumerate(value):
                yield from _strings(inner, f"{field}.{index}" if field else str(index))


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
_encoder = msgspec.json.Encoder(enc_hook=_plain)
