"""A stay: one spell of a car (VIN) in the group's stock, from acquisition to hand-over."""

from typing import assert_never

from services.inventory.domain.between import (
    ConfirmDispatch,
    MarkArrived,
    MarkDispatched,
    NoteCar,
    NoteReceipt,
    RefuseDispatch,
    level_stream,
)
from services.inventory.domain.car import (
    AddCost,
    AnswerRequest,
    CarArrived,
    CarDispatched,
    CertificateRedeemed,
    Command,
    CostAdded,
    DispatchRefused,
    Event,
    ExpireReservation,
    QueueLeft,
    ReceiveVehicle,
    RedeemCertificate,
    ReleaseReservation,
    ReservationExpired,
    ReservationExtended,
    ReservationQueued,
    ReservationRefused,
    Reserve,
    SaleAwaited,
    SaleRefused,
    Sell,
    VehicleReceived,
    VehicleReleased,
    VehicleReserved,
    VehicleSold,
    WithdrawRequest,
)
from services.inventory.domain.reservation import decide_reservation, refused
from services.inventory.domain.stock import Absent, Hold, OnHand, Sold, State, Transit, Wish
from shared.decider import Claim, Decider, Rejected, Release, Schedule, Take, Timer, Unschedule, replace
from shared.values.vin import check_digit_ok

MANDATED = "L12345"
"""First letters of VINs made for China and North America, where the check digit is the law."""


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case ReceiveVehicle(), Absent():
            return _receive(command)
        case Reserve() | AnswerRequest() | ReleaseReservation() | WithdrawRequest() | ExpireReservation(), OnHand():
            return decide_reservation(command, state)
        case AnswerRequest(), Sold():
            wish = Wish(request_id=command.request_id, order_id=command.order_id, by=command.by)
            return (
                [] if state.order_id == command.order_id else [refused(wish, state.vin, "vehicle-not-available", "This car has been sold.")]
            )
        case WithdrawRequest() | ExpireReservation(), Sold():
            return []
        case AddCost(), OnHand() | Sold():
            return _add_cost(command, state)
        case RedeemCertificate(by=by), OnHand():
            return _redeem(by, state)
        case MarkDispatched(), OnHand():
            return _dispatch(command, state)
        case MarkDispatched(transfer_id=transfer_id, at=at), Sold():
            return [DispatchRefused(transfer_id=transfer_id, reason="The car has been sold.", at=at)]
        case MarkArrived(), OnHand():
            return _arrive(command, state)
        case Sell(), OnHand():
            return _sell(command, state)
        case Sell(order_id=order_id), Sold() if order_id == state.order_id:
            return []
        case _, Sold():
            raise Rejected("vehicle-not-available", "This car has been sold.")
        case _:
            raise Rejected("illegal-transition", "This car does not allow that now.")


def _receive(command: ReceiveVehicle) -> list[Event]:
    fits = check_digit_ok(command.vin)
    if not fits and command.category == "new" and command.vin[0] in MANDATED:
        raise Rejected("vin-check-digit", "The check digit of this VIN does not fit; look at the car again.")
    if not fits and command.confirmed_by is None:
        raise Rejected("vin-unconfirmed", "The check digit of this VIN does not fit; a manager has to confirm it.")
    cost = command.cost
    if len({part.currency for part in (cost.purchase, cost.rebate, cost.freight, cost.preparation, command.input_vat)}) > 1:
        raise Rejected("currency-differs", "All amounts of a car are in the currency of its books.")
    parts = (cost.purchase, cost.rebate, cost.freight, cost.preparation, command.input_vat, cost.book_cost)
    if min(part.minor for part in parts) < 0:
        raise Rejected("cost-invalid", "No part of the landed cost, nor its sum, is below zero.")
    received = VehicleReceived(
        stay_id=command.stay_id,
        vin=command.vin,
        trim_id=command.trim_id,
        brand=command.brand,
        series=command.series,
        category=command.category,
        store_id=command.store_id,
        entity_id=command.entity_id,
        supplier=command.supplier,
        purchase_order_id=command.purchase_order_id,
        cost=cost,
        book_cost=cost.book_cost,
        input_vat=command.input_vat,
        acquired_on=command.acquired_on,
        certificate=command.certificate,
        check_digit_fits=fits,
        confirmed_by=None if fits else command.confirmed_by,
        at=command.at,
    )
    return [received]


