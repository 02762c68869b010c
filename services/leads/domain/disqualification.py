"""Why a lead is given up, and after how many days it is worth another look: data, as the group finds best."""

from datetime import datetime, timedelta

REASONS: dict[str, int | None] = {
    "not-reached": 14,
    "not-now": 90,
    "no-budget": 180,
    "bought-elsewhere": 720,
    "wrong-data": None,
    "duplicate": None,
    "no-interest": None,
    "spam": None,
}


def remine_at(reason: str, at: datetime) -> datetime | None:
    """When a lead disqualified for `reason` is worked again; None: never."""
    days = REASONS.get(reason)
    return at + timedelta(days=days) if days else None
