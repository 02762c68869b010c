"""Fulfilment: an approved order gets its car, an order that is over gives it back, whatever comes first, late or twice."""

from datetime import datetime
from functools import reduce
from typing import Literal, assert_never

from services.orders.domain.order_messages import ConfirmVehicle, ReportVehicleMissing
from shared.decider import Decider, Rejected, Schedule, Timer, message, replace
from shared.values.ids import derived_id

type Phase = Literal["unheard", "approved", "changed", "delivered", "cancelled"]
type Releasing = Literal["asked", "held"] | None


# --- inputs: what the order and inventory tell -------------------------------------------------------------------


@message
class HearOrder:
    """What became of the order; the highest sequence is the newest, whenever it arrives. An approval names the seller."""

    order_id: str
    store_id: str
    seller_id: str = ""
    phase: Phase
    vin: str | None
    sequence: int
    at: datetime


@message
class HearReserved:
    """Heard again for the same request when the hold gets longer."""

    order_id: str
    request_id: str
    vin: str
    stay_id: str
    store_id: str
    certificate: str
    until: datetime
    sequence: int = 0
    """Of the answer in its stream: the order of a request's answers, which their times need not keep; here and below."""
    at: datetime


@message
class HearRefused:
    order_id: str
    request_id: str
    vin: str
    problem: str
    reason: str
    sequence: int = 0
    at: datetime


@message
class HearReleased:
    order_id: str
    request_id: str
    vin: str
    reason: str
    sequence: int = 0
    at: datetime


@message
class AskAgain:
    """A person wants the car of an approved order after it was refused or its reservation ended."""

    at: datetime


# --- events: what was heard, what was asked, what the order was told ---------------------------------------------


@message
class OrderHeard:
    order_id: str
    store_id: str
    seller_id: str
    phase: Phase
    vin: str | None
    sequence: int


@message
class VehicleHeld:
    request_id: str
    vin: str
    stay_id: str
    store_id: str
    certificate: str
    until: datetime
    sequence: int = 0
    at: datetime


@message
class VehicleDenied:
    """Refused, or no longer reserved; it may be reserved again later."""

    request_id: str
    vin: str
    problem: str
    reason: str
    sequence: int = 0
    at: datetime


@message
class VehicleRequested:
    request_id: str
    order_id: str
    vin: str
    store_id: str
    seller_id: str
    attempt: int


@message
class VehicleReleaseRequested:
    request_id: str
    order_id: str
    vin: str
    reason: str


@message
class VehicleSecured:
    order_id: str
    vehicle: VehicleHeld
    sequence: int


@message
class VehicleLost:
    order_id: str
    denied: VehicleDenied


# --- state -------------------------------------------------------------------------------------------------------


@message
class Request:
    """`releasing` says what it was when its release was asked for; `told` up to which sequence the order knows that it is held."""

    request_id: str
    vin: str
    held: VehicleHeld | None = None
    denied: VehicleDenied | None = None
    releasing: Releasing = None
    told: int = 0
    missed: bool = False

    @property
    def alive(self) -> bool:
        """Asked for or held, and not on its way back."""
        return self.denied is None and self.releasing is None

    @property
    def answered(self) -> tuple[int, datetime] | None:
        """Where inventory's latest answer stands among its answers; an earlier one is overtaken."""
        answer = self.denied or self.held
        return (answer.sequence, answer.at) if answer else None


@message
class Fulfilment:
    """`sought`: a car was sought, or already held, for what the order said last."""

    order_id: str = ""
    store_id: str = ""
    seller_id: str = ""
    phase: Phase = "unheard"
    vin: str | None = None
    sequence: int = 0
    sought: bool = False
    attempt: int = 0
    requests: tuple[Request, ...] = ()

    def request(self, request_id: str) -> Request | None:
        """What is known of a request."""
        return next((request for request in self.requests if request.request_id == request_id), None)

    def current(self) -> Request | None:
        """The living request for the car the order is about, a held one first."""
        mine = [request for request in self.requests if request.vin == self.vin and request.alive]
        return max(mine, key=lambda request: request.held is not None, default=None)


type Input = HearOrder | HearReserved | HearRefused | HearReleased | AskAgain
type Event = OrderHeard | VehicleHeld | VehicleDenied | VehicleRequested | VehicleReleaseRequested | VehicleSecured | VehicleLost


def decide(command: Input, state: Fulfilment) -> list[Event]:
    events = news(command, state)
    if not events:
        return []
    return [*events, *consequences(reduce(evolve, events, state))]


def news(command: Input, state: Fulfilment) -> list[Event]:
    """What the input adds to what is known; repeated and overtaken news is none."""
    match command:
        case HearOrder(sequence=sequence) if sequence <= state.sequence:
            return []
        case HearOrder(order_id=order_id, store_id=store_id, seller_id=seller, phase=phase, vin=vin, sequence=sequence):
            return [OrderHeard(order_id=order_id, store_id=store_id, seller_id=seller, phase=phase, vin=vin, sequence=sequence)]
        case AskAgain():
            return ask_again(state)
    request = known(state, command.request_id, command.vin)
    if request.answered and (*request.answered, request.denied is not None) >= (
        command.sequence,
        command.at,
        not isinstance(command, HearReserved),
    ):
        return []
    match command:
        case HearReserved():
            return [reserved(command)]
        case HearRefused(problem=problem):
            return [denied(command, problem)]
        case HearReleased():
            return [denied(command, "reservation-ended")]
        case unknown:
            assert_never(unknown)


def reserved(news: HearReserved) -> VehicleHeld:
    """The car is held, until then at least."""
    return VehicleHeld(
        request_id=news.request_id,
        vin=news.vin,
        stay_id=news.stay_id,
        store_id=news.store_id,
        certificate=news.certificate,
        until=news.until,
        sequence=news.sequence,
        at=news.at,
    )


