"""A transfer: one car's way from a store that has it to a store of the same legal entity that wants it."""

from datetime import datetime
from typing import Literal, assert_never

from services.inventory.domain.between import ConfirmDispatch, MarkArrived, MarkDispatched, RefuseDispatch
from shared.decider import Claim, Decider, Rejected, Release, Schedule, Take, Timer, message, replace
from shared.values.money import Money

EVERYWHERE = "*"


@message
class RequestTransfer:
    """`currency` is that of the entity's books."""

    transfer_id: str
    number: str
    stay_id: str
    vin: str
    from_store: str
    to_store: str
    from_entity: str
    to_entity: str
    currency: str
    order_id: str | None
    by: str
    at: datetime


@message
class ApproveTransfer:
    """`stores` are those the approver manages; `*` is every store."""

    by: str
    stores: frozenset[str]
    at: datetime


@message
class DispatchTransfer:
    by: str
    stores: frozenset[str]
    carrier: str
    at: datetime


@message
class ReceiveTransfer:
    """`vin` is the one read off the car that stands there; `remark` what is wrong with it, if anything."""

    by: str
    stores: frozenset[str]
    vin: str
    transport: Money
    remark: str = ""
    at: datetime


@message
class CancelTransfer:
    by: str
    reason: str
    at: datetime


@message
class TransferRequested:
    transfer_id: str
    number: str
    stay_id: str
    vin: str
    from_store: str
    to_store: str
    from_entity: str
    to_entity: str
    currency: str
    order_id: str | None
    by: str


@message
class TransferApproved:
    by: str


@message
class DispatchOrdered:
    """The stay is asked to let the car go; it confirms or refuses."""

    transfer_id: str
    stay_id: str
    from_store: str
    to_store: str
    to_entity: str
    carrier: str
    by: str
    at: datetime


@message
class TransferDispatched: ...


@message
class DiscrepancyFound:
    """Another car than the one sent, or the right one with damage."""

    kind: Literal["wrong-vin", "remark"]
    text: str
    by: str


@message
class TransferReceived:
    transfer_id: str
    stay_id: str
    carrier: str
    transport: Money
    by: str
    at: datetime


@message
class TransferCancelled:
    by: str
    reason: str


@message
class Absent: ...


type Status = Literal["requested", "approved", "dispatching", "dispatched", "discrepancy", "received", "cancelled"]


@message
class Transfer:
    status: Status
    transfer_id: str
    stay_id: str
    vin: str
    from_store: str
    to_store: str
    to_entity: str
    currency: str
    requester: str
    carrier: str = ""


type Command = RequestTransfer | ApproveTransfer | DispatchTransfer | ConfirmDispatch | RefuseDispatch | ReceiveTransfer | CancelTransfer
type Event = (
    TransferRequested | TransferApproved | DispatchOrdered | TransferDispatched | DiscrepancyFound | TransferReceived | TransferCancelled
)
type State = Absent | Transfer


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case RequestTransfer(), Absent():
            return [_request(command)]
        case ApproveTransfer(), Transfer(status="requested"):
            return _approve(command, state)
        case ApproveTransfer(), Transfer(status="approved"):
            return []
        case DispatchTransfer(), Transfer(status="approved"):
            return _dispatch(command, state)
        case DispatchTransfer(), Transfer(status="dispatching" | "dispatched"):
            return []
        case ConfirmDispatch(), Transfer(status="dispatching"):
            return [TransferDispatched()]
        case RefuseDispatch(reason=reason), Transfer(status="dispatching"):
            return [TransferCancelled(by="system", reason=reason)]
        case ConfirmDispatch() | RefuseDispatch(), Transfer():
            return []
        case ReceiveTransfer(), Transfer(status="dispatched" | "discrepancy"):
            return _receive(command, state)
        case ReceiveTransfer(), Transfer(status="received"):
            return []
        case CancelTransfer(by=by, reason=reason), Transfer(status="requested" | "approved"):
            return [TransferCancelled(by=by, reason=reason)]
        case CancelTransfer(), Transfer(status="cancelled"):
            return []
        case _:
            raise Rejected("illegal-transition", "This transfer does not allow that now.")


