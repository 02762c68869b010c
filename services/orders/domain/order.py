"""An order: one customer's binding purchase of one car from one store, from the desk to the keys."""

from typing import Literal, assert_never

from services.orders.domain.approval import check_down_payment, check_four_eyes, check_own, grant
from services.orders.domain.handover import car_obstacles, money_obstacles, open_items
from services.orders.domain.order_messages import (
    ApproveOrder,
    CancelOrder,
    CarArrived,
    ChangeOrder,
    CheckItem,
    ConfirmVehicle,
    ContractSigned,
    DeliverOrder,
    InvoiceRecorded,
    InvoiceReversed,
    ItemChecked,
    OrderApproved,
    OrderCancelled,
    OrderChanged,
    OrderDelivered,
    OrderPlaced,
    OrderSubmitted,
    PaymentRecorded,
    PlaceOrder,
    RecordArrival,
    RecordInvoice,
    RecordInvoiceReversal,
    RecordPayment,
    ReportVehicleMissing,
    Sale,
    SignContract,
    SubmitOrder,
    Terms,
    VehicleConfirmed,
    VehicleMissed,
)
from services.orders.domain.quote import MarkOrderCancelled, MarkOrdered
from shared.decider import Claim, Decider, Rejected, Release, Schedule, Take, Timer, message, replace
from shared.values.money import Money

type Asked = PlaceOrder | SubmitOrder | ApproveOrder | SignContract | CheckItem | DeliverOrder | ChangeOrder | CancelOrder
type Reported = ConfirmVehicle | ReportVehicleMissing | RecordPayment | RecordInvoice | RecordInvoiceReversal | RecordArrival
type Command = Asked | Reported
type Event = (
    OrderPlaced
    | OrderSubmitted
    | OrderApproved
    | VehicleConfirmed
    | VehicleMissed
    | ContractSigned
    | PaymentRecorded
    | InvoiceRecorded
    | InvoiceReversed
    | CarArrived
    | ItemChecked
    | OrderDelivered
    | OrderChanged
    | OrderCancelled
)
type Stage = Literal["placed", "submitted", "approved", "signed", "delivered", "cancelled"]


@message
class Absent: ...


@message
class Order:
    """`involved` may not approve; `vehicle` is the car reserved for it, `car` where it was last seen."""

    sale: Sale
    terms: Terms
    stage: Stage = "placed"
    involved: tuple[str, ...]
    vehicle: VehicleConfirmed | None = None
    missed: tuple[VehicleMissed, ...] = ()
    car: CarArrived | None = None
    contract: ContractSigned | None = None
    receipts: tuple[str, ...] = ()
    paid: Money
    earnest: Money
    invoice: InvoiceRecorded | None = None
    passed: tuple[str, ...] = ()


type State = Absent | Order


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case PlaceOrder(), Absent():
            return place(command)
        case _, Absent():
            raise Rejected("illegal-transition", "There is no such order.")
        case (ConfirmVehicle() | ReportVehicleMissing() | RecordArrival()) as report, Order():
            return car_reported(report, state)
        case (RecordPayment() | RecordInvoice() | RecordInvoiceReversal()) as report, Order():
            return money_reported(report, state)
        case (SubmitOrder() | SignContract() | ChangeOrder() | CancelOrder()) as wish, Order():
            check_own(wish.by, wish.manager, state.sale.seller_id)
            return sellers_wish(wish, state)
        case _, Order(stage="delivered" | "cancelled" as stage):
            raise Rejected("illegal-transition", f"This order is {stage}.")
        case ApproveOrder(), Order(stage="submitted"):
            return approve(command, state)
        case ApproveOrder(), Order(stage="approved"):
            return []
        case CheckItem(), Order(stage="signed"):
            return check(command, state)
        case DeliverOrder(), Order(stage="signed"):
            return deliver(command, state)
        case _, Order(stage=stage):
            raise Rejected("illegal-transition", f"An order that is {stage} does not allow that.")


def sellers_wish(wish: SubmitOrder | SignContract | ChangeOrder | CancelOrder, order: Order) -> list[Event]:
    """What the seller himself, or his manager, does with the order."""
    match wish, order.stage:
        case CancelOrder(), "cancelled":
            return []
        case _, ("delivered" | "cancelled") as stage:
            raise Rejected("illegal-transition", f"This order is {stage}.")
        case SubmitOrder(by=by), "placed":
            return [OrderSubmitted(by=by)]
        case SubmitOrder(), "submitted":
            return []
        case SignContract(), "approved":
            return sign(wish, order)
        case ChangeOrder(), _:
            return change(wish, order)
        case CancelOrder(), _:
            return cancel(wish, order)
        case _, stage:
            raise Rejected("illegal-transition", f"An order that is {stage} does not allow that.")


def place(command: PlaceOrder) -> list[Event]:
    """The seller writes the order down."""
    check_terms(command.terms)
    return [OrderPlaced(sale=command.sale, terms=command.terms, at=command.at)]


