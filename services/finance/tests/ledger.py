"""What a test asks of the entries that events carry."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from services.finance.domain.entry import Entry


def entries(events: Iterable[Any]) -> list[Entry]:
    """The entries of these events, oldest first."""
    return [event.entry for event in events if getattr(event, "entry", None) is not None]


def totals(events: Iterable[Any]) -> dict[str, int]:
    """What each ledger account comes to, minor units, zeros left out."""
    sums: Counter[str] = Counter()
    for entry in entries(events):
        for line in entry.lines:
            sums[line.account] += line.amount
    return {account: amount for account, amount in sums.items() if amount}