def _request(command: RequestTransfer) -> TransferRequested:
    if command.from_store == command.to_store:
        raise Rejected("same-store", "The car is at that store already.")
    if command.from_entity != command.to_entity:
        raise Rejected("inter-company-transfer", "Between legal entities a car is sold, not transferred.")
    return TransferRequested(
        transfer_id=command.transfer_id,
        number=command.number,
        stay_id=command.stay_id,
        vin=command.vin,
        from_store=command.from_store,
        to_store=command.to_store,
        from_entity=command.from_entity,
        to_entity=command.to_entity,
        currency=command.currency,
        order_id=command.order_id,
        by=command.by,
    )


def _approve(command: ApproveTransfer, transfer: Transfer) -> list[Event]:
    if command.by == transfer.requester:
        raise Rejected("four-eyes", "Nobody approves a transfer he asked for himself.")
    _only_staff_of(transfer.from_store, command.stores, "Only a manager of the store that gives the car may approve.")
    return [TransferApproved(by=command.by)]


def _dispatch(command: DispatchTransfer, transfer: Transfer) -> list[Event]:
    _only_staff_of(transfer.from_store, command.stores, "Only the store that gives the car may send it.")
    ordered = DispatchOrdered(
        transfer_id=transfer.transfer_id,
        stay_id=transfer.stay_id,
        from_store=transfer.from_store,
        to_store=transfer.to_store,
        to_entity=transfer.to_entity,
        carrier=command.carrier,
        by=command.by,
        at=command.at,
    )
    return [ordered]


def _receive(command: ReceiveTransfer, transfer: Transfer) -> list[Event]:
    _only_staff_of(transfer.to_store, command.stores, "Only the store that gets the car may receive it.")
    if command.transport.currency != transfer.currency:
        raise Rejected("currency-differs", "All amounts of a car are in the currency of its books.")
    if command.transport.minor < 0:
        raise Rejected("cost-invalid", "Transport does not cost less than nothing.")
    if command.vin != transfer.vin:
        return [DiscrepancyFound(kind="wrong-vin", text=command.vin, by=command.by)]
    received = TransferReceived(
        transfer_id=transfer.transfer_id,
        stay_id=transfer.stay_id,
        carrier=transfer.carrier,
        transport=command.transport,
        by=command.by,
        at=command.at,
    )
    remark = DiscrepancyFound(kind="remark", text=command.remark, by=command.by)
    return [*([remark] if command.remark else []), received]


def _only_staff_of(store_id: str, stores: frozenset[str], reason: str) -> None:
    if stores.isdisjoint({store_id, EVERYWHERE}):
        raise Rejected("not-yours", reason)


def evolve(state: State, event: Event) -> State:
    if isinstance(event, TransferRequested):
        return Transfer(
            status="requested",
            transfer_id=event.transfer_id,
            stay_id=event.stay_id,
            vin=event.vin,
            from_store=event.from_store,
            to_store=event.to_store,
            to_entity=event.to_entity,
            currency=event.currency,
            requester=event.by,
        )
    assert isinstance(state, Transfer)
    match event:
        case TransferApproved():
            return replace(state, status="approved")
        case DispatchOrdered(carrier=carrier):
            return replace(state, status="dispatching", carrier=carrier)
        case TransferDispatched():
            return replace(state, status="dispatched")
        case DiscrepancyFound():
            return replace(state, status="discrepancy")
        case TransferReceived():
            return replace(state, status="received")
        case TransferCancelled():
            return replace(state, status="cancelled")
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """A car is on one transfer at a time."""
    match event:
        case TransferRequested(stay_id=stay_id):
            reason = "This car is on another transfer."
            return [Take(kind="open-transfer", key=stay_id, problem="already-in-transfer", reason=reason)]
        case TransferReceived() | TransferCancelled():
            return [Release(kind="open-transfer")]
        case _:
            return []


def timers(event: Event) -> list[Timer]:
    """What the car's stay has to do."""
    match event:
        case DispatchOrdered():
            leave = MarkDispatched(
                transfer_id=event.transfer_id,
                from_store=event.from_store,
                to_store=event.to_store,
                to_entity=event.to_entity,
                at=event.at,
            )
            return [Schedule(key="stay", command=leave, to=f"stay-{event.stay_id}")]
        case TransferReceived():
            arrive = MarkArrived(transfer_id=event.transfer_id, carrier=event.carrier, transport=event.transport, at=event.at)
            return [Schedule(key="stay", command=arrive, to=f"stay-{event.stay_id}")]
        case _:
            return []


transfer = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
