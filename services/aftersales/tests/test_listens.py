"""What after-sales makes of what it hears, and what it tells."""

from dataclasses import replace
from typing import Any

from services.aftersales.domain.appointment import appointment
from services.aftersales.domain.car import EnrolCar, car
from services.aftersales.domain.complaint import complaint
from services.aftersales.domain.work_order import work_order
from services.aftersales.known import KnownCustomer, KnownStaff, customers_known, staff_known
from services.aftersales.listens import listen
from services.aftersales.publishes import publish_appointment, publish_car, publish_complaint, publish_work_order
from services.aftersales.tests import hearing, test_appointment, test_car, test_complaint, test_work_order
from services.aftersales.tests.hearing import CUSTOMER, ORDER, STORE, VIN, WU, hear, person
from shared.bus.heard import Send
from shared.contracts import aftersales as public
from shared.contracts import customers, gateway, published_name
from shared.testing.hearing import NOON
from shared.values.money import Money
from shared.views.table import Change, Drop, Put


def told(decider: Any, publish: Any, history: tuple[Any, ...]) -> list[Any]:
    """The public events of a history, each told of the state after it."""
    return [made for n, event in enumerate(history, 1) for made in publish(event, decider.fold(history[:n]))]


def names(events: list[Any]) -> list[str]:
    """The types of public events."""
    return [published_name(event).split(".")[1] for event in events]


def test_a_delivered_car_comes_into_our_care() -> None:
    command = EnrolCar(vin=VIN, customer_id=CUSTOMER, order_id=ORDER, store_id=STORE, at=NOON)
    assert listen(hear(hearing.delivered())) == [Send(to=f"car-{VIN}", command=command)]


def test_customers_are_known_by_their_tokens_until_they_are_forgotten() -> None:
    registered = hearing.customer(CUSTOMER, "~p1.x", "~p1.y")
    assert listen(hear(registered)) == [Put(customers_known, KnownCustomer(customer_id=CUSTOMER, name="~p1.x", phone="~p1.y"))]
    corrected = customers.CustomerCorrected(customer_id=CUSTOMER, name="~p1.z", phone="~p1.y", email="")
    assert listen(hear(corrected)) == [Put(customers_known, KnownCustomer(customer_id=CUSTOMER, name="~p1.z", phone="~p1.y"))]
    assert listen(hear(customers.CustomerForgotten(customer_id=CUSTOMER))) == [Drop(customers_known, (CUSTOMER,))]


def test_who_left_works_on_no_car() -> None:
    known = KnownStaff(staff_id=WU, name="wu", roles=("service-adviser",), store_ids=(STORE,))
    assert listen(hear(person(WU, "wu", "service-adviser"))) == [Put(staff_known, known)]
    (gone,) = listen(hear(gateway.UserDisabled(staff_id=WU)))
    assert isinstance(gone, Change)
    assert gone.apply(known) == replace(known, enabled=False)
    assert gone.apply(None) is None


def test_a_car_is_told_for_each_of_its_owners() -> None:
    t = test_car
    first, second = told(car, publish_car, (t.enrolled, t.resold))
    assert (first.customer_id, first.order_id, first.store_id) == ("lin", "o1", "s1")
    assert (second.customer_id, second.order_id, second.store_id) == ("zhou", "o2", "s2")
    (from_elsewhere,) = told(car, publish_car, (t.from_elsewhere,))
    assert from_elsewhere.order_id == ""


def test_a_moved_appointment_is_told_again() -> None:
    t = test_appointment
    first, second, last = told(appointment, publish_appointment, (t.awaited, t.proposed, t.moved, t.cancelled))
    assert (first.starts_at, second.starts_at) == (t.ten, t.eleven)
    assert last == public.AppointmentCancelled(appointment_id="a1", vin=t.vin, customer_id="lin")


def test_work_begun_and_work_done_are_told() -> None:
    t = test_work_order
    begun, done = told(work_order, publish_work_order, t.after(t.open_it, t.add, t.add_filter, t.agree, t.check, t.close))
    assert begun.number == done.number == "WO-BJ1-20260302-001"
    assert (done.price, done.cost, done.kilometres, done.services) == (Money(29_000), Money(13_500), 5200, ("first-maintenance",))


def test_a_complaint_is_told_without_its_words() -> None:
    t = test_complaint
    events = told(complaint, publish_complaint, (t.opened, t.assigned, t.progressed, t.escalated, t.resolved, t.rated, t.reopened))
    assert names(events) == ["ComplaintOpened", "ComplaintResolved", "ComplaintOpened"]
    assert events[-1].due_at == t.later
    assert "~p1" not in repr(events)
