"""A car in our care, across its owners and our stores."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.aftersales.domain.appointment import ProposeMaintenance
from services.aftersales.domain.car import CarEnrolled, ChangeOwner, EnrolCar, KilometresRead, OwnerChanged, ReadKilometres, car
from shared.decider import Schedule
from shared.testing.specs import spec
from shared.values.ids import derived_id

given = spec(car)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
in_june = noon + timedelta(days=90)
vin = "LFV2A2150N3000001"
deliver = EnrolCar(vin=vin, customer_id="lin", order_id="o1", store_id="s1", at=noon)
walk_in = replace(deliver, order_id=None)
enrolled = CarEnrolled(vin=vin, customer_id="lin", order_id="o1", store_id="s1", maintenance_from=in_june)
from_elsewhere = CarEnrolled(vin=vin, customer_id="lin", order_id=None, store_id="s1", maintenance_from=None)
resell = EnrolCar(vin=vin, customer_id="zhou", order_id="o2", store_id="s2", at=noon)
resold = OwnerChanged(vin=vin, customer_id="zhou", order_id="o2", store_id="s2", maintenance_from=in_june)
read = ReadKilometres(work_order_id="w1", kilometres=5200, at=noon)


def proposal(order_id: str, customer_id: str, store_id: str) -> Schedule:
    appointment_id = str(derived_id("first-maintenance", order_id))
    propose = ProposeMaintenance(
        appointment_id=appointment_id,
        vin=vin,
        customer_id=customer_id,
        store_id=store_id,
        services=("first-maintenance",),
        not_before=in_june,
        slot=None,
        at=in_june,
    )
    return Schedule(key=f"first-maintenance/{order_id}", command=propose, to=f"appointment-{appointment_id}")


def test_a_delivered_car_is_enrolled_and_its_first_maintenance_proposed() -> None:
    given().when(deliver).then(enrolled).timers(proposal("o1", "lin", "s1"))


def test_hearing_of_the_delivery_again_changes_nothing() -> None:
    given(enrolled).when(deliver).then_nothing()
    given(enrolled).when(walk_in).then_nothing()


def test_a_car_from_elsewhere_is_enrolled_without_a_proposal() -> None:
    given().when(walk_in).then(from_elsewhere).timers()
    given(from_elsewhere).when(deliver).then(
        OwnerChanged(vin=vin, customer_id="lin", order_id="o1", store_id="s1", maintenance_from=in_june)
    )


def test_a_car_sold_again_has_a_new_owner_and_a_proposal_for_him() -> None:
    given(enrolled).when(resell).then(resold).timers(proposal("o2", "zhou", "s2"))
    given(enrolled, resold).when(resell).then_nothing()


def test_a_known_car_does_not_change_hands_by_the_way() -> None:
    given(enrolled).when(replace(walk_in, customer_id="zhou")).rejected("already-exists")


def test_a_new_owner_is_recorded_once() -> None:
    change = ChangeOwner(customer_id="zhou", store_id="s2", at=noon)
    changed = OwnerChanged(vin=vin, customer_id="zhou", order_id=None, store_id="s2", maintenance_from=None)
    given(enrolled).when(change).then(changed).timers()
    given(enrolled, changed).when(change).then_nothing()
    given(enrolled, changed).when(deliver).then_nothing()


def test_kilometres_are_read_once_per_visit_and_noted_when_they_go_backwards() -> None:
    first = KilometresRead(work_order_id="w1", kilometres=5200, backwards=False)
    given(enrolled).when(read).then(first)
    given(enrolled, first).when(read).then_nothing()
    fewer = replace(read, work_order_id="w2", kilometres=4000)
    given(enrolled, first).when(fewer).then(KilometresRead(work_order_id="w2", kilometres=4000, backwards=True))


def test_a_car_nobody_enrolled_is_unknown() -> None:
    given().when(read).rejected("vehicle-unknown")
    given().when(ChangeOwner(customer_id="zhou", store_id="s2", at=noon)).rejected("vehicle-unknown")
