"""How rows cross the API: personal text opened, amounts with their currency."""

from collections.abc import Sequence
from typing import Any

from shared.values.money import Money
from shared.web.body import amount
from shared.web.call import Call

HIDDEN = "***"


async def opened(call: Call, rows: list[dict[str, Any]], *fields: str) -> list[dict[str, Any]]:
    """The rows with `fields` opened; `***` stands for what nobody can open any more."""
    texts: Sequence[str | None] = await call.vault.open_all([row[field] or "" for row in rows for field in fields])
    clear = iter(texts)
    for row in rows:
        for field in fields:
            text = next(clear)
            row[field] = HIDDEN if text is None else text
    return rows


def cash(minor: int | None, currency: str | None) -> dict[str, str] | None:
    """An amount of a row; None when the caller does not see it."""
    return None if minor is None or currency is None else amount(Money(minor, currency))
