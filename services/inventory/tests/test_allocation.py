"""What an order asks of a car reaches that car's stay, in whatever order earnest money and withdrawals come."""

from dataclasses import replace

from services.inventory.domain.car import AnswerRequest, WithdrawRequest
from services.inventory.processes.allocation import (
    CarRequested,
    CarUnknown,
    CarWithdrawn,
    EarnestNoted,
    NoteEarnest,
    RequestCar,
    WithdrawCar,
    allocation,
)
from services.inventory.tests.cars import STAY, VIN, noon
from shared.decider import Schedule
from shared.testing.specs import spec

given = spec(allocation)
want = RequestCar(request_id="q1", order_id="o1", vin=VIN, stay_id=STAY, seller="li", at=noon)
asked = CarRequested(request_id="q1", order_id="o1", vin=VIN, stay_id=STAY, by="li", earnest=False, at=noon)
withdraw = WithdrawCar(request_id="q1", reason="cancelled", at=noon)
withdrawn = CarWithdrawn(request_id="q1", stay_id=STAY, reason="cancelled", at=noon)
paid = NoteEarnest(receipt_id="x1", at=noon)
earnest = EarnestNoted(receipt_id="x1")
answer = AnswerRequest(request_id="q1", order_id="o1", vin=VIN, by="li", earnest=False, at=noon)


def to_the_stay(command: object) -> Schedule:
    return Schedule(key="q1", command=command, to=f"stay-{STAY}")


def test_a_request_goes_to_the_open_stay_of_the_vin() -> None:
    given().when(want).then(asked).timers(to_the_stay(answer))
    given(asked).when(want).then_nothing()


def test_a_vin_that_is_not_in_stock_is_answered_at_once() -> None:
    given().when(replace(want, stay_id=None)).then(CarUnknown(request_id="q1", order_id="o1", vin=VIN)).timers()


def test_a_withdrawal_takes_the_place_of_the_request() -> None:
    gone = WithdrawRequest(request_id="q1", reason="cancelled", at=noon)
    given(asked).when(withdraw).then(withdrawn).timers(to_the_stay(gone))
    given(asked, withdrawn).when(withdraw).then_nothing()
    given().when(withdraw).then_nothing()


def test_earnest_money_asks_again_for_every_car_the_order_holds() -> None:
    longer = replace(asked, earnest=True)
    given(asked).when(paid).then(earnest, longer).timers(to_the_stay(replace(answer, earnest=True)))
    given(asked, earnest, longer).when(paid).then_nothing()
    given(asked, withdrawn).when(paid).then(earnest)


def test_earnest_money_paid_first_is_remembered() -> None:
    given(earnest).when(want).then(replace(asked, earnest=True))
