"""What a supplier is owed for one thing, paid once by a voucher that two people sign."""

from datetime import date, datetime
from typing import Literal

from services.finance.domain import chart
from services.finance.domain.entry import Entry, Line, balanced, posted_in
from shared.decider import Claim, Decider, Rejected, message, replace
from shared.values.money import Money


@message
class OpenPayable:
    """`amount` is gross; negative is a supplier's credit. `expense` is the account to charge where no other stream books the debt."""

    payable_id: str
    supplier: str
    entity_id: str
    store_id: str
    amount: Money
    source: str
    reference: str
    expense: str | None
    on: date
    at: datetime


@message
class RequestPayment:
    payment_id: str
    number: str
    by: str
    at: datetime


@message
class ApprovePayment:
    payment_id: str
    by: str
    on: date
    at: datetime


@message
class DeclinePayment:
    payment_id: str
    by: str
    at: datetime


@message
class PayableOpened:
    payable_id: str
    supplier: str
    entity_id: str
    store_id: str
    amount: Money
    source: str
    reference: str
    entry: Entry | None


@message
class PaymentRequested:
    payment_id: str
    number: str
    by: str


@message
class PaymentDeclined:
    payment_id: str
    by: str


@message
class PaymentMade:
    payment_id: str
    number: str
    supplier: str
    amount: Money
    by: str
    entry: Entry | None


@message
class Absent: ...


@message
class Payable:
    """`asked_by`, `payment_id` and `number` are of the voucher that waits or was paid."""

    payable_id: str
    supplier: str
    entity_id: str
    store_id: str
    amount: Money
    status: Literal["open", "requested", "paid"] = "open"
    payment_id: str = ""
    number: str = ""
    asked_by: str = ""
    entries: int = 0


type Command = OpenPayable | RequestPayment | ApprovePayment | DeclinePayment
type Event = PayableOpened | PaymentRequested | PaymentDeclined | PaymentMade
type State = Absent | Payable


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case OpenPayable(), Absent():
            return [opened(command)]
        case OpenPayable(), Payable():
            return []
        case RequestPayment(), Payable(status="open"):
            return [PaymentRequested(payment_id=command.payment_id, number=command.number, by=command.by)]
        case RequestPayment(payment_id=payment_id), Payable() if payment_id == state.payment_id:
            return []
        case RequestPayment(), Payable():
            raise Rejected("already-paid", "A payable is paid once, and its payment is asked for.")
        case ApprovePayment() | DeclinePayment(), Payable() if command.payment_id != state.payment_id:
            raise Rejected("illegal-transition", "This payment is not asked for.")
        case ApprovePayment(by=by), Payable(status="requested") if by == state.asked_by:
            raise Rejected("four-eyes", "Who asks for a payment may not approve it.")
        case ApprovePayment(), Payable(status="requested"):
            return [paid(command, state)]
        case ApprovePayment(), Payable(status="paid"):
            return []
        case DeclinePayment(), Payable(status="requested"):
            return [PaymentDeclined(payment_id=state.payment_id, by=command.by)]
        case _:
            raise Rejected("illegal-transition", "This payable does not allow that now.")


def opened(command: OpenPayable) -> PayableOpened:
    amount, entry = command.amount, None
    if amount.minor == 0:
        raise Rejected("amount-not-positive", "Nothing is owed.")
    if command.expense is not None:
        entry = balanced(
            f"payable-{command.payable_id}.1",
            (Line(account=command.expense, amount=amount.minor), Line(account=chart.PAYABLES, amount=-amount.minor)),
            entity_id=command.entity_id,
            store_id=command.store_id,
            currency=amount.currency,
            on=command.on,
            text=f"{command.source} {command.reference}",
        )
    return PayableOpened(
        payable_id=command.payable_id,
        supplier=command.supplier,
        entity_id=command.entity_id,
        store_id=command.store_id,
        amount=amount,
        source=command.source,
        reference=command.reference,
        entry=entry,
    )


def paid(command: ApprovePayment, payable: Payable) -> PaymentMade:
    amount = payable.amount.minor
    entry = balanced(
        f"payable-{payable.payable_id}.{payable.entries + 1}",
        (Line(account=chart.PAYABLES, amount=amount), Line(account=chart.BANK, amount=-amount)),
        entity_id=payable.entity_id,
        store_id=payable.store_id,
        currency=payable.amount.currency,
        on=command.on,
        text=f"Payment {payable.number}",
    )
    return PaymentMade(
        payment_id=payable.payment_id,
        number=payable.number,
        supplier=payable.supplier,
        amount=payable.amount,
        by=command.by,
        entry=entry,
    )


def evolve(state: State, event: Event) -> State:
    """The payable after an event."""
    match event, state:
        case PayableOpened(entry=entry), _:
            return Payable(
                payable_id=event.payable_id,
                supplier=event.supplier,
                entity_id=event.entity_id,
                store_id=event.store_id,
                amount=event.amount,
                entries=int(entry is not None),
            )
        case PaymentRequested(payment_id=payment_id, number=number, by=by), Payable():
            return replace(state, status="requested", payment_id=payment_id, number=number, asked_by=by)
        case PaymentDeclined(), Payable():
            return replace(state, status="open", payment_id="", number="", asked_by="")
        case PaymentMade(), Payable():
            return replace(state, status="paid", entries=state.entries + 1)
        case _:
            raise AssertionError(f"{type(event).__name__} needs an open payable")


def claims(event: Event) -> list[Claim]:
    """A place in the period of each entry."""
    return posted_in(getattr(event, "entry", None))


payable = Decider[Command, State, Event](Absent(), decide, evolve, claims)
