"""An amount in the minor units of one currency (ISO 4217): fen for CNY. Whole numbers only, one rounding per documented step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

type Rounding = Literal["half-up", "half-even"]

_WRITTEN_WITH = {
    0: "CLP ISK JPY KRW PYG UGX VND XAF XOF XPF",
    2: "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR KZT MOP MXN MYR NOK NZD"
    " PEN PHP PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD ZAR",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
DECIMALS: dict[str, int] = {currency: places for places, currencies in _WRITTEN_WITH.items() for currency in currencies.split()}
"""ISO 4217: how many decimals each currency we know is written with."""


@dataclass(frozen=True)
class Money:
    """`minor` units of `currency`; amounts of different currencies neither add up nor compare."""

    minor: int
    currency: str = "CNY"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} are different currencies.")
        return other.minor


def decimals(currency: str) -> int:
    """How many decimals `currency` is written with. ValueError for one we do not know."""
    try:
        return DECIMALS[currency]
    except KeyError:
        raise ValueError("This currency is not known.") from None


def parse_amount(text: str, currency: str) -> Money:
    """Reads exactly what `format_amount` writes: `189800.00` CNY, `189800` JPY; at most 12 digits before the point. Else ValueError."""
    places = decimals(currency)
    fraction = rf"\.[0-9]{{{places}}}" if places else ""
    if not re.fullmatch(rf"-?[0-9]{{1,12}}{fraction}", text):
        raise ValueError(f"An amount in {currency} has 1 to 12 digits and exactly {places} decimals.")
    return Money(int(text.replace(".", "")), currency)


def format_amount(money: Money) -> str:
    """The amount in major units with the currency's own decimals, no grouping: `189800.00`."""
    places = decimals(money.currency)
    sign = "-" if money.minor < 0 else ""
    digits = str(abs(money.minor)).zfill(places + 1)
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def divide(numerator: int, denominator: int, rounding: Rounding = "half-up") -> int:
    """The rounded quotient. Half-up goes away from zero, so that a reversal mirrors what it reverses."""
    if denominator <= 0:
        raise ValueError("The denominator must be positive.")
    quotient, rest = divmod(abs(numerator), denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and (rounding == "half-up" or quotient % 2 == 1))
    return (quotient + up) * (-1 if numerator < 0 else 1)


def permille(money: Money, n: int, rounding: Rounding = "half-up") -> Money:
    """`n` thousandths of an amount, rounded once: 13 % is 130."""
    return Money(divide(money.minor * n, 1000, rounding), money.currency)


def vat_inside(gross: Money, rate: int) -> tuple[Money, Money]:
    """Net and VAT of a gross price at `rate` per mille: the net is rounded half-up, the VAT is the rest."""
    net = Money(divide(gross.minor * 1000, 1000 + rate), gross.currency)
    return net, gross - net


def split(money: Money, shares: Sequence[int]) -> list[Money]:
    """The amount in proportion to `shares` (equal parts: `[1] * n`), exactly: odd units go to the largest remainders.

    ValueError unless shares are zero or more and some share is positive.
    """
    total = sum(shares)
    if total <= 0 or min(shares) < 0:
        raise ValueError("Shares are zero or more, and not all zero.")
    whole = abs(money.minor)
    parts = [whole * share // total for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: -(whole * shares[i] % total))
    for i in by_remainder[: whole - sum(parts)]:
        parts[i] += 1
    sign = -1 if money.minor < 0 else 1
    return [Money(sign * part, money.currency) for part in parts]
