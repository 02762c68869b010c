"""An order's allocation: passes what the order asks of a car to that car's stay, and tells it when earnest money came."""

from datetime import datetime
from typing import assert_never

from services.inventory.domain.car import AnswerRequest, WithdrawRequest
from shared.decider import Decider, Schedule, Timer, message, replace


@message
class RequestCar:
    """`stay_id` (the open stay of the VIN, None: there is none) is looked up before it is decided; `seller` is the order's."""

    request_id: str
    order_id: str
    vin: str
    stay_id: str | None = None
    seller: str
    at: datetime


@message
class WithdrawCar:
    request_id: str
    reason: str
    at: datetime


@message
class NoteEarnest:
    receipt_id: str
    at: datetime


@message
class CarRequested:
    """Asked again with `earnest` once earnest money is known."""

    request_id: str
    order_id: str
    vin: str
    stay_id: str
    by: str
    earnest: bool
    at: datetime


@message
class CarUnknown:
    """No car with this VIN is in stock."""

    request_id: str
    order_id: str
    vin: str


@message
class CarWithdrawn:
    request_id: str
    stay_id: str
    reason: str
    at: datetime


@message
class EarnestNoted:
    receipt_id: str


@message
class Allocation:
    open: tuple[CarRequested, ...] = ()
    earnest: bool = False


type Command = RequestCar | WithdrawCar | NoteEarnest
type Event = CarRequested | CarUnknown | CarWithdrawn | EarnestNoted


def decide(command: Command, state: Allocation) -> list[Event]:
    match command:
        case RequestCar():
            return _request(command, state)
        case WithdrawCar(request_id=request_id, reason=reason, at=at):
            return [
                CarWithdrawn(request_id=request_id, stay_id=asked.stay_id, reason=reason, at=at)
                for asked in state.open
                if asked.request_id == request_id
            ]
        case NoteEarnest() if state.earnest:
            return []
        case NoteEarnest(receipt_id=receipt_id, at=at):
            return [EarnestNoted(receipt_id=receipt_id), *(replace(asked, earnest=True, at=at) for asked in state.open)]
        case unknown:
            assert_never(unknown)


def _request(command: RequestCar, state: Allocation) -> list[Event]:
    if command.request_id in (asked.request_id for asked in state.open):
        return []
    if command.stay_id is None:
        return [CarUnknown(request_id=command.request_id, order_id=command.order_id, vin=command.vin)]
    asked = CarRequested(
        request_id=command.request_id,
        order_id=command.order_id,
        vin=command.vin,
        stay_id=command.stay_id,
        by=command.seller,
        earnest=state.earnest,
        at=command.at,
    )
    return [asked]


def evolve(state: Allocation, event: Event) -> Allocation:
    match event:
        case CarRequested(request_id=request_id):
            others = tuple(asked for asked in state.open if asked.request_id != request_id)
            return replace(state, open=(*others, event))
        case CarWithdrawn(request_id=request_id):
            return replace(state, open=tuple(asked for asked in state.open if asked.request_id != request_id))
        case EarnestNoted():
            return replace(state, earnest=True)
        case CarUnknown():
            return state
        case unknown:
            assert_never(unknown)


def timers(event: Event) -> list[Timer]:
    """One key per request: a withdrawal replaces a request the stay has not heard yet, so it can never come too late."""
    match event:
        case CarRequested():
            ask = AnswerRequest(
                request_id=event.request_id,
                order_id=event.order_id,
                vin=event.vin,
                by=event.by,
                earnest=event.earnest,
                at=event.at,
            )
            return [Schedule(key=event.request_id, command=ask, to=f"stay-{event.stay_id}")]
        case CarWithdrawn(request_id=request_id, stay_id=stay_id, reason=reason, at=at):
            withdraw = WithdrawRequest(request_id=request_id, reason=reason, at=at)
            return [Schedule(key=request_id, command=withdraw, to=f"stay-{stay_id}")]
        case _:
            return []


allocation = Decider[Command, Allocation, Event](Allocation(), decide, evolve, timers=timers)
