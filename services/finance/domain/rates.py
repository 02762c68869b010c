"""Rates of law with their validity and source, and the arithmetic that splits a price."""

from datetime import date, datetime

from shared.decider import Rejected, message
from shared.values.clock import local_day
from shared.values.money import Money, vat_inside

BOOKS_ZONE = "Asia/Shanghai"
"""Its day counts as long as nobody has said where a store is."""


@message
class Rate:
    permille: int
    valid_from: date
    source: str


EARNEST_LIMITS = (
    Rate(permille=200, valid_from=date(1995, 10, 1), source="Guarantee Law of the PRC, art. 91"),
    Rate(permille=200, valid_from=date(2021, 1, 1), source="Civil Code of the PRC, art. 586"),
)
"""How much of the price may be earnest money, newest last."""


def earnest_limit(price: int, on: date) -> int:
    """The most earnest money a price allows, in minor units, rounded down. Rejected `no-rule` before the first law."""
    begun = [rate for rate in EARNEST_LIMITS if rate.valid_from <= on]
    if not begun:
        raise Rejected("no-rule", f"No limit of earnest money was law on {on}.")
    return price * begun[-1].permille // 1000


def vat_within(gross: int, permille: int) -> int:
    """The VAT inside a gross amount, minor units; taking it of the running total makes the parts sum exactly."""
    return vat_inside(Money(gross), permille)[1].minor


def business_day(at: datetime, timezone: str = BOOKS_ZONE) -> date:
    """The day a moment counts for in the books: that of its store."""
    return local_day(at, timezone)