def check_terms(terms: Terms) -> None:
    """One currency, a price above zero, a down payment within it."""
    if len({terms.list_price.currency, terms.price.currency, terms.down_payment.currency}) > 1:
        raise Rejected("currency-mismatch", "An order is in one currency.")
    if terms.list_price.minor <= 0 or terms.price.minor <= 0:
        raise Rejected("amount-not-positive", "A car has a price.")
    if not 0 <= terms.down_payment.minor <= terms.price.minor:
        raise Rejected("down-payment-too-high", "A down payment is a part of the price.")


def approve(command: ApproveOrder, order: Order) -> list[Event]:
    """A second pair of eyes, within its authority."""
    terms = order.terms
    check_four_eyes(command.by, order.involved)
    if terms.vin is None:
        raise Rejected("no-vehicle", "Choose a car before the order is approved.")
    check_down_payment(terms.price, terms.down_payment, command.minimum_down_permille)
    granted = grant(terms.list_price, terms.price, command.roles, command.authorities)
    return [
        OrderApproved(
            by=command.by,
            vin=terms.vin,
            granted=granted,
            minimum_down_permille=command.minimum_down_permille,
            source=command.source,
        )
    ]


def car_reported(report: ConfirmVehicle | ReportVehicleMissing | RecordArrival, order: Order) -> list[Event]:
    """What fulfilment and inventory tell of the car; news of another car or of an order that is over is no news."""
    if report.vin != order.terms.vin or order.stage in ("delivered", "cancelled"):
        return []
    match report:
        case ConfirmVehicle(request_id=request_id):
            if missed_since(order, report) or (order.vehicle and order.vehicle.request_id == request_id):
                return []
            return [VehicleConfirmed(**vars(report))]
        case ReportVehicleMissing(request_id=request_id):
            car = order.vehicle
            reserved_since = car and car.request_id == request_id and (car.sequence, car.at) > (report.sequence, report.at)
            return [] if missed_since(order, report) or reserved_since else [VehicleMissed(**vars(report))]
        case RecordArrival(store_id=store_id, at=at):
            here = order.car is not None and (order.car.store_id == store_id or order.car.at >= at)
            return [] if here else [CarArrived(vin=report.vin, store_id=store_id, at=at)]
        case unknown:
            assert_never(unknown)


def missed_since(order: Order, report: ConfirmVehicle | ReportVehicleMissing) -> bool:
    """The car of this request was found missing by this answer of inventory or a later one."""
    answer = report.sequence, report.at
    return any(missed.request_id == report.request_id and (missed.sequence, missed.at) >= answer for missed in order.missed)


def money_reported(report: RecordPayment | RecordInvoice | RecordInvoiceReversal, order: Order) -> list[Event]:
    """What finance tells; money is a fact whatever became of the order."""
    match report:
        case RecordPayment(receipt_id=receipt_id, paid_total=paid_total, earnest=earnest):
            known = receipt_id in order.receipts
            return [] if known else [PaymentRecorded(receipt_id=receipt_id, paid_total=paid_total, earnest=earnest)]
        case RecordInvoice(invoice_id=invoice_id, number=number, gross=gross):
            known = order.invoice is not None and order.invoice.invoice_id == invoice_id
            return [] if known else [InvoiceRecorded(invoice_id=invoice_id, number=number, gross=gross)]
        case RecordInvoiceReversal(invoice_id=invoice_id):
            known = order.invoice is not None and order.invoice.invoice_id == invoice_id
            return [InvoiceReversed(invoice_id=invoice_id)] if known else []
        case unknown:
            assert_never(unknown)


def sign(command: SignContract, order: Order) -> list[Event]:
    """Only about a car that is secured, and with earnest money within the law's limit."""
    price = order.terms.price
    if order.vehicle is None:
        raise Rejected("vehicle-not-secured", "The contract names a car: it must be reserved first.")
    if (command.vin, command.price) != (order.vehicle.vin, price):
        raise Rejected("price-changed", "Price or car have changed since this contract was printed.")
    if command.earnest.currency != price.currency:
        raise Rejected("currency-mismatch", "The earnest money is in the currency of the price.")
    if command.earnest.minor < 0:
        raise Rejected("amount-not-positive", "Earnest money is not negative.")
    if command.earnest.minor * 1000 > price.minor * command.earnest_limit_permille:
        raise Rejected("earnest-too-high", f"Earnest money is at most {command.earnest_limit_permille / 10:g} % of the price.")
    return [
        ContractSigned(
            by=command.by,
            signer=command.signer,
            price=price,
            earnest=command.earnest,
            sha256=command.sha256,
            document=command.document,
        )
    ]


def check(command: CheckItem, order: Order) -> list[Event]:
    """One item of the delivery checklist, passed or found wanting."""
    if command.item not in order.sale.checklist:
        raise Rejected("unknown-item", f"The checklist has {', '.join(order.sale.checklist)}.")
    if (command.item in order.passed) == command.passed:
        return []
    return [ItemChecked(by=command.by, item=command.item, passed=command.passed)]


