"""A balanced entry in the books of one legal entity."""

from collections.abc import Iterable
from datetime import date

from shared.decider import Claim, Count, Rejected, message


@message
class Line:
    """`amount` in minor units: positive is debit, negative is credit."""

    account: str
    amount: int
    vin: str | None = None


@message
class Entry:
    """`entry_id` is the stream and the number of the entry in it; `on` is the day it counts for."""

    entry_id: str
    entity_id: str
    store_id: str
    currency: str
    on: date
    text: str
    lines: tuple[Line, ...]
    order_id: str | None = None


def balanced(
    entry_id: str,
    lines: Iterable[Line],
    *,
    entity_id: str,
    store_id: str,
    currency: str,
    on: date,
    text: str,
    order_id: str | None = None,
) -> Entry:
    """The entry of these lines, debits first and without zeros. Rejected `unbalanced` when they do not sum to zero or none is left."""
    moving = [line for line in lines if line.amount]
    kept = (*(line for line in moving if line.amount > 0), *(line for line in moving if line.amount < 0))
    if not kept or sum(line.amount for line in moving) != 0:
        raise Rejected("unbalanced", "Debits and credits of an entry must be equal and not zero.")
    return Entry(
        entry_id=entry_id, entity_id=entity_id, store_id=store_id, currency=currency, on=on, text=text, lines=kept, order_id=order_id
    )


def period_of(on: date) -> str:
    """The accounting period of a day, such as `2026-03`."""
    return f"{on:%Y-%m}"


CLOSED = 1_000_000_000
"""A period's tally counts its entries; closing adds this much, so that no further entry fits."""


def posted_in(entry: Entry | None) -> list[Claim]:
    """What an entry claims of its period: one place, which a closed one has not."""
    if entry is None:
        return []
    return [period_count(entry.entity_id, period_of(entry.on), by=1, most=CLOSED - 1)]


def period_count(entity_id: str, period: str, by: int, most: int) -> Count:
    """Adds to the tally of a period; beyond `most` it is rejected `period-closed`."""
    return Count(
        kind="period",
        key=f"{entity_id}/{period}",
        by=by,
        most=most,
        problem="period-closed",
        reason=f"The books of {period} are closed.",
    )
