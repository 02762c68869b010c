"""What a test drive allows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from services.leads.domain import drive as d
from shared.decider import Release, TakeSlot
from shared.testing.specs import spec

given = spec(d.test_drive)
now = datetime(2026, 3, 2, 12, tzinfo=UTC)
start, end = now + timedelta(days=1), now + timedelta(days=1, hours=1)
book = d.BookTestDrive(
    test_drive_id="drive-1",
    opportunity_id="opp-1",
    person_id="person-1",
    store_id="store-1",
    vin="LFV2A2150N3000001",
    specialist_id="wang",
    starts_at=start,
    ends_at=end,
    starts_on=date(2026, 3, 3),
    by="wang",
    at=now,
)
booked = d.TestDriveBooked(
    test_drive_id="drive-1",
    opportunity_id="opp-1",
    person_id="person-1",
    store_id="store-1",
    vin="LFV2A2150N3000001",
    specialist_id="wang",
    starts_at=start,
    ends_at=end,
    starts_on=date(2026, 3, 3),
    place="store",
    address="",
    route="",
    by="wang",
)
licence = d.LicenceChecked(valid_until=date(2026, 3, 3), by="wang")
check = d.CheckLicence(valid_until=date(2026, 3, 3), by="wang", at=now)
finish = d.FinishTestDrive(kilometres=12, rating=5, feedback="~p1.good", by="wang", at=end)
finished = d.TestDriveFinished(kilometres=12, rating=5, feedback="~p1.good", by="wang")
cancel = d.CancelTestDrive(reason="rain", by="wang", at=now)
cancelled = d.TestDriveCancelled(reason="rain", by="wang")


def test_a_booking_takes_the_slot_of_car_and_specialist() -> None:
    when = given().when(book).then(booked)
    when.claims(
        TakeSlot(
            kind="test-drive-car",
            key="LFV2A2150N3000001",
            start=start,
            end=end,
            problem="slot-taken",
            reason="This car is booked for another test drive then.",
        ),
        TakeSlot(
            kind="test-drive-specialist",
            key="wang",
            start=start,
            end=end,
            problem="slot-taken",
            reason="This colleague has another test drive then.",
        ),
    )
    given(booked).when(book).then_nothing()


def test_a_slot_lies_ahead_and_has_a_length() -> None:
    given().when(replace(book, ends_at=start)).rejected("bad-slot")
    given().when(replace(book, ends_at=start + timedelta(hours=9))).rejected("bad-slot")
    given().when(replace(book, starts_at=now, ends_at=now + timedelta(hours=1))).rejected("in-the-past")


def test_a_licence_seen_at_booking_counts() -> None:
    given().when(replace(book, licence_valid_until=date(2026, 3, 3))).then(booked, licence)
    given().when(replace(book, licence_valid_until=date(2026, 3, 2))).rejected("licence-expired")


def test_nobody_drives_without_a_licence_seen() -> None:
    given(booked).when(finish).rejected("licence-unchecked")
    given(booked).when(check).then(licence)
    given(booked, licence).when(check).then_nothing()
    given(booked).when(replace(check, valid_until=date(2026, 3, 2))).rejected("licence-expired")


def test_a_finished_drive_frees_car_and_specialist() -> None:
    free = Release(kind="test-drive-car"), Release(kind="test-drive-specialist")
    given(booked, licence).when(finish).then(finished).claims(*free)
    given(booked, licence, finished).when(finish).then_nothing()
    given(booked, licence, finished).when(cancel).rejected("illegal-transition", "finished")
    given(booked).when(cancel).then(cancelled).claims(*free)
    given(booked, cancelled).when(cancel).then_nothing()
    given(booked, cancelled).when(finish).rejected("illegal-transition", "cancelled")


def test_there_is_nothing_to_finish_before_it_is_booked() -> None:
    given().when(finish).rejected("illegal-transition")
