"""What an appointment allows, in the words of the service desk."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.aftersales.domain.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
    ArriveForAppointment,
    BookAppointment,
    CancelAppointment,
    CarArrived,
    MissAppointment,
    MoveAppointment,
    ProposeMaintenance,
    SlotAwaited,
    appointment,
)
from services.aftersales.domain.slots import Slot
from shared.decider import Release, Schedule, TakeSlot, Unschedule
from shared.testing.specs import spec

given = spec(appointment)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
ten = datetime(2026, 3, 3, 2, tzinfo=UTC)
eleven = ten + timedelta(hours=1)
vin = "LFV2A2150N3000001"
slot = Slot(bay_id="b1", technician_id="wu", starts_at=ten, ends_at=eleven, day=date(2026, 3, 3))
other_slot = replace(slot, bay_id="b2", starts_at=eleven, ends_at=eleven + timedelta(hours=1))
visit: dict[str, Any] = {"appointment_id": "a1", "vin": vin, "customer_id": "lin", "store_id": "s1", "services": ("tyres",)}
book = BookAppointment(**visit, slot=slot, note="~p1.note", by="li", at=noon)
propose = ProposeMaintenance(**visit, not_before=noon, slot=slot, at=noon)
nothing_free = replace(propose, slot=None)
move = MoveAppointment(slot=other_slot, by="li", at=noon)
cancel = CancelAppointment(reason="on holiday", by="li", at=noon)
arrive = ArriveForAppointment(by="wu", at=ten)
miss = MissAppointment(by="system", at=eleven)

booked = AppointmentBooked(**visit, slot=slot, note="~p1.note", by="li")
proposed = replace(booked, note="", by="system")
awaited = SlotAwaited(**visit, not_before=noon, tries=1, retry_at=noon + timedelta(minutes=5))
moved = AppointmentMoved(slot=other_slot, by="li")
cancelled = AppointmentCancelled(reason="on holiday", by="li")
arrived = CarArrived(by="wu")
missed = AppointmentMissed(by="system")
free = [Release(kind="bay"), Release(kind="technician")]


def taken(slot: Slot) -> list[TakeSlot]:
    bay = TakeSlot(
        kind="bay", key=slot.bay_id, start=slot.starts_at, end=slot.ends_at, problem="bay-taken", reason="This bay is taken then."
    )
    reason = "This technician is at work on another car then."
    return [bay, replace(bay, kind="technician", key=slot.technician_id, problem="technician-taken", reason=reason)]


def no_show(slot: Slot) -> Schedule:
    return Schedule(key="missed", command=MissAppointment(by="system", at=slot.ends_at), at=slot.ends_at)


def test_an_appointment_takes_its_bay_and_its_technician() -> None:
    given().when(book).then(booked).claims(*taken(slot)).timers(no_show(slot))
    given(booked).when(book).then_nothing()


def test_nobody_books_what_has_begun() -> None:
    given().when(replace(book, at=ten)).rejected("in-the-past")
    given(booked).when(replace(move, at=eleven)).rejected("in-the-past")


def test_a_proposal_takes_the_slot_that_was_found() -> None:
    given().when(propose).then(proposed).claims(*taken(slot))
    given(proposed).when(propose).then_nothing()


def test_without_a_free_slot_it_waits_and_looks_again_ever_less_often() -> None:
    again = replace(nothing_free, at=awaited.retry_at)
    given().when(nothing_free).then(awaited).claims().timers(Schedule(key="slot", command=again, at=awaited.retry_at))
    given(awaited).when(again).then(replace(awaited, tries=2, retry_at=awaited.retry_at + timedelta(minutes=20)))
    given(replace(awaited, tries=9)).when(again).then(replace(awaited, tries=10, retry_at=awaited.retry_at + timedelta(days=1)))
    given(awaited).when(propose).then(proposed)


def test_a_move_frees_the_old_slot_and_takes_the_new_one() -> None:
    when = given(booked).when(move).then(moved)
    when.claims(*free, *taken(other_slot)).timers(Unschedule(key="slot"), no_show(other_slot))
    given(booked, moved).when(move).then_nothing()
    given(awaited).when(move).then(moved)


def test_a_cancelled_appointment_frees_its_slot() -> None:
    when = given(booked).when(cancel).then(cancelled)
    when.claims(*free).timers(Unschedule(key="slot"), Unschedule(key="missed"))
    given(booked, cancelled).when(cancel).then_nothing()
    given(awaited).when(cancel).then(cancelled)


def test_who_does_not_come_is_a_no_show() -> None:
    given(booked).when(miss).then(missed).claims(*free)
    given(booked, missed).when(miss).then_nothing()
    given(booked).when(replace(miss, by="wu", at=noon)).rejected("in-the-future")
    given(booked, missed).when(arrive).then(arrived)


def test_a_car_that_arrives_keeps_its_slot() -> None:
    given(booked).when(arrive).then(arrived).claims().timers(Unschedule(key="missed"))
    given(booked, arrived).when(arrive).then_nothing()


@pytest.mark.parametrize("command", [move, cancel, miss])
def test_an_appointment_that_was_kept_is_over(command: Any) -> None:
    given(booked, arrived).when(command).rejected("illegal-transition")


@pytest.mark.parametrize("command", [move, cancel, arrive, miss])
def test_there_is_no_appointment_that_nobody_made(command: Any) -> None:
    given().when(command).rejected("illegal-transition")