def _add_cost(command: AddCost, car: OnHand | Sold) -> list[Event]:
    if command.cost_id in car.cost_ids:
        return []
    if command.amount.currency != car.book_cost.currency:
        raise Rejected("currency-differs", "All amounts of a car are in the currency of its books.")
    if command.amount.minor == 0 or (command.amount.minor < 0) != (command.kind == "rebate"):
        raise Rejected("cost-invalid", "A rebate is below zero, every other cost above.")
    if isinstance(car, OnHand) and car.transit:
        raise Rejected("vehicle-in-transit", "Costs are entered when the car has arrived.")
    late = isinstance(car, Sold)
    book_cost = car.book_cost if late else car.book_cost + command.amount
    if book_cost.minor < 0:
        raise Rejected("cost-invalid", "The book cost of a car is never below zero.")
    added = CostAdded(
        cost_id=command.cost_id,
        kind=command.kind,
        supplier=command.supplier,
        amount=command.amount,
        book_cost=book_cost,
        late=late,
    )
    return [added]


def _redeem(by: str, car: OnHand) -> list[Event]:
    if car.certificate == "none":
        raise Rejected("certificate-missing", "This car came without a certificate.")
    return [CertificateRedeemed(by=by)] if car.certificate == "pledged" else []


def _dispatch(command: MarkDispatched, car: OnHand) -> list[Event]:
    if car.transit and car.transit.transfer_id == command.transfer_id:
        return []
    if car.transit or car.store_id != command.from_store:
        return [DispatchRefused(transfer_id=command.transfer_id, reason="The car is not at the donor store.", at=command.at)]
    dispatched = CarDispatched(
        stay_id=car.stay_id,
        trim_id=car.trim_id,
        transfer_id=command.transfer_id,
        from_store=car.store_id,
        to_store=command.to_store,
        from_entity=car.entity_id,
        to_entity=command.to_entity,
        order_id=car.hold.wish.order_id if car.hold else None,
        at=command.at,
    )
    return [dispatched]


def _arrive(command: MarkArrived, car: OnHand) -> list[Event]:
    if car.transit is None or car.transit.transfer_id != command.transfer_id:
        return []
    arrived = CarArrived(
        stay_id=car.stay_id,
        trim_id=car.trim_id,
        transfer_id=command.transfer_id,
        from_store=car.store_id,
        to_store=car.transit.to_store,
        from_entity=car.entity_id,
        to_entity=car.transit.to_entity,
        carrier=command.carrier,
        transport=command.transport,
        book_cost=car.book_cost + command.transport,
        order_id=car.hold.wish.order_id if car.hold else None,
        free=car.hold is None and car.sale_awaited is None,
        at=command.at,
    )
    if car.sale_awaited is None:
        return [arrived]
    here = replace(car, store_id=car.transit.to_store, transit=None)
    return [arrived, *_sell(Sell(order_id=car.sale_awaited, at=command.at), here)]


def _sell(command: Sell, car: OnHand) -> list[Event]:
    if car.hold and car.hold.wish.order_id != command.order_id:
        raise Rejected("vin-already-reserved", "This car is reserved for somebody else.")
    if car.sale_awaited not in (None, command.order_id):
        raise Rejected("vehicle-not-available", "This car has been handed over under another order.")
    if car.transit:
        return [] if car.sale_awaited else [SaleAwaited(order_id=command.order_id)]
    sold = VehicleSold(
        stay_id=car.stay_id,
        vin=car.vin,
        trim_id=car.trim_id,
        store_id=car.store_id,
        order_id=command.order_id,
        request_id=car.hold.wish.request_id if car.hold else None,
        at=command.at,
    )
    return [sold, *(refused(wish, car.vin, "vehicle-not-available", "This car has been sold.") for wish in car.queue)]


def evolve(state: State, event: Event) -> State:
    match event:
        case VehicleReceived():
            return OnHand(
                stay_id=event.stay_id,
                vin=event.vin,
                trim_id=event.trim_id,
                brand=event.brand,
                series=event.series,
                acquired_on=event.acquired_on,
                store_id=event.store_id,
                entity_id=event.entity_id,
                certificate=event.certificate,
                book_cost=event.book_cost,
            )
        case CostAdded(cost_id=cost_id, book_cost=book_cost):
            assert not isinstance(state, Absent)
            return replace(state, book_cost=book_cost, cost_ids=state.cost_ids | {cost_id})
        case ReservationRefused() | SaleRefused() | DispatchRefused():
            return state
        case _:
            assert isinstance(state, OnHand)
            return _evolve_on_hand(state, event)


type _Remaining = (
    VehicleReserved
    | ReservationQueued
    | QueueLeft
    | ReservationExtended
    | VehicleReleased
    | ReservationExpired
    | CertificateRedeemed
    | CarDispatched
    | CarArrived
    | SaleAwaited
    | VehicleSold
)


