"""Data in, PDF out: the same data gives the same bytes, and no text of a customer is ever read as markup."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import pylopdf_fonts_zh_cn
import typst

from shared.values.money import Money, format_amount
from shared.values.rmb import rmb_capitals

type Template = Literal["contract", "quote", "receipt"]

_TEMPLATES = Path(__file__).parent / "templates"
_FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent
_SYMBOLS = {"CNY": "¥", "USD": "US$", "EUR": "€", "HKD": "HK$", "GBP": "£", "JPY": "JP¥"}
_compiling = Lock()


def render(template: Template, data: Mapping[str, Any]) -> bytes:
    """The PDF of a document, shaped as in `shapes`; dated by `data["at"]`. Takes milliseconds of CPU: on an event loop use `render_async`.

    ValueError when `at` is naive, typst.TypstError when the data misses a field.
    """
    at: datetime = data["at"]
    if at.tzinfo is None:
        raise ValueError("A document's moment needs its offset.")
    inputs = {"data": _json(data), "digest": digest(data)}
    with _compiling:
        pdf = _compiler(template).compile(format="pdf", sys_inputs=inputs, timestamp=int(at.timestamp()))
    assert isinstance(pdf, bytes)
    return pdf


async def render_async(template: Template, data: Mapping[str, Any]) -> bytes:
    """As `render`, on a thread."""
    return await asyncio.to_thread(render, template, data)


def digest(data: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a document's content without its signature: printed on it, and what a signature signs."""
    content = {name: value for name, value in data.items() if name != "signature"}
    return hashlib.sha256(_json(content).encode()).hexdigest()


@cache
def _compiler(template: Template) -> typst.Compiler:
    """Compilers keep fonts and layout, so only the first document of a kind is slow; one thread at a time may use one."""
    return typst.Compiler(_TEMPLATES / f"{template}.typ", root=_TEMPLATES, font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    match value:
        case Money():
            return {"minor": value.minor, "shown": _shown(value), "capitals": rmb_capitals(value) if value.currency == "CNY" else ""}
        case date():
            return value.isoformat()
        case _:
            raise TypeError(f"A document cannot show a {type(value).__name__}.")


def _shown(money: Money) -> str:
    whole, point, fraction = format_amount(money).lstrip("-").partition(".")
    sign = "-" if money.minor < 0 else ""
    return f"{sign}{_SYMBOLS.get(money.currency, money.currency + ' ')}{int(whole):,}{point}{fraction}"
