"""When a bay and a technician are free together: the times a store can offer, and who would take them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.decider import message

type Service = Literal["first-maintenance", "maintenance", "inspection", "repair", "tyres", "bodywork", "recall"]

MINUTES: dict[Service, int] = {
    "first-maintenance": 60,
    "maintenance": 90,
    "inspection": 30,
    "repair": 120,
    "tyres": 60,
    "bodywork": 240,
    "recall": 60,
}
"""How long each service takes in the bay."""

GRID = timedelta(minutes=30)


@message
class Hours:
    """Local opening hours; midnight as closing time is the end of the day."""

    opens: time
    closes: time
    timezone: str


@message
class Slot:
    """`day` is the store's own."""

    bay_id: str
    technician_id: str
    starts_at: datetime
    ends_at: datetime
    day: date


@message
class Busy:
    """A bay or a technician that is taken from `start` to `end`."""

    key: str
    start: datetime
    end: datetime


def minutes_of(services: Collection[Service]) -> int:
    """How long these services take one after the other."""
    return sum(MINUTES[service] for service in services)


def opening(day: date, hours: Hours) -> tuple[datetime, datetime]:
    """When the store opens and closes that day, in UTC."""
    zone = ZoneInfo(hours.timezone)
    last = day + timedelta(days=1) if hours.closes == time(0) else day
    return datetime.combine(day, hours.opens, zone).astimezone(UTC), datetime.combine(last, hours.closes, zone).astimezone(UTC)


def is_open(start: datetime, end: datetime, day: date, hours: Hours) -> bool:
    """Whether the whole time lies within the opening hours of that day."""
    opens, closes = opening(day, hours)
    return opens <= start and end <= closes


def offered(
    day: date, hours: Hours, minutes: int, bays: Sequence[str], technicians: Sequence[str], busy: Collection[Busy], after: datetime
) -> Iterator[Slot]:
    """The slots of a day that begin after `after`, every half hour, each with a free pair."""
    start, closes = opening(day, hours)
    length = timedelta(minutes=minutes)
    while start + length <= closes:
        if start > after:
            for bay, technician in pairs(start, start + length, bays, technicians, busy)[:1]:
                yield Slot(bay_id=bay, technician_id=technician, starts_at=start, ends_at=start + length, day=day)
        start += GRID


def pairs(start: datetime, end: datetime, bays: Sequence[str], technicians: Sequence[str], busy: Collection[Busy]) -> list[tuple[str, str]]:
    """Each free bay with each free technician of that time, the least busy first."""
    taken = {one.key for one in busy if one.start < end and start < one.end}
    load = {key: sum(one.key == key for one in busy) for key in (*bays, *technicians)}
    free = [(bay, technician) for bay in bays if bay not in taken for technician in technicians if technician not in taken]
    return sorted(free, key=lambda pair: (load[pair[1]], load[pair[0]], pair))
