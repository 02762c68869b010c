"""A car in our care: one VIN, whoever owns it and whichever store sees it."""

from datetime import datetime, timedelta
from typing import assert_never

from services.aftersales.domain.appointment import ProposeMaintenance
from shared.decider import Decider, Rejected, Schedule, Timer, message, replace
from shared.values.ids import derived_id

FIRST_MAINTENANCE = timedelta(days=90)
"""How long after delivery a car is due for its first maintenance."""


@message
class EnrolCar:
    """`order_id` when we have delivered it; None when it comes to us from elsewhere."""

    vin: str
    customer_id: str
    order_id: str | None
    store_id: str
    at: datetime


@message
class ChangeOwner:
    customer_id: str
    store_id: str
    at: datetime


@message
class ReadKilometres:
    work_order_id: str
    kilometres: int
    at: datetime


@message
class CarEnrolled:
    vin: str
    customer_id: str
    order_id: str | None
    store_id: str
    maintenance_from: datetime | None
    """From when its first maintenance is due; None for a car that we did not deliver."""


@message
class OwnerChanged:
    vin: str
    customer_id: str
    order_id: str | None
    store_id: str
    maintenance_from: datetime | None


@message
class KilometresRead:
    """`backwards`: fewer than at an earlier visit."""

    work_order_id: str
    kilometres: int
    backwards: bool


@message
class Absent: ...


@message
class Car:
    vin: str
    customer_id: str
    order_id: str | None
    kilometres: int = 0
    visits: frozenset[str] = frozenset()
    """Work orders whose reading is known."""


type Command = EnrolCar | ChangeOwner | ReadKilometres
type Event = CarEnrolled | OwnerChanged | KilometresRead
type State = Absent | Car


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case EnrolCar(), Absent():
            return [
                CarEnrolled(
                    vin=command.vin,
                    customer_id=command.customer_id,
                    order_id=command.order_id,
                    store_id=command.store_id,
                    maintenance_from=due(command),
                )
            ]
        case EnrolCar(order_id=None, customer_id=customer_id), Car() if customer_id != state.customer_id:
            raise Rejected("already-exists", "This car is known here with another owner.")
        case EnrolCar(order_id=order_id), Car() if order_id is None or order_id == state.order_id:
            return []
        case EnrolCar(), Car():
            return [owner(state, command.customer_id, command.order_id, command.store_id, due(command))]
        case ChangeOwner(customer_id=customer_id), Car() if customer_id == state.customer_id:
            return []
        case ChangeOwner(), Car():
            return [owner(state, command.customer_id, None, command.store_id, None)]
        case ReadKilometres(work_order_id=work_order_id), Car() if work_order_id in state.visits:
            return []
        case ReadKilometres(work_order_id=work_order_id, kilometres=kilometres), Car():
            return [KilometresRead(work_order_id=work_order_id, kilometres=kilometres, backwards=kilometres < state.kilometres)]
        case _:
            raise Rejected("vehicle-unknown", "This car is not known to after-sales.")


def due(command: EnrolCar) -> datetime | None:
    return command.at + FIRST_MAINTENANCE if command.order_id else None


def owner(car: Car, customer_id: str, order_id: str | None, store_id: str, maintenance_from: datetime | None) -> OwnerChanged:
    return OwnerChanged(vin=car.vin, customer_id=customer_id, order_id=order_id, store_id=store_id, maintenance_from=maintenance_from)


def evolve(state: State, event: Event) -> State:
    """The car after an event."""
    if isinstance(event, CarEnrolled):
        return Car(vin=event.vin, customer_id=event.customer_id, order_id=event.order_id)
    assert isinstance(state, Car)
    match event:
        case OwnerChanged(customer_id=customer_id, order_id=order_id):
            return replace(state, customer_id=customer_id, order_id=order_id or state.order_id)
        case KilometresRead(work_order_id=work_order_id, kilometres=kilometres):
            return replace(state, kilometres=kilometres, visits=state.visits | {work_order_id})
        case unknown:
            assert_never(unknown)


def timers(event: Event) -> list[Timer]:
    """A delivered car gets its first maintenance proposed at once, in an appointment of its own."""
    match event:
        case (
            CarEnrolled(order_id=str(order_id), maintenance_from=datetime() as due_from)
            | OwnerChanged(order_id=str(order_id), maintenance_from=datetime() as due_from)
        ):
            appointment_id = str(derived_id("first-maintenance", order_id))
            propose = ProposeMaintenance(
                appointment_id=appointment_id,
                vin=event.vin,
                customer_id=event.customer_id,
                store_id=event.store_id,
                services=("first-maintenance",),
                not_before=due_from,
                slot=None,
                at=due_from,
            )
            return [Schedule(key=f"first-maintenance/{order_id}", command=propose, to=f"appointment-{appointment_id}")]
        case _:
            return []


car = Decider[Command, State, Event](Absent(), decide, evolve, timers=timers)
