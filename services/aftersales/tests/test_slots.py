"""The times a workshop can offer."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given as examples
from hypothesis import strategies as st

from services.aftersales.domain.slots import Busy, Hours, Slot, is_open, minutes_of, offered, opening, pairs

day = date(2026, 3, 2)
hours = Hours(opens=time(9), closes=time(18), timezone="Asia/Shanghai")
nine = datetime(2026, 3, 2, 1, tzinfo=UTC)
long_ago = datetime(2026, 1, 1, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return nine + timedelta(minutes=minutes)


def test_a_day_begins_and_ends_with_the_opening_hours() -> None:
    slots = list(offered(day, hours, 90, ["b1"], ["wu"], [], long_ago))
    assert slots[0] == Slot(bay_id="b1", technician_id="wu", starts_at=nine, ends_at=later(90), day=day)
    assert slots[-1].ends_at == opening(day, hours)[1]
    assert all(second.starts_at - first.starts_at == timedelta(minutes=30) for first, second in pairwise(slots))


def test_midnight_closes_at_the_end_of_the_day() -> None:
    opens, closes = opening(day, Hours(opens=time(0), closes=time(0), timezone="Asia/Shanghai"))
    assert closes - opens == timedelta(days=1)


def test_what_is_past_is_not_offered() -> None:
    slots = list(offered(day, hours, 60, ["b1"], ["wu"], [], later(60)))
    assert slots[0].starts_at == later(90)


def test_a_slot_needs_a_bay_and_a_technician_that_are_free_together() -> None:
    busy = [Busy(key="b1", start=nine, end=later(60)), Busy(key="wu", start=later(60), end=later(120))]
    slots = list(offered(day, hours, 60, ["b1"], ["wu"], busy, long_ago))
    assert slots[0].starts_at == later(120)
    assert list(offered(day, hours, 60, [], ["wu"], [], long_ago)) == []
    assert list(offered(day, hours, 60, ["b1"], [], [], long_ago)) == []


def test_the_least_busy_technician_is_taken() -> None:
    busy = [Busy(key="wu", start=later(120), end=later(180))]
    assert pairs(nine, later(60), ["b1"], ["wu", "xu"], busy)[0] == ("b1", "xu")


def test_a_visit_lies_within_the_opening_hours() -> None:
    assert is_open(nine, later(60), day, hours)
    assert not is_open(nine - timedelta(minutes=1), later(60), day, hours)
    assert not is_open(later(500), later(541), day, hours)
    assert minutes_of(("maintenance", "tyres")) == 150


@examples(st.lists(st.tuples(st.sampled_from(["b1", "b2", "wu", "xu"]), st.integers(0, 600), st.integers(1, 240)), max_size=12))
def test_nothing_offered_is_taken(taken: list[tuple[str, int, int]]) -> None:
    busy = [Busy(key=key, start=later(start), end=later(start + length)) for key, start, length in taken]
    for slot in offered(day, hours, 60, ["b1", "b2"], ["wu", "xu"], busy, long_ago):
        held = [one for one in busy if one.key in (slot.bay_id, slot.technician_id)]
        assert all(one.end <= slot.starts_at or slot.ends_at <= one.start for one in held)