def _evolve_on_hand(car: OnHand, event: _Remaining) -> OnHand | Sold:
    match event:
        case VehicleReserved(request_id=request_id, order_id=order_id, by=by):
            wish = Wish(request_id=request_id, order_id=order_id, by=by)
            queue = tuple(waiting for waiting in car.queue if waiting.request_id != request_id)
            return replace(car, hold=Hold(wish=wish, earnest=event.earnest, until=event.until), queue=queue)
        case ReservationQueued(request_id=request_id, order_id=order_id, by=by):
            return replace(car, queue=(*car.queue, Wish(request_id=request_id, order_id=order_id, by=by)))
        case QueueLeft(request_id=request_id):
            return replace(car, queue=tuple(waiting for waiting in car.queue if waiting.request_id != request_id))
        case ReservationExtended(until=until):
            assert car.hold is not None
            return replace(car, hold=replace(car.hold, earnest=True, until=until))
        case VehicleReleased() | ReservationExpired():
            return replace(car, hold=None)
        case CertificateRedeemed():
            return replace(car, certificate="redeemed")
        case CarDispatched(transfer_id=transfer_id, to_store=to_store, to_entity=to_entity):
            return replace(car, transit=Transit(transfer_id=transfer_id, to_store=to_store, to_entity=to_entity))
        case CarArrived(to_store=to_store, to_entity=to_entity, book_cost=book_cost):
            return replace(car, store_id=to_store, entity_id=to_entity, book_cost=book_cost, transit=None)
        case SaleAwaited(order_id=order_id):
            return replace(car, sale_awaited=order_id)
        case VehicleSold(order_id=order_id):
            return Sold(
                stay_id=car.stay_id,
                vin=car.vin,
                trim_id=car.trim_id,
                store_id=car.store_id,
                entity_id=car.entity_id,
                order_id=order_id,
                book_cost=car.book_cost,
                cost_ids=car.cost_ids,
            )
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """A VIN has one open stay."""
    match event:
        case VehicleReceived(vin=vin):
            return [Take(kind="open-stay", key=vin, problem="vin-in-stock", reason="A car with this VIN is in stock.")]
        case VehicleSold():
            return [Release(kind="open-stay")]
        case _:
            return []


def timers(event: Event) -> list[Timer]:
    """The end of a hold; what the purchase order, the transfer and the stock level have to know."""
    match event:
        case VehicleReceived(purchase_order_id=purchase_order_id):
            counted = _count(event.stay_id, event.store_id, event.trim_id, True, event)
            if purchase_order_id is None:
                return [counted]
            note = NoteReceipt(stay_id=event.stay_id, vin=event.vin, trim_id=event.trim_id, purchase=event.cost.purchase, at=event.at)
            return [Schedule(key="receipt", command=note, to=f"purchase-{purchase_order_id}"), counted]
        case VehicleReserved(request_id=request_id, until=until, instead_of=before):
            expiry = Schedule(key=f"hold/{request_id}", command=ExpireReservation(request_id=request_id, at=until), at=until)
            over = [Unschedule(key=f"hold/{before}")] if before else []
            return [*over, expiry, _count(event.stay_id, event.store_id, event.trim_id, False, event)]
        case ReservationExtended(request_id=request_id, until=until):
            return [Schedule(key=f"hold/{request_id}", command=ExpireReservation(request_id=request_id, at=until), at=until)]
        case VehicleReleased(request_id=request_id, free=free) | ReservationExpired(request_id=request_id, free=free):
            counted = _count(event.stay_id, event.store_id, event.trim_id, True, event)
            return [Unschedule(key=f"hold/{request_id}"), *([counted] if free else [])]
        case CarDispatched(transfer_id=transfer_id, from_store=from_store):
            confirm = Schedule(key=f"transfer/{transfer_id}", command=ConfirmDispatch(at=event.at), to=f"transfer-{transfer_id}")
            return [confirm, _count(event.stay_id, from_store, event.trim_id, False, event)]
        case DispatchRefused(transfer_id=transfer_id, reason=reason, at=at):
            refusal = RefuseDispatch(reason=reason, at=at)
            return [Schedule(key=f"transfer/{transfer_id}", command=refusal, to=f"transfer-{transfer_id}")]
        case CarArrived(to_store=to_store, free=free):
            return [_count(event.stay_id, to_store, event.trim_id, True, event)] if free else []
        case VehicleSold(request_id=request_id):
            counted = _count(event.stay_id, event.store_id, event.trim_id, False, event)
            return [*([Unschedule(key=f"hold/{request_id}")] if request_id else []), counted]
        case _:
            return []


type _Moving = VehicleReceived | VehicleReserved | VehicleReleased | ReservationExpired | CarDispatched | CarArrived | VehicleSold


def _count(stay_id: str, store_id: str, trim_id: str, available: bool, event: _Moving) -> Schedule:
    """One key per car and store: a later word replaces one not yet heard, so the last one counts."""
    note = NoteCar(store_id=store_id, trim_id=trim_id, stay_id=stay_id, available=available, at=event.at)
    return Schedule(key=f"count/{store_id}", command=note, to=level_stream(store_id, trim_id))


stay = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
