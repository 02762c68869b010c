"""A car's book cost during one stay in stock: received, added to, moved between stores, sold."""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from typing import Any, assert_never

from services.finance.domain import chart
from services.finance.domain.car_messages import (
    AddCost,
    ArriveCar,
    Booked,
    CarArrived,
    CarCostAdded,
    CarDispatched,
    CarReceived,
    CarSold,
    CarSoldWithinGroup,
    Command,
    DispatchCar,
    Event,
    FactHeld,
    LateCostAdded,
    ReceiveCar,
    SellCar,
)
from services.finance.domain.entry import Entry, Line, balanced, posted_in
from shared.decider import Claim, Decider, Rejected, message, replace
from shared.values.money import Money


@message
class Car:
    """`vin` is None until the receipt is known, `moving` the transfer under way, `sold` the order; cost in minor units."""

    stay_id: str = ""
    vin: str | None = None
    entity_id: str = ""
    store_id: str = ""
    currency: str = ""
    cost: int = 0
    input_vat: int = 0
    moving: str | None = None
    moves: frozenset[str] = frozenset()
    costs: frozenset[str] = frozenset()
    sold: str | None = None
    held: tuple[FactHeld, ...] = ()
    entries: int = 0


def decide(command: Command, state: Car) -> list[Event]:
    """Facts come from several streams and in any order: an early one is held, and follows what it waited for."""
    if early(command, state):
        held = hold(command)
        return [] if held in state.held else [held]
    events = book(command, state)
    after = reduce(evolve, events, state)
    for held in after.held if events else ():
        waiting = replace(fact_of(held), on=command.on, at=command.at)
        if not early(waiting, after):
            return [*events, *decide(waiting, after)]
    return events


def early(command: Command, car: Car) -> bool:
    """Whether the car is not yet where this fact finds it."""
    match command:
        case ReceiveCar():
            return False
        case AddCost():
            return car.vin is None
        case DispatchCar(transfer_id=transfer_id, from_store=from_store):
            return car.vin is None or (transfer_id not in car.moves and (car.moving is not None or car.store_id != from_store))
        case ArriveCar(transfer_id=transfer_id):
            return car.vin is None or transfer_id not in car.moves
        case SellCar(store_id=store_id):
            return car.vin is None or (car.sold is None and (car.moving is not None or car.store_id != store_id))
        case unknown:
            assert_never(unknown)


def hold(command: Command) -> FactHeld:
    match command:
        case AddCost():
            return FactHeld(cost=command)
        case DispatchCar():
            return FactHeld(dispatch=command)
        case ArriveCar():
            return FactHeld(arrival=command)
        case SellCar():
            return FactHeld(sale=command)
        case ReceiveCar():
            raise Rejected("illegal-transition", "A receipt is never early.")


def fact_of(held: FactHeld) -> AddCost | DispatchCar | ArriveCar | SellCar:
    fact = held.cost or held.dispatch or held.arrival or held.sale
    assert fact is not None
    return fact


def known(car: Car, fact: AddCost | DispatchCar | ArriveCar | SellCar) -> bool:
    """Whether the books have taken a fact in."""
    match fact:
        case AddCost(cost_id=cost_id):
            return cost_id in car.costs
        case DispatchCar(transfer_id=transfer_id):
            return transfer_id in car.moves
        case ArriveCar(transfer_id=transfer_id):
            return transfer_id in car.moves and transfer_id != car.moving
        case SellCar():
            return car.sold is not None
        case unknown:
            assert_never(unknown)


def book(command: Command, car: Car) -> list[Event]:
    """What a timely fact does to the books; [] when it is known."""
    match command:
        case ReceiveCar():
            return receive(command, car)
        case AddCost():
            return add_cost(command, car)
        case DispatchCar():
            return dispatch(command, car)
        case ArriveCar():
            return arrive(command, car)
        case SellCar():
            return sell(command, car)
        case unknown:
            assert_never(unknown)


def receive(command: ReceiveCar, car: Car) -> list[Event]:
    if car.vin is not None:
        return []
    cost, vat = command.book_cost.minor, command.input_vat.minor
    new = replace(
        car,
        stay_id=command.stay_id,
        vin=command.vin,
        entity_id=command.entity_id,
        store_id=command.store_id,
        currency=command.book_cost.currency,
    )
    lines = {chart.STOCK: cost, chart.VAT_INPUT: vat, chart.PAYABLES: -cost - vat}
    return [
        CarReceived(
            stay_id=command.stay_id,
            vin=command.vin,
            entity_id=command.entity_id,
            store_id=command.store_id,
            supplier=command.supplier,
            book_cost=command.book_cost,
            input_vat=command.input_vat,
            entry=posted(new, lines, command.on, "Vehicle received"),
        )
    ]


def add_cost(command: AddCost, car: Car) -> list[Event]:
    if command.cost_id in car.costs:
        return []
    same_currency(command.amount, car)
    amount = command.amount.minor
    if car.sold is not None:
        entry = posted(car, {chart.COST_OF_SALES: amount, chart.PAYABLES: -amount}, command.on, f"Late cost: {command.kind}", car.sold)
        return [LateCostAdded(cost_id=command.cost_id, kind=command.kind, amount=command.amount, order_id=car.sold, entry=entry)]
    where = chart.IN_TRANSIT if car.moving else chart.STOCK
    entry = posted(car, {where: amount, chart.PAYABLES: -amount}, command.on, f"Vehicle cost: {command.kind}")
    return [CarCostAdded(cost_id=command.cost_id, kind=command.kind, amount=command.amount, entry=entry)]


