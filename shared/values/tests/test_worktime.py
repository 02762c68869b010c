"""Working minutes pass only while the store is open."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.values.clock import local_day, local_time, utc_now
from shared.values.worktime import add_working_minutes

SHANGHAI = "Asia/Shanghai"
OPENS, CLOSES = time(9), time(18)


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo(SHANGHAI))


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (shanghai(2, 10), 30, shanghai(2, 10, 30)),
        (shanghai(2, 7), 30, shanghai(2, 9, 30)),
        (shanghai(2, 17, 30), 30, shanghai(2, 18)),
        (shanghai(2, 17, 40), 30, shanghai(3, 9, 10)),
        (shanghai(2, 18), 30, shanghai(3, 9, 30)),
        (shanghai(2, 23), 30, shanghai(3, 9, 30)),
        (shanghai(7, 17, 50), 30, shanghai(8, 9, 20)),
        (shanghai(2, 9), 9 * 60 + 1, shanghai(3, 9, 1)),
        (shanghai(2, 22), 0, shanghai(2, 22)),
    ],
)
def test_the_clock_stops_when_the_store_closes(start: datetime, minutes: int, due: datetime) -> None:
    answer = add_working_minutes(start, minutes, OPENS, CLOSES, SHANGHAI)
    assert answer == due
    assert answer.tzinfo is UTC


def test_a_closure_does_not_count_and_a_weekend_does() -> None:
    closed = {date(2026, 3, 3), date(2026, 3, 4)}
    assert add_working_minutes(shanghai(2, 17, 50), 30, OPENS, CLOSES, SHANGHAI, closed) == shanghai(5, 9, 20)
    assert add_working_minutes(shanghai(3, 12), 30, OPENS, CLOSES, SHANGHAI, closed) == shanghai(5, 9, 30)


def test_midnight_closes_the_day() -> None:
    assert add_working_minutes(shanghai(2, 23, 50), 30, time(0), time(0), SHANGHAI) == shanghai(3, 0, 20)
    assert add_working_minutes(shanghai(2, 23, 50), 30, time(8), time(0), SHANGHAI) == shanghai(3, 8, 20)


def test_minutes_are_elapsed_ones_when_summer_time_begins() -> None:
    start = datetime(2026, 3, 8, 0, 30, tzinfo=ZoneInfo("America/New_York"))
    due = add_working_minutes(start, 120, time(0), time(18), "America/New_York")
    assert due == datetime(2026, 3, 8, 6, 30, tzinfo=UTC) + timedelta(hours=1)
    assert local_time(due, "America/New_York").hour == 3


@pytest.mark.parametrize(
    ("start", "minutes", "closes", "reason"),
    [
        (shanghai(2, 9), -1, CLOSES, "zero or more"),
        (shanghai(2, 9), 1, OPENS, "after it opens"),
        (shanghai(2, 9).replace(tzinfo=None), 1, CLOSES, "offset"),
    ],
)
def test_nonsense_is_refused(start: datetime, minutes: int, closes: time, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        add_working_minutes(start, minutes, OPENS, closes, SHANGHAI)


def counted(start: datetime, end: datetime, opens: time, closes: time, tz: str, closures: set[date]) -> int:
    """The open minutes from `start` to `end`, counted one by one."""
    minutes = 0
    while start < end:
        wall = start.astimezone(ZoneInfo(tz))
        minutes += wall.date() not in closures and opens <= wall.time() < closes
        start += timedelta(minutes=1)
    return minutes


@settings(max_examples=60)
@given(
    start=st.integers(0, 364 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    minutes=st.integers(1, 2500),
    opens=st.integers(6, 11),
    hours=st.integers(4, 12),
    tz=st.sampled_from([SHANGHAI, "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    closed=st.sets(st.integers(0, 6), max_size=4),
)
def test_exactly_the_asked_minutes_are_open_ones(start: datetime, minutes: int, opens: int, hours: int, tz: str, closed: set[int]) -> None:
    closures = {start.date() + timedelta(days=days) for days in closed}
    begin, end = time(opens), time(opens + hours)
    due = add_working_minutes(start, minutes, begin, end, tz, closures)
    assert counted(start, due, begin, end, tz, closures) == minutes
    assert counted(due - timedelta(minutes=1), due, begin, end, tz, closures) == 1


def test_a_day_belongs_to_the_store() -> None:
    at = datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert local_day(at, SHANGHAI) == date(2026, 3, 3)
    assert local_day(at, "America/New_York") == date(2026, 3, 2)
    with pytest.raises(ValueError, match="offset"):
        local_day(at.replace(tzinfo=None), SHANGHAI)
    assert utc_now().tzinfo is UTC
