"""Moments are UTC; days are the store's own."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The moment, aware, in UTC. Only edges ask; a domain gets its time in the command."""
    return datetime.now(UTC)


def local_day(at: datetime, timezone: str) -> date:
    """The calendar day at a store in `timezone` (IANA name). ValueError for a naive moment."""
    return local_time(at, timezone).date()


def local_time(at: datetime, timezone: str) -> datetime:
    """The same moment on the wall clock of `timezone`. ValueError for a naive moment."""
    if at.tzinfo is None:
        raise ValueError("A moment needs its offset.")
    return at.astimezone(ZoneInfo(timezone))
