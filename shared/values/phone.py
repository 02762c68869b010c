"""Telephone numbers: one form to match by (E.164), and the form shown to those who may not see it."""

from dataclasses import dataclass

import phonenumbers


@dataclass(frozen=True)
class Phone:
    """A number as written, read with the customs of `region` (ISO 3166). Without `e164` it is flagged and never a match key."""

    raw: str
    e164: str | None
    region: str


def normalise(raw: str, region: str) -> Phone:
    """Reads a number as people in `region` write it; what is no valid number stays raw."""
    try:
        number = phonenumbers.parse(raw, region.upper())
    except phonenumbers.NumberParseException:
        return Phone(raw, None, region)
    if not phonenumbers.is_valid_number(number):
        return Phone(raw, None, region)
    return Phone(raw, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), region)


def mask(text: str) -> str:
    """`+8613800000000` becomes `138****0000`, `+12025550123` `+1 202****0123`; of others only the last two characters show."""
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return _hide(text, 0, 2)
    national = phonenumbers.national_significant_number(number)
    country = "" if number.country_code == 86 else f"+{number.country_code} "
    return country + (_hide(national, 3, 4) if len(national) >= 10 else _hide(national, 0, 2))


def _hide(text: str, first: int, last: int) -> str:
    """Always four asterisks: the length is nobody's business either."""
    return f"{text[:first]}****{text[-last:]}" if len(text) >= first + last + 3 else "*" * min(len(text), 4)
