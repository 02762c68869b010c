"""The vehicle identification number (车架号): ISO 3779 and GB 16735."""

import re
from dataclasses import dataclass

CHECK_DIGIT = "check-digit"
"""The warning that position 9 does not fit the other sixteen."""

_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True)
class Vin:
    """A well-formed VIN and what is odd about it. Whether a warning refuses the car is its market's mandate, so the caller's."""

    value: str
    warnings: tuple[str, ...] = ()


def parse_vin(text: str) -> str:
    """The normalised VIN: trimmed, upper case. ValueError with the reason when it cannot be one."""
    trimmed = text.strip()
    if not trimmed.isascii():
        raise ValueError("A VIN has only the letters A to Z and the digits 0 to 9.")
    if len(trimmed) != 17:
        raise ValueError("A VIN has 17 characters.")
    vin = trimmed.upper()
    if not _VIN.fullmatch(vin):
        raise ValueError("A VIN has only letters and digits, and never I, O or Q.")
    return vin


def read_vin(text: str) -> Vin:
    """A VIN as read from a form or a file, with its warnings. ValueError as `parse_vin`."""
    vin = parse_vin(text)
    return Vin(vin, () if check_digit_ok(vin) else (CHECK_DIGIT,))


def check_digit(vin: str) -> str:
    """What position 9 of a normalised VIN should be: 0 to 9 or X."""
    remainder = sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def check_digit_ok(vin: str) -> bool:
    """True when position 9 of a normalised VIN fits the other sixteen."""
    return vin[8] == check_digit(vin)
