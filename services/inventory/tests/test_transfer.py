"""A transfer: asked for, approved by the donor's manager, sent, received; and what may go wrong on the way."""

from dataclasses import replace

import pytest

from services.inventory.domain.between import ConfirmDispatch, MarkArrived, MarkDispatched, RefuseDispatch
from services.inventory.domain.transfer import (
    ApproveTransfer,
    CancelTransfer,
    DiscrepancyFound,
    DispatchOrdered,
    DispatchTransfer,
    ReceiveTransfer,
    RequestTransfer,
    TransferApproved,
    TransferCancelled,
    TransferDispatched,
    TransferReceived,
    TransferRequested,
    transfer,
)
from services.inventory.tests.cars import STAY, VIN, noon
from shared.decider import Release, Schedule, Take
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(transfer)
north, south = frozenset({"north"}), frozenset({"south"})

request = RequestTransfer(
    transfer_id="t1",
    number="TR-BJ2-20260302-001",
    stay_id=STAY,
    vin=VIN,
    from_store="north",
    to_store="south",
    from_entity="entity-1",
    to_entity="entity-1",
    currency="CNY",
    order_id="o1",
    by="li",
    at=noon,
)
requested = TransferRequested(
    transfer_id="t1",
    number="TR-BJ2-20260302-001",
    stay_id=STAY,
    vin=VIN,
    from_store="north",
    to_store="south",
    from_entity="entity-1",
    to_entity="entity-1",
    currency="CNY",
    order_id="o1",
    by="li",
)
approve = ApproveTransfer(by="zhao", stores=north, at=noon)
approved = TransferApproved(by="zhao")
send = DispatchTransfer(by="chen", stores=north, carrier="Sanhe", at=noon)
leaving = DispatchOrdered(
    transfer_id="t1",
    stay_id=STAY,
    from_store="north",
    to_store="south",
    to_entity="entity-1",
    carrier="Sanhe",
    by="chen",
    at=noon,
)
left = TransferDispatched()
receive = ReceiveTransfer(by="sun", stores=south, vin=VIN, transport=Money(50_000), at=noon)
came = TransferReceived(transfer_id="t1", stay_id=STAY, carrier="Sanhe", transport=Money(50_000), by="sun", at=noon)
cancel = CancelTransfer(by="li", reason="customer gone", at=noon)
cancelled = TransferCancelled(by="li", reason="customer gone")
on_the_road = (requested, approved, leaving, left)


def test_a_store_asks_for_a_car_of_another_store() -> None:
    reason = "This car is on another transfer."
    taken = Take(kind="open-transfer", key=STAY, problem="already-in-transfer", reason=reason)
    given().when(request).then(requested).claims(taken)


def test_between_legal_entities_a_car_is_not_transferred() -> None:
    given().when(replace(request, to_entity="entity-2")).rejected("inter-company-transfer")


def test_a_car_is_not_transferred_to_where_it_stands() -> None:
    given().when(replace(request, to_store="north")).rejected("same-store")


def test_a_manager_of_the_donor_store_approves() -> None:
    given(requested).when(approve).then(approved)
    given(requested).when(replace(approve, stores=south)).rejected("not-yours")
    given(requested).when(replace(approve, stores=frozenset({"*"}))).then(approved)


def test_nobody_approves_his_own_request() -> None:
    given(requested).when(replace(approve, by="li")).rejected("four-eyes")


def test_approving_twice_changes_nothing() -> None:
    given(requested, approved).when(approve).then_nothing()


def test_the_donor_store_sends_the_car_and_the_stay_is_told() -> None:
    leave = MarkDispatched(transfer_id="t1", from_store="north", to_store="south", to_entity="entity-1", at=noon)
    given(requested, approved).when(send).then(leaving).timers(Schedule(key="stay", command=leave, to=f"stay-{STAY}"))
    given(requested, approved).when(replace(send, stores=south)).rejected("not-yours")
    given(requested, approved, leaving).when(send).then_nothing()
    given(requested).when(send).rejected("illegal-transition")


def test_it_is_on_the_road_when_the_stay_has_let_it_go() -> None:
    given(requested, approved, leaving).when(ConfirmDispatch(at=noon)).then(left)
    given(*on_the_road).when(ConfirmDispatch(at=noon)).then_nothing()
    given(requested, approved, leaving).when(receive).rejected("illegal-transition")


def test_a_car_that_cannot_leave_ends_the_transfer() -> None:
    gone = TransferCancelled(by="system", reason="The car has been sold.")
    given(requested, approved, leaving).when(RefuseDispatch(reason="The car has been sold.", at=noon)).then(gone).claims(
        Release(kind="open-transfer")
    )


def test_the_receiving_store_takes_it_in_with_the_cost_of_transport() -> None:
    arrive = MarkArrived(transfer_id="t1", carrier="Sanhe", transport=Money(50_000), at=noon)
    given(*on_the_road).when(receive).then(came).timers(Schedule(key="stay", command=arrive, to=f"stay-{STAY}")).claims(
        Release(kind="open-transfer")
    )
    given(*on_the_road).when(replace(receive, stores=north)).rejected("not-yours")
    given(*on_the_road).when(replace(receive, transport=Money(-1))).rejected("cost-invalid")
    given(*on_the_road).when(replace(receive, transport=Money(1, "USD"))).rejected("currency-differs")
    given(*on_the_road, came).when(receive).then_nothing()


def test_another_car_than_the_one_sent_is_a_discrepancy_and_the_right_one_may_still_come() -> None:
    wrong = DiscrepancyFound(kind="wrong-vin", text="LFV2A2159N3000007", by="sun")
    given(*on_the_road).when(replace(receive, vin="LFV2A2159N3000007")).then(wrong)
    given(*on_the_road, wrong).when(receive).then(came)


def test_a_damaged_car_is_received_with_a_remark() -> None:
    remark = DiscrepancyFound(kind="remark", text="scratch on the left door", by="sun")
    given(*on_the_road).when(replace(receive, remark="scratch on the left door")).then(remark, came)


@pytest.mark.parametrize("history", [(requested,), (requested, approved)])
def test_a_transfer_is_cancelled_before_the_car_leaves(history: tuple[object, ...]) -> None:
    given(*history).when(cancel).then(cancelled).claims(Release(kind="open-transfer"))
    given(*history, cancelled).when(cancel).then_nothing()


def test_a_car_on_the_road_is_not_called_back() -> None:
    given(*on_the_road).when(cancel).rejected("illegal-transition")
    given(*on_the_road, came).when(cancel).rejected("illegal-transition")
