"""What a work order allows, in the words of the workshop."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.aftersales.domain.appointment import ArriveForAppointment
from services.aftersales.domain.car import ReadKilometres
from services.aftersales.domain.work_order import work_order
from services.aftersales.domain.work_order_messages import (
    AddItem,
    ApproveEstimate,
    CancelWorkOrder,
    CheckQuality,
    CloseWorkOrder,
    DeclineItem,
    EstimateApproved,
    Event,
    Item,
    ItemAdded,
    ItemDeclined,
    OpenWorkOrder,
    QualityChecked,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderOpened,
)
from shared.decider import Release, Schedule, Take
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(work_order)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
vin = "LFV2A2150N3000001"
open_it = OpenWorkOrder(
    work_order_id="w1",
    number="WO-BJ1-20260302-001",
    vin=vin,
    customer_id="lin",
    store_id="s1",
    currency="CNY",
    appointment_id="a1",
    services=("first-maintenance",),
    kilometres=5200,
    concern="~p1.squeaks",
    by="wu",
    at=noon,
)
labour = Item(item_id="i1", kind="labour", text="Oil change", quantity=1, price=Money(20_000), cost=Money(8_000), technician_id="he")
filter_ = Item(item_id="i2", kind="part", text="Oil filter", quantity=1, price=Money(9_000), cost=Money(5_500), technician_id=None)
add = AddItem(item=labour, by="wu", at=noon)
add_filter = AddItem(item=filter_, by="wu", at=noon)
decline_filter = DeclineItem(item_id="i2", by="wu", at=noon)
agree = ApproveEstimate(consent="signed", by="wu", at=noon)
check = CheckQuality(passed=True, note="", by="wu", at=noon)
fails = replace(check, passed=False, note="oil leaks")
close = CloseWorkOrder(by="wu", at=noon)
cancel = CancelWorkOrder(reason="another day", by="wu", at=noon)


def after(*commands: Any) -> tuple[Event, ...]:
    """The events of these commands, one after the other."""
    history: list[Event] = []
    for command in commands:
        history += work_order.decide(command, work_order.fold(history))
    return tuple(history)


def test_a_work_order_holds_its_car_and_its_appointment() -> None:
    (opened,) = after(open_it)
    assert isinstance(opened, WorkOrderOpened)
    car = Take(kind="car-at-work", key=vin, problem="already-exists", reason="This car has an open work order.")
    visit = Take(kind="appointment-work", key="a1", problem="already-exists", reason="This appointment has its work order.")
    given().when(open_it).then(opened).claims(car, visit)
    given(opened).when(open_it).then_nothing()


def test_car_and_appointment_are_told_at_once() -> None:
    read = Schedule(key="kilometres", command=ReadKilometres(work_order_id="w1", kilometres=5200, at=noon), to=f"car-{vin}")
    arrive = Schedule(key="arrival", command=ArriveForAppointment(by="wu", at=noon), to="appointment-a1")
    given().when(open_it).timers(read, arrive)
    given().when(replace(open_it, appointment_id=None)).timers(read)


def test_lines_are_added_once_and_agreed_to_together() -> None:
    given(*after(open_it)).when(add).then(ItemAdded(item=labour, by="wu"))
    given(*after(open_it, add)).when(add).then_nothing()
    agreed = EstimateApproved(items=("i1", "i2"), total=Money(29_000), consent="signed", by="wu")
    given(*after(open_it, add, add_filter)).when(agree).then(agreed)
    given(*after(open_it, add, add_filter, agree)).when(agree).then_nothing()
    given(*after(open_it)).when(agree).rejected("illegal-transition")


def test_a_declined_line_is_kept_and_does_not_count() -> None:
    given(*after(open_it, add, add_filter)).when(decline_filter).then(ItemDeclined(item_id="i2", by="wu"))
    declined = after(open_it, add, add_filter, decline_filter)
    given(*declined).when(decline_filter).then_nothing()
    given(*declined).when(add_filter).then_nothing()
    given(*declined).when(agree).then(EstimateApproved(items=("i1",), total=Money(20_000), consent="signed", by="wu"))
    given(*after(open_it, add, add_filter, agree)).when(decline_filter).rejected("illegal-transition")
    given(*after(open_it)).when(decline_filter).rejected("illegal-transition")


def test_lines_are_in_the_currency_of_the_books_and_labour_is_somebody_s() -> None:
    given(*after(open_it)).when(replace(add, item=replace(labour, cost=Money(1, "USD")))).rejected("currency-differs")
    given(*after(open_it)).when(replace(add, item=replace(labour, technician_id=None))).rejected("validation")


@pytest.mark.parametrize(
    "history",
    [
        after(open_it),
        after(open_it, add),
        after(open_it, add, agree),
        after(open_it, add, agree, fails),
        after(open_it, add, agree, check, fails),
        after(open_it, add, agree, check, add_filter),
        after(open_it, add, agree, check, add_filter, agree),
    ],
)
def test_nothing_leaves_without_a_quality_check_of_all_its_work(history: tuple[Event, ...]) -> None:
    given(*history).when(close).rejected("quality-check-missing")


def test_the_check_is_of_agreed_work_and_not_by_who_did_it() -> None:
    given(*after(open_it, add)).when(check).rejected("estimate-not-approved")
    given(*after(open_it)).when(check).rejected("illegal-transition")
    given(*after(open_it, add, agree)).when(replace(check, by="he")).rejected("four-eyes")
    given(*after(open_it, add, agree)).when(fails).then(QualityChecked(passed=False, note="oil leaks", by="wu"))
    given(*after(open_it, add, agree, fails)).when(check).then(QualityChecked(passed=True, note="", by="wu"))
    given(*after(open_it, add, agree, check)).when(check).then_nothing()


def test_a_car_handed_back_has_its_price_and_its_cost() -> None:
    done = after(open_it, add, add_filter, agree, check)
    closed = WorkOrderClosed(price=Money(29_000), cost=Money(13_500), by="wu")
    given(*done).when(close).then(closed).claims(Release(kind="car-at-work"))
    given(*done, closed).when(close).then_nothing()


def test_work_nobody_agreed_to_is_cancelled() -> None:
    given(*after(open_it, add)).when(cancel).then(WorkOrderCancelled(reason="another day", by="wu"))
    given(*after(open_it)).when(cancel).claims(Release(kind="car-at-work"), Release(kind="appointment-work"))
    given(*after(open_it, cancel)).when(cancel).then_nothing()
    given(*after(open_it, add, agree)).when(cancel).rejected("illegal-transition")


@pytest.mark.parametrize("command", [add, decline_filter, agree, check])
def test_a_closed_work_order_is_not_touched(command: Any) -> None:
    given(*after(open_it, add, agree, check, close)).when(command).rejected("work-order-closed")
    given(*after(open_it, cancel)).when(command).rejected("work-order-closed")
    given().when(command).rejected("illegal-transition")


def test_what_is_closed_is_not_cancelled_nor_the_other_way_round() -> None:
    given(*after(open_it, add, agree, check, close)).when(cancel).rejected("work-order-closed")
    given(*after(open_it, cancel)).when(close).rejected("work-order-closed")
