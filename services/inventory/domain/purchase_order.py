"""A purchase order: what a store ordered from a maker or supplier, what came against it, and what did not fit."""

from collections import Counter
from datetime import datetime
from typing import Literal, assert_never

from services.inventory.domain.between import NoteReceipt
from shared.decider import Decider, Rejected, message, replace
from shared.values.money import Money


@message
class Line:
    """`unit_price` is net of VAT."""

    trim_id: str
    quantity: int
    unit_price: Money


@message
class PlacePurchaseOrder:
    purchase_order_id: str
    number: str
    supplier: str
    store_id: str
    entity_id: str
    lines: tuple[Line, ...]
    at: datetime


@message
class ClosePurchaseOrder:
    """Nothing more will come."""

    by: str
    at: datetime


@message
class PurchaseOrdered:
    purchase_order_id: str
    number: str
    supplier: str
    store_id: str
    entity_id: str
    lines: tuple[Line, ...]
    total: Money


@message
class ReceiptNoted:
    """`outstanding` cars of the whole order are still to come."""

    stay_id: str
    vin: str
    trim_id: str
    outstanding: int


@message
class DiscrepancyNoted:
    """A car that was not ordered, one too many, or at another price than agreed."""

    stay_id: str
    vin: str
    trim_id: str
    kind: Literal["not-ordered", "over-delivered", "price-differs"]
    agreed: Money | None
    charged: Money


@message
class PurchaseOrderCompleted: ...


@message
class PurchaseOrderClosed:
    """Closed short: `missing` cars never came."""

    by: str
    missing: int


@message
class Absent: ...


@message
class Ordered:
    lines: tuple[Line, ...]
    came: tuple[tuple[str, str], ...] = ()
    """Stay and trim of each car that came."""
    closed: bool = False

    def outstanding(self, trim_id: str) -> int:
        """How many cars of a trim are still to come; below zero when more came than were ordered."""
        return sum(line.quantity for line in self.lines if line.trim_id == trim_id) - Counter(trim for _, trim in self.came)[trim_id]

    def missing(self) -> int:
        """How many cars of the order are still to come."""
        return sum(max(self.outstanding(trim_id), 0) for trim_id in {line.trim_id for line in self.lines})


type Command = PlacePurchaseOrder | NoteReceipt | ClosePurchaseOrder
type Event = PurchaseOrdered | ReceiptNoted | DiscrepancyNoted | PurchaseOrderCompleted | PurchaseOrderClosed
type State = Absent | Ordered


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case PlacePurchaseOrder(), Absent():
            return [_place(command)]
        case NoteReceipt(), Ordered():
            return _receive(command, state)
        case ClosePurchaseOrder(), Ordered(closed=True):
            return []
        case ClosePurchaseOrder(by=by), Ordered():
            return [PurchaseOrderClosed(by=by, missing=state.missing())]
        case _:
            raise Rejected("illegal-transition", "This purchase order does not allow that now.")


def _place(command: PlacePurchaseOrder) -> PurchaseOrdered:
    if not command.lines or any(line.quantity <= 0 or line.unit_price.minor <= 0 for line in command.lines):
        raise Rejected("lines-invalid", "A purchase order has lines, each with a quantity and a price above zero.")
    currencies = {line.unit_price.currency for line in command.lines}
    if len(currencies) > 1:
        raise Rejected("currency-differs", "All prices of a purchase order are in one currency.")
    return PurchaseOrdered(
        purchase_order_id=command.purchase_order_id,
        number=command.number,
        supplier=command.supplier,
        store_id=command.store_id,
        entity_id=command.entity_id,
        lines=command.lines,
        total=Money(sum(line.quantity * line.unit_price.minor for line in command.lines), currencies.pop()),
    )


def _receive(command: NoteReceipt, order: Ordered) -> list[Event]:
    """The car is here whatever the papers say: what does not fit is noted, never refused."""
    if command.stay_id in (stay_id for stay_id, _ in order.came):
        return []
    after = replace(order, came=(*order.came, (command.stay_id, command.trim_id)))
    noted = ReceiptNoted(stay_id=command.stay_id, vin=command.vin, trim_id=command.trim_id, outstanding=after.missing())
    agreed = [line.unit_price for line in order.lines if line.trim_id == command.trim_id]
    kind: Literal["not-ordered", "over-delivered", "price-differs"] | None = None
    if not agreed:
        kind = "not-ordered"
    elif after.outstanding(command.trim_id) < 0:
        kind = "over-delivered"
    elif command.purchase not in agreed:
        kind = "price-differs"
    discrepancies: list[Event] = []
    if kind:
        discrepancy = DiscrepancyNoted(
            stay_id=command.stay_id,
            vin=command.vin,
            trim_id=command.trim_id,
            kind=kind,
            agreed=agreed[0] if agreed else None,
            charged=command.purchase,
        )
        discrepancies = [discrepancy]
    completed = order.missing() > 0 and after.missing() == 0 and not order.closed
    return [noted, *discrepancies, *([PurchaseOrderCompleted()] if completed else [])]


def evolve(state: State, event: Event) -> State:
    match event:
        case PurchaseOrdered(lines=lines):
            return Ordered(lines=lines)
        case ReceiptNoted(stay_id=stay_id, trim_id=trim_id):
            assert isinstance(state, Ordered)
            return replace(state, came=(*state.came, (stay_id, trim_id)))
        case PurchaseOrderCompleted() | PurchaseOrderClosed():
            assert isinstance(state, Ordered)
            return replace(state, closed=True)
        case DiscrepancyNoted():
            return state
        case unknown:
            assert_never(unknown)


purchase_order = Decider[Command, State, Event](Absent(), decide, evolve)