def deliver(command: DeliverOrder, order: Order) -> list[Event]:
    """The keys are handed over when nothing stands between; else everything that does is named."""
    obstacles = [
        *car_obstacles(order.sale.store_id, order.car.store_id if order.vehicle and order.car else None, command.certificate),
        *money_obstacles(order.terms.price, order.paid, order.invoice.gross if order.invoice else None),
        *open_items(order.sale.checklist, order.passed),
    ]
    if obstacles or order.vehicle is None:
        raise Rejected("illegal-transition", f"Not to be delivered yet: {'; '.join(obstacles)}.")
    return [OrderDelivered(by=command.by, vin=order.vehicle.vin, stay_id=order.vehicle.stay_id, certificate=command.certificate)]


def change(command: ChangeOrder, order: Order) -> list[Event]:
    """New terms go back to approval, and to allocation when it is another car; an invoice is reversed first."""
    check_terms(command.terms)
    if command.terms == order.terms:
        return []
    if command.terms.price.currency != order.terms.price.currency:
        raise Rejected("currency-mismatch", "An order keeps its currency.")
    if order.invoice and (command.terms.price, command.terms.vin) != (order.terms.price, order.terms.vin):
        raise Rejected("invoice-issued", "Reverse the vehicle sales invoice before price or car change.")
    return [OrderChanged(by=command.by, reason=command.reason, old=order.terms, new=command.terms)]


def cancel(command: CancelOrder, order: Order) -> list[Event]:
    """At any time before delivery; earnest money is kept only under a signed contract, and only if there is any."""
    if command.forfeit and (order.contract is None or order.earnest.minor == 0):
        raise Rejected("nothing-to-forfeit", "No earnest money was received under a signed contract.")
    return [
        OrderCancelled(
            order_id=order.sale.order_id,
            quote_id=order.sale.quote_id,
            by=command.by,
            reason=command.reason,
            forfeit=command.forfeit,
            at=command.at,
        )
    ]


def evolve(state: State, event: Event) -> State:
    match event:
        case OrderPlaced(sale=sale, terms=terms):
            nothing = Money(0, terms.price.currency)
            return Order(sale=sale, terms=terms, involved=(sale.seller_id,), paid=nothing, earnest=nothing)
        case _ if isinstance(state, Absent):
            raise TypeError("An order begins when it is placed.")
        case OrderSubmitted(by=by):
            return replace(state, stage="submitted", involved=(*state.involved, by))
        case OrderApproved():
            return replace(state, stage="approved")
        case VehicleConfirmed(vin=vin, store_id=store_id, at=at):
            seen_later = state.car is not None and state.car.at > at
            return replace(state, vehicle=event, car=state.car if seen_later else CarArrived(vin=vin, store_id=store_id, at=at))
        case VehicleMissed(request_id=request_id):
            lost = state.vehicle is not None and state.vehicle.request_id == request_id
            return replace(state, missed=(*state.missed, event), vehicle=None if lost else state.vehicle)
        case ContractSigned():
            return replace(state, stage="signed", contract=event)
        case PaymentRecorded(receipt_id=receipt_id, paid_total=paid_total, earnest=earnest):
            kept = state.earnest + earnest if paid_total.minor else earnest
            return replace(state, receipts=(*state.receipts, receipt_id), paid=paid_total, earnest=kept)
        case InvoiceRecorded():
            return replace(state, invoice=event)
        case InvoiceReversed():
            return replace(state, invoice=None)
        case CarArrived():
            return replace(state, car=event)
        case ItemChecked(item=item, passed=passed):
            others = tuple(other for other in state.passed if other != item)
            return replace(state, passed=(*others, item) if passed else others)
        case OrderDelivered():
            return replace(state, stage="delivered")
        case OrderChanged():
            return changed(state, event)
        case OrderCancelled():
            return replace(state, stage="cancelled")
        case unknown:
            assert_never(unknown)


def changed(order: Order, event: OrderChanged) -> Order:
    """What was approved and signed no longer holds; another car starts anew."""
    stage: Stage = "placed" if order.stage == "placed" else "submitted"
    order = replace(order, terms=event.new, stage=stage, contract=None, involved=(*order.involved, event.by))
    return order if event.new.vin == event.old.vin else replace(order, vehicle=None, car=None, passed=())


def claims(event: Event) -> list[Claim]:
    """A quote becomes one order, unless that order is cancelled."""
    match event:
        case OrderPlaced(sale=Sale(quote_id=str(quote_id))):
            return [Take(kind="quote", key=quote_id, problem="quote-already-ordered", reason="This quote has become an order.")]
        case OrderCancelled(quote_id=str()):
            return [Release(kind="quote")]
        case _:
            return []


def timers(event: Event) -> list[Timer]:
    """The quote is told at once."""
    match event:
        case OrderPlaced(sale=Sale(order_id=order_id, quote_id=str(quote_id)), at=at):
            return [Schedule(key="quote", command=MarkOrdered(order_id=order_id, at=at), to=f"quote-{quote_id}")]
        case OrderCancelled(order_id=order_id, quote_id=str(quote_id), at=at):
            return [Schedule(key="quote", command=MarkOrderCancelled(order_id=order_id, at=at), to=f"quote-{quote_id}")]
        case _:
            return []


order = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