def denied(news: HearRefused | HearReleased, problem: str) -> VehicleDenied:
    """The car is not held, or no longer."""
    return VehicleDenied(request_id=news.request_id, vin=news.vin, problem=problem, reason=news.reason, sequence=news.sequence, at=news.at)


def ask_again(state: Fulfilment) -> list[Event]:
    """Once more for the car of an approved order."""
    if state.phase != "approved":
        raise Rejected("illegal-transition", "Only an approved order asks for its car.")
    return [] if state.current() else ask(state, state.attempt + 1)


def consequences(state: Fulfilment) -> list[Event]:
    """What has to be asked of inventory and told to the order now."""
    if state.phase == "unheard":
        return []
    events: list[Event] = [
        VehicleReleaseRequested(request_id=request.request_id, order_id=state.order_id, vin=request.vin, reason=f"order {state.phase}")
        for request in state.requests
        if to_be_released(request, state)
    ]
    events += [
        VehicleLost(order_id=state.order_id, denied=request.denied)
        for request in state.requests
        if request.denied and request.vin == state.vin and not request.releasing and not request.missed and not is_over(state)
    ]
    if state.phase == "approved":
        current = state.current()
        if current is None and not state.sought:
            events += ask(state, 0)
        elif current and current.held and current.told < state.sequence:
            events.append(VehicleSecured(order_id=state.order_id, vehicle=current.held, sequence=state.sequence))
    return events


def to_be_released(request: Request, state: Fulfilment) -> bool:
    """Nobody wants it any more; a car that is reserved after its release was asked for is asked back once more."""
    if request.denied:
        return False
    if request.releasing:
        return request.releasing == "asked" and request.held is not None
    return request.vin != state.vin or state.phase == "cancelled"


def is_over(state: Fulfilment) -> bool:
    """The order is delivered or cancelled."""
    return state.phase in ("delivered", "cancelled")


def ask(state: Fulfilment, attempt: int) -> list[Event]:
    """Asks inventory for the car, unless the answer is known already. The request's id follows from what the order said."""
    request_id = str(derived_id("vehicle-request", state.order_id, str(state.sequence), str(attempt)))
    if state.vin is None or state.request(request_id):
        return []
    asked = VehicleRequested(
        request_id=request_id,
        order_id=state.order_id,
        vin=state.vin,
        store_id=state.store_id,
        seller_id=state.seller_id,
        attempt=attempt,
    )
    return [asked]


def evolve(state: Fulfilment, event: Event) -> Fulfilment:
    match event:
        case OrderHeard(order_id=order_id, store_id=store_id, seller_id=seller, phase=phase, vin=vin, sequence=sequence):
            heard = replace(
                state, order_id=order_id, store_id=store_id, seller_id=seller, phase=phase, vin=vin, sequence=sequence, attempt=0
            )
            return replace(heard, sought=phase == "approved" and heard.current() is not None)
        case VehicleRequested(request_id=request_id, vin=vin, attempt=attempt):
            asked = Request(request_id=request_id, vin=vin)
            return replace(state, requests=(*state.requests, asked), sought=True, attempt=attempt)
        case VehicleHeld(request_id=request_id, vin=vin):
            return with_request(state, held(known(state, request_id, vin), event))
        case VehicleDenied(request_id=request_id, vin=vin):
            return with_request(state, replace(known(state, request_id, vin), denied=event))
        case VehicleReleaseRequested(request_id=request_id, vin=vin):
            asked_back = known(state, request_id, vin)
            return with_request(state, replace(asked_back, releasing="held" if asked_back.held else "asked"))
        case VehicleSecured(vehicle=vehicle, sequence=sequence):
            return with_request(state, replace(known(state, vehicle.request_id, vehicle.vin), told=sequence))
        case VehicleLost(denied=denied):
            return with_request(state, replace(known(state, denied.request_id, denied.vin), missed=True))
        case unknown:
            assert_never(unknown)


def held(request: Request, event: VehicleHeld) -> Request:
    """A request that has its car now, or keeps it for longer."""
    if request.held and not request.denied:
        return replace(request, held=event)
    return replace(request, held=event, denied=None, releasing="asked" if request.releasing else None, told=0, missed=False)


def known(state: Fulfilment, request_id: str, vin: str) -> Request:
    """The request, also when its answer is heard first."""
    return state.request(request_id) or Request(request_id=request_id, vin=vin)


def with_request(state: Fulfilment, changed: Request) -> Fulfilment:
    """The state with this request as it is now."""
    others = tuple(request for request in state.requests if request.request_id != changed.request_id)
    return replace(state, requests=(*others, changed))


def timers(event: Event) -> list[Timer]:
    """The order is told at once."""
    match event:
        case VehicleSecured(order_id=order_id, vehicle=car, sequence=sequence):
            confirm = ConfirmVehicle(
                request_id=car.request_id,
                vin=car.vin,
                stay_id=car.stay_id,
                store_id=car.store_id,
                certificate=car.certificate,
                sequence=car.sequence,
                at=car.at,
            )
            return [Schedule(key=f"{car.request_id}/{sequence}", command=confirm, to=f"order-{order_id}")]
        case VehicleLost(order_id=order_id, denied=denied):
            missing = ReportVehicleMissing(
                request_id=denied.request_id,
                vin=denied.vin,
                problem=denied.problem,
                reason=denied.reason,
                sequence=denied.sequence,
                at=denied.at,
            )
            return [Schedule(key=f"{denied.request_id}/lost", command=missing, to=f"order-{order_id}")]
        case _:
            return []


fulfilment = Decider[Input, Fulfilment, Event](Fulfilment(), decide, evolve, timers=timers)
