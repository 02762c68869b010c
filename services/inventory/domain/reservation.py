"""Who holds a car: one holder at a time, a queue behind it, and a date when the hold ends by itself."""

from datetime import datetime, timedelta
from typing import assert_never

from services.inventory.domain.car import (
    AnswerRequest,
    Event,
    ExpireReservation,
    QueueLeft,
    ReleaseReservation,
    ReservationExpired,
    ReservationExtended,
    ReservationQueued,
    ReservationRefused,
    Reserve,
    VehicleReleased,
    VehicleReserved,
    WithdrawRequest,
)
from services.inventory.domain.stock import OnHand, Wish
from shared.decider import Rejected, replace

FREE_HOLD = timedelta(hours=24)
EARNEST_HOLD = timedelta(days=7)

type Command = Reserve | AnswerRequest | ReleaseReservation | WithdrawRequest | ExpireReservation


def decide_reservation(command: Command, car: OnHand) -> list[Event]:
    """What a reservation command leads to while the car is in stock."""
    match command:
        case Reserve():
            return _reserve(command, car)
        case AnswerRequest():
            return _answer(command, car)
        case ReleaseReservation():
            return _release(command, car)
        case WithdrawRequest(request_id=request_id, reason=reason, at=at):
            return _leave(car, request_id, reason, at)
        case ExpireReservation(request_id=request_id, at=at):
            return _expire(car, request_id, at)
        case unknown:
            assert_never(unknown)


def _reserve(command: Reserve, car: OnHand) -> list[Event]:
    wish = Wish(request_id=command.request_id, order_id=command.order_id, by=command.by)
    known = [waiting.request_id for waiting in car.queue] + ([car.hold.wish.request_id] if car.hold else [])
    if wish.request_id in known:
        return []
    if car.sale_awaited:
        raise Rejected("vehicle-not-available", "This car has been handed over.")
    if car.hold is None:
        return [_hold(car, wish, earnest=False, at=command.at)]
    if command.queue:
        place = len(car.queue) + 1
        return [ReservationQueued(request_id=wish.request_id, order_id=wish.order_id, by=wish.by, place=place)]
    raise Rejected("vin-already-reserved", "Somebody else has reserved this car.")


def _answer(command: AnswerRequest, car: OnHand) -> list[Event]:
    wish = Wish(request_id=command.request_id, order_id=command.order_id, by=command.by)
    if car.hold and car.hold.wish.request_id == wish.request_id:
        if command.earnest and not car.hold.earnest:
            return [ReservationExtended(request_id=wish.request_id, until=command.at + EARNEST_HOLD)]
        return []
    if car.hold is None and not car.sale_awaited:
        return [_hold(car, wish, earnest=command.earnest, at=command.at)]
    if car.hold and car.hold.wish.order_id is None and car.hold.wish.by == wish.by:
        return [replace(_hold(car, wish, earnest=command.earnest, at=command.at), instead_of=car.hold.wish.request_id)]
    return [refused(wish, car.vin, "vin-already-reserved", "Somebody else has reserved this car.")]


def _release(command: ReleaseReservation, car: OnHand) -> list[Event]:
    theirs = next((wish for wish in _wishes(car) if wish.request_id == command.request_id), None)
    if theirs is None:
        return []
    if theirs.order_id is not None:
        raise Rejected("held-by-order", "This car is reserved for an order; cancel or change the order.")
    if theirs.by != command.by and not command.manager:
        raise Rejected("not-yours", "Only who reserved the car, or a manager, may release it.")
    return _leave(car, command.request_id, "released", command.at)


def _leave(car: OnHand, request_id: str, reason: str, at: datetime) -> list[Event]:
    if car.hold and car.hold.wish.request_id == request_id:
        gone = VehicleReleased(
            stay_id=car.stay_id,
            trim_id=car.trim_id,
            store_id=car.store_id,
            request_id=request_id,
            order_id=car.hold.wish.order_id,
            reason=reason,
            free=_free_after(car),
            at=at,
        )
        return [gone, *_next_in_line(car, at)]
    return [QueueLeft(request_id=request_id)] if request_id in [wish.request_id for wish in car.queue] else []


def _expire(car: OnHand, request_id: str, at: datetime) -> list[Event]:
    if car.hold is None or car.hold.wish.request_id != request_id or at < car.hold.until:
        return []
    gone = ReservationExpired(
        stay_id=car.stay_id,
        trim_id=car.trim_id,
        store_id=car.store_id,
        request_id=request_id,
        order_id=car.hold.wish.order_id,
        free=_free_after(car),
        at=at,
    )
    return [gone, *_next_in_line(car, at)]


def _hold(car: OnHand, wish: Wish, earnest: bool, at: datetime) -> VehicleReserved:
    return VehicleReserved(
        stay_id=car.stay_id,
        vin=car.vin,
        trim_id=car.trim_id,
        store_id=car.store_id,
        request_id=wish.request_id,
        order_id=wish.order_id,
        by=wish.by,
        earnest=earnest,
        until=at + (EARNEST_HOLD if earnest else FREE_HOLD),
        at=at,
    )


def _next_in_line(car: OnHand, at: datetime) -> list[Event]:
    if not car.queue or car.sale_awaited:
        return []
    return [_hold(replace(car, hold=None), car.queue[0], earnest=False, at=at)]


def _free_after(car: OnHand) -> bool:
    return not car.queue and car.transit is None


def _wishes(car: OnHand) -> list[Wish]:
    return [*([car.hold.wish] if car.hold else []), *car.queue]


def refused(wish: Wish, vin: str, problem: str, reason: str) -> ReservationRefused:
    """The recorded no to a request."""
    return ReservationRefused(request_id=wish.request_id, order_id=wish.order_id, vin=vin, problem=problem, reason=reason)
