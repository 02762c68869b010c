"""Clocks that run only while a store is open: every day of the year but its closures."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.values.clock import local_day


def add_working_minutes(start_utc: datetime, minutes: int, opens: time, closes: time, tz: str, closures: Collection[date] = ()) -> datetime:
    """The moment (UTC) at which the store has been open for `minutes` since `start_utc`; the closing bell itself still counts as that day.

    `opens` and `closes` are wall-clock times in `tz` (midnight as closing time is the end of the day); a day in `closures` does not count.
    Minutes are elapsed ones, also over a change to summer time. ValueError for negative minutes, a naive start or closing before opening.
    """
    if minutes < 0:
        raise ValueError("Minutes are zero or more.")
    if closes <= opens and closes != time(0):
        raise ValueError("A store closes after it opens.")
    day = local_day(start_utc, tz)
    start = start_utc.astimezone(UTC)
    if minutes == 0:
        return start
    left = timedelta(minutes=minutes)
    while True:
        if day not in closures:
            begin = max(start, _moment(day, opens, tz))
            end = _moment(day + timedelta(days=1) if closes == time(0) else day, closes, tz)
            if begin + left <= end:
                return begin + left
            left -= max(end - begin, timedelta(0))
        day += timedelta(days=1)


def _moment(day: date, at: time, tz: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(tz)).astimezone(UTC)
