"""The fields of a request: text that is clean, ids, VINs, amounts, moments and days, each with its reason when it is not."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from shared.values.ids import is_id
from shared.values.money import DECIMALS, Money, format_amount, parse_amount
from shared.values.vin import parse_vin

MARKS = 4
"""How many combining marks may follow one another."""
YEARS = range(2000, 2101)

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DIRECTION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_LINES = re.compile("[\n\u2028\u2029]")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


class Body(BaseModel):
    """A request body: unknown fields are refused and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def error(code: str, **context: object) -> PydanticCustomError:
    """A refusal with a code of shared.web.reasons."""
    return PydanticCustomError(code, "{code}", {"code": code, **context})


@dataclass(frozen=True)
class FromText[T]:
    """A field that is read from a JSON string by `read`, which raises `error(code)`."""

    read: Callable[[str], T]
    example: str
    format: str | None = None
    pattern: str | None = None
    """What any text that may be read looks like, for those who write one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        as_is = core_schema.plain_serializer_function_ser_schema(lambda value: value)
        return core_schema.no_info_after_validator_function(self.read, core_schema.str_schema(strict=True), serialization=as_is)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "string", "examples": [self.example]}
        told = {"format": self.format, "pattern": self.pattern}
        return made | {word: value for word, value in told.items() if value}


@dataclass(frozen=True)
class Clean:
    """Text in NFC without control characters, direction marks or heaps of combining marks; outer blanks are cut.

    `Annotated[str, Clean(most=80)]` is a line of at most 80 characters.
    """

    most: int
    least: int = 0
    lines: bool = False
    example: str = "As agreed on the telephone"

    def __call__(self, text: str) -> str:
        """The clean text. Raises a pydantic error with the reason."""
        if len(text) > 2 * self.most:
            raise PydanticKnownError("string_too_long", {"max_length": self.most})
        text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
            _refuse_marks(text)
            if _DIRECTION.search(text):
                raise error("direction-marks")
        if _CONTROL.search(text):
            raise error("control-characters")
        if not self.lines and ("\t" in text or _LINES.search(text)):
            raise error("line-break")
        if len(text) > self.most:
            raise PydanticKnownError("string_too_long", {"max_length": self.most})
        if len(text) < self.least:
            raise error("empty")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "string", "maxLength": self.most, "examples": [self.example[: self.most].strip()]}
        return made | ({"minLength": self.least} if self.least else {})


def _refuse_marks(text: str) -> None:
    run = 0
    for character in text:
        if character < "\u0300" or "\u3100" <= character <= "\ua66e":  # Latin and Chinese: no marks among them
            run = 0
        elif unicodedata.category(character)[0] == "M":
            run += 1
            if run > MARKS:
                raise error("combining-marks")
        else:
            run = 0


def read_id(text: str) -> str:
    """A UUID in canonical form."""
    if not is_id(text):
        raise error("id")
    return text


def read_vin(text: str) -> str:
    """A VIN in upper case."""
    try:
        return parse_vin(text)
    except ValueError:
        raise error("vin") from None


def read_instant(text: str) -> datetime:
    """A moment in UTC; its offset must be given."""
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise error("instant") from None
    if at.year not in YEARS:
        raise error("instant")
    return at


def read_day(text: str) -> date:
    """A calendar day."""
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise error("day") from None
    if day.year not in YEARS:
        raise error("day")
    return day


def read_email(text: str) -> str:
    """An e-mail address with its domain in lower case."""
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise error("email")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


@dataclass(frozen=True)
class MoneyRule:
    """`{"amount": "189800.00", "currency": "CNY"}` to Money; `least` is in minor units."""

    least: int | None = None

    def __call__(self, fields: dict[str, str]) -> Money:
        """The amount. Raises a pydantic error with the reason."""
        if (decimals := DECIMALS.get(fields["currency"])) is None:
            raise error("currency")
        try:
            money = parse_amount(fields["amount"], fields["currency"])
        except ValueError:
            raise error("amount", decimals=decimals) from None
        if money.minor == 0 and fields["amount"].startswith("-"):
            raise error("amount", decimals=decimals)
        if self.least is not None and money.minor < self.least:
            raise error("positive" if self.least else "not-negative")
        return money

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.typed_dict_field(core_schema.str_schema(strict=True, max_length=20), required=True)
        shape = core_schema.typed_dict_schema({"amount": text, "currency": text}, extra_behavior="forbid")
        shown = core_schema.plain_serializer_function_ser_schema(amount)
        return core_schema.no_info_after_validator_function(self, shape, serialization=shown)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        sign = "-?" if self.least is None else ""
        return {
            "type": "object",
            "properties": {
                "amount": {"type": "string", "pattern": rf"^{sign}[0-9]{{1,12}}(\.[0-9]{{2,3}})?$", "examples": ["189800.00"]},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["CNY"]},
            },
            "required": ["amount", "currency"],
            "additionalProperties": False,
            "examples": [{"amount": "189800.00", "currency": "CNY"}],
        }


def amount(money: Money) -> dict[str, str]:
    """Money as it crosses the API."""
    return {"amount": format_amount(money), "currency": money.currency}


def plain(value: Any) -> Any:
    """A value as a view keeps it, with the amounts in it, however deep, as they cross the API."""
    match value:
        case {"minor": int(minor), "currency": str(currency)}:
            return amount(Money(minor, currency))
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


@dataclass(frozen=True)
class Raw:
    """Marks a body that is no JSON: `body: Annotated[bytes, Raw("application/xml")]`. The limit is in bytes."""

    media_types: tuple[str, ...]
    limit: int
    example: str

    def __init__(self, *media_types: str, limit: int = 1 << 20, example: str = "text") -> None:
        object.__setattr__(self, "media_types", media_types)
        object.__setattr__(self, "limit", limit)
        object.__setattr__(self, "example", example)


Line = Annotated[str, Clean(most=200, least=1, example="Lin Yue")]
"""One line, not empty, at most 200 characters."""
Text = Annotated[str, Clean(most=2000, lines=True)]
"""Lines of text, may be empty, at most 2,000 characters."""
Id = Annotated[str, FromText(read_id, "0192f3a4-5b6c-7d8e-9f01-23456789abcd", "uuid")]
VinText = Annotated[str, FromText(read_vin, "LSGXE83L3KD123456", pattern="^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$")]
Instant = Annotated[datetime, FromText(read_instant, "2026-11-22T09:30:00+08:00", "date-time", "^20")]
Day = Annotated[date, FromText(read_day, "2026-11-22", "date", "^20")]
EmailText = Annotated[str, FromText(read_email, "lin.yue@example.com", "email")]
Amount = Annotated[Money, MoneyRule()]
"""Any amount; prices and payments want one of the two below."""
PositiveAmount = Annotated[Money, MoneyRule(least=1)]
NonNegativeAmount = Annotated[Money, MoneyRule(least=0)]
