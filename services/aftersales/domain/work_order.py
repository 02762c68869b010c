"""A work order: what is done to a car, at what price and cost, and the check without which it does not leave."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, assert_never

from services.aftersales.domain.appointment import ArriveForAppointment
from services.aftersales.domain.car import ReadKilometres
from services.aftersales.domain.slots import Service
from services.aftersales.domain.work_order_messages import (
    AddItem,
    ApproveEstimate,
    CancelWorkOrder,
    CheckQuality,
    CloseWorkOrder,
    Command,
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
from shared.decider import Claim, Decider, Rejected, Release, Schedule, Take, Timer, message, replace
from shared.values.money import Money


@message
class Absent: ...


@message
class WorkOrder:
    """`items` are the lines not declined; `checked`: the last quality check passed and no line came after it."""

    work_order_id: str
    number: str
    vin: str
    customer_id: str
    store_id: str
    currency: str
    services: tuple[Service, ...]
    kilometres: int
    items: Mapping[str, Item] = field(default_factory=dict)
    declined: frozenset[str] = frozenset()
    approved: frozenset[str] = frozenset()
    checked: bool = False
    status: Literal["open", "closed", "cancelled"] = "open"

    @property
    def estimated(self) -> frozenset[str]:
        """Lines the customer has not agreed to yet."""
        return frozenset(self.items) - self.approved


type State = Absent | WorkOrder


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case OpenWorkOrder(), Absent():
            return [opened(command)]
        case OpenWorkOrder(), WorkOrder():
            return []
        case (CloseWorkOrder(), WorkOrder(status="closed")) | (CancelWorkOrder(), WorkOrder(status="cancelled")):
            return []
        case _, WorkOrder(status="closed" | "cancelled"):
            raise Rejected("work-order-closed", f"This work order is {state.status}.")
        case AddItem(), WorkOrder():
            return add(command, state)
        case DeclineItem(), WorkOrder():
            return decline(command, state)
        case ApproveEstimate(), WorkOrder():
            return approve(command, state)
        case CheckQuality(), WorkOrder():
            return check(command, state)
        case CloseWorkOrder(), WorkOrder():
            return close(command, state)
        case CancelWorkOrder(), WorkOrder() if state.approved:
            raise Rejected("illegal-transition", "Work was agreed to: it is finished, checked and handed back.")
        case CancelWorkOrder(reason=reason, by=by), WorkOrder():
            return [WorkOrderCancelled(reason=reason, by=by)]
        case _:
            raise Rejected("illegal-transition", "There is no such work order.")


def opened(command: OpenWorkOrder) -> WorkOrderOpened:
    return WorkOrderOpened(
        work_order_id=command.work_order_id,
        number=command.number,
        vin=command.vin,
        customer_id=command.customer_id,
        store_id=command.store_id,
        currency=command.currency,
        appointment_id=command.appointment_id,
        services=command.services,
        kilometres=command.kilometres,
        concern=command.concern,
        by=command.by,
        at=command.at,
    )


def add(command: AddItem, state: WorkOrder) -> list[Event]:
    item = command.item
    if item.item_id in state.items or item.item_id in state.declined:
        return []
    if {item.price.currency, item.cost.currency} != {state.currency}:
        raise Rejected("currency-differs", "All lines are in the currency of the store's books.")
    if item.kind == "labour" and item.technician_id is None:
        raise Rejected("validation", "Labour is somebody's.")
    return [ItemAdded(item=item, by=command.by)]


def decline(command: DeclineItem, state: WorkOrder) -> list[Event]:
    if command.item_id in state.declined:
        return []
    if command.item_id not in state.items:
        raise Rejected("illegal-transition", "There is no such line.")
    if command.item_id in state.approved:
        raise Rejected("illegal-transition", "The customer has agreed to this line.")
    return [ItemDeclined(item_id=command.item_id, by=command.by)]


def approve(command: ApproveEstimate, state: WorkOrder) -> list[Event]:
    if not state.items:
        raise Rejected("illegal-transition", "There is no line to agree to.")
    if not state.estimated:
        return []
    total = sum((item.price for item in state.items.values()), Money(0, state.currency))
    return [EstimateApproved(items=tuple(sorted(state.estimated)), total=total, consent=command.consent, by=command.by)]


def check(command: CheckQuality, state: WorkOrder) -> list[Event]:
    if state.checked and command.passed:
        return []
    if not state.items:
        raise Rejected("illegal-transition", "There is no work to check.")
    if state.estimated:
        raise Rejected("estimate-not-approved", "The customer has not agreed to every line.")
    if any(item.technician_id == command.by for item in state.items.values()):
        raise Rejected("four-eyes", "Who worked on the car does not check it.")
    return [QualityChecked(passed=command.passed, note=command.note, by=command.by)]


def close(command: CloseWorkOrder, state: WorkOrder) -> list[Event]:
    if not state.checked:
        raise Rejected("quality-check-missing", "No car leaves without a quality check that it passed.")
    nothing = Money(0, state.currency)
    price = sum((item.price for item in state.items.values()), nothing)
    cost = sum((item.cost for item in state.items.values()), nothing)
    return [WorkOrderClosed(price=price, cost=cost, by=command.by)]


def evolve(state: State, event: Event) -> State:
    """The work order after an event."""
    if isinstance(event, WorkOrderOpened):
        return WorkOrder(
            work_order_id=event.work_order_id,
            number=event.number,
            vin=event.vin,
            customer_id=event.customer_id,
            store_id=event.store_id,
            currency=event.currency,
            services=event.services,
            kilometres=event.kilometres,
        )
    assert isinstance(state, WorkOrder)
    match event:
        case ItemAdded(item=item):
            return replace(state, items={**state.items, item.item_id: item}, checked=False)
        case ItemDeclined(item_id=item_id):
            left = {id: item for id, item in state.items.items() if id != item_id}
            return replace(state, items=left, declined=state.declined | {item_id})
        case EstimateApproved(items=items):
            return replace(state, approved=state.approved | set(items))
        case QualityChecked(passed=passed):
            return replace(state, checked=passed)
        case WorkOrderClosed():
            return replace(state, status="closed")
        case WorkOrderCancelled():
            return replace(state, status="cancelled")
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """A car is in one workshop at a time, and an appointment becomes one work order."""
    match event:
        case WorkOrderOpened(vin=vin, appointment_id=appointment_id):
            held: list[Claim] = [Take(kind="car-at-work", key=vin, problem="already-exists", reason="This car has an open work order.")]
            if appointment_id is not None:
                reason = "This appointment has its work order."
                held.append(Take(kind="appointment-work", key=appointment_id, problem="already-exists", reason=reason))
            return held
        case WorkOrderClosed():
            return [Release(kind="car-at-work")]
        case WorkOrderCancelled():
            return [Release(kind="car-at-work"), Release(kind="appointment-work")]
        case _:
            return []


def timers(event: Event) -> list[Timer]:
    """The car learns its kilometres and the appointment that the car is there, both at once."""
    match event:
        case WorkOrderOpened(work_order_id=work_order_id, vin=vin, kilometres=kilometres, appointment_id=appointment_id, by=by, at=at):
            read = ReadKilometres(work_order_id=work_order_id, kilometres=kilometres, at=at)
            told: list[Timer] = [Schedule(key="kilometres", command=read, to=f"car-{vin}")]
            if appointment_id is not None:
                arrive = ArriveForAppointment(by=by, at=at)
                told.append(Schedule(key="arrival", command=arrive, to=f"appointment-{appointment_id}"))
            return told
        case _:
            return []


work_order = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