def dispatch(command: DispatchCar, car: Car) -> list[Event]:
    if command.transfer_id in car.moves:
        return []
    entry = posted(car, {chart.IN_TRANSIT: car.cost, chart.STOCK: -car.cost}, command.on, "Vehicle dispatched")
    return [CarDispatched(transfer_id=command.transfer_id, entry=entry)]


def arrive(command: ArriveCar, car: Car) -> list[Event]:
    if command.transfer_id != car.moving:
        return []
    same_currency(command.transport, car)
    transport, cost = command.transport.minor, car.cost
    there = replace(car, store_id=command.to_store, entity_id=command.to_entity)
    if command.to_entity == car.entity_id:
        lines = {chart.STOCK: cost + transport, chart.IN_TRANSIT: -cost, chart.PAYABLES: -transport}
        return [arrived(command, posted(there, lines, command.on, "Vehicle arrived"))]
    gross = cost + car.input_vat
    sale = {
        chart.RECEIVABLES: gross,
        chart.REVENUE: -cost,
        chart.VAT_OUTPUT: -car.input_vat,
        chart.COST_OF_SALES: cost,
        chart.IN_TRANSIT: -cost,
    }
    purchase = {chart.STOCK: cost + transport, chart.VAT_INPUT: car.input_vat, chart.PAYABLES: -gross - transport}
    sold = CarSoldWithinGroup(
        transfer_id=command.transfer_id, entity_id=car.entity_id, entry=posted(car, sale, command.on, "Vehicle sold within the group")
    )
    bought = posted(evolve(there, sold), purchase, command.on, "Vehicle bought within the group")
    return [sold, arrived(command, bought)]


def arrived(command: ArriveCar, entry: Entry | None) -> CarArrived:
    return CarArrived(
        transfer_id=command.transfer_id,
        store_id=command.to_store,
        entity_id=command.to_entity,
        transport=command.transport,
        entry=entry,
    )


def sell(command: SellCar, car: Car) -> list[Event]:
    if car.sold is not None:
        if car.sold == command.order_id:
            return []
        raise Rejected("already-sold", "This stay ended with another order.")
    lines = {chart.COST_OF_SALES: car.cost, chart.STOCK: -car.cost}
    entry = posted(car, lines, command.on, "Cost of vehicle sold", command.order_id)
    return [CarSold(order_id=command.order_id, revenue=command.revenue, cost=Money(car.cost, car.currency), entry=entry)]


def same_currency(money: Money, car: Car) -> None:
    if money.minor and money.currency != car.currency:
        raise Rejected("currency-differs", f"This car's books are in {car.currency}.")


def posted(car: Car, lines: dict[str, int], on: date, text: str, order_id: str | None = None) -> Entry | None:
    """An entry at the car's store; None when nothing moves."""
    if not any(lines.values()):
        return None
    return balanced(
        f"car-{car.stay_id}.{car.entries + 1}",
        (Line(account=number, amount=amount, vin=car.vin) for number, amount in lines.items()),
        entity_id=car.entity_id,
        store_id=car.store_id,
        currency=car.currency,
        on=on,
        text=text,
        order_id=order_id,
    )


def evolve(state: Car, event: Event) -> Car:
    """The car after an event; a fact that was held is so no longer once it is booked."""
    if isinstance(event, FactHeld):
        return replace(state, held=(*state.held, event))
    entries = state.entries + (event.entry is not None)
    car = replace(state, entries=entries, **changes(state, event))
    return replace(car, held=tuple(held for held in car.held if not known(car, fact_of(held))))


def changes(car: Car, event: Booked) -> Mapping[str, Any]:
    match event:
        case CarReceived():
            return {
                "stay_id": event.stay_id,
                "vin": event.vin,
                "entity_id": event.entity_id,
                "store_id": event.store_id,
                "currency": event.book_cost.currency,
                "cost": event.book_cost.minor,
                "input_vat": event.input_vat.minor,
            }
        case CarCostAdded(cost_id=cost_id, amount=amount):
            return {"cost": car.cost + amount.minor, "costs": car.costs | {cost_id}}
        case LateCostAdded(cost_id=cost_id):
            return {"costs": car.costs | {cost_id}}
        case CarDispatched(transfer_id=transfer_id):
            return {"moving": transfer_id, "moves": car.moves | {transfer_id}}
        case CarSoldWithinGroup():
            return {}
        case CarArrived(store_id=store_id, entity_id=entity_id, transport=transport):
            return {"store_id": store_id, "entity_id": entity_id, "cost": car.cost + transport.minor, "moving": None}
        case CarSold(order_id=order_id):
            return {"sold": order_id}
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """A place in the period of each entry."""
    return [] if isinstance(event, FactHeld) else posted_in(event.entry)


car = Decider[Command, Car, Event](Car(), decide, evolve, claims)
