"""A quote: what a car as configured would cost this customer, revision by revision, until it is ordered or expires."""

from datetime import datetime
from typing import Annotated, assert_never

from services.orders.domain.approval import check_own
from services.orders.domain.tax import PurchaseTax, TaxDue, purchase_tax
from shared.decider import Decider, Rejected, Schedule, Timer, Unschedule, message, replace
from shared.values.money import Money
from shared.values.personal import Personal

KINDS = ("accessory", "insurance", "plates", "service")
"""What may be sold or collected beside the car."""


@message
class Item:
    """An option of the car, a thing beside it, or the car taken in trade."""

    kind: str
    text: str
    amount: Money


@message
class FinancePlan:
    """The lender's figures as given: what is paid down and what is lent make up the total."""

    product: str
    down_payment: Money
    loan: Money
    months: int
    instalment: Money


@message
class Offer:
    """What is offered. `discount` is taken off the car with its options."""

    trim_id: str
    vin: str | None = None
    list_price: Money
    options: tuple[Item, ...] = ()
    discount: Money
    beside: tuple[Item, ...] = ()
    trade_in: Item | None = None
    plan: FinancePlan | None = None


@message
class Reckoning:
    """What it comes to: `car` is the invoice price, `total` what the customer pays all in all, after his car is taken in trade."""

    car: Money
    tax: TaxDue | None
    beside: Money
    trade_in: Money
    total: Money


@message
class IssueQuote:
    quote_id: str
    number: str
    store_id: str
    customer_id: str
    opportunity_id: str | None
    seller_id: str
    offer: Offer
    vat_permille: int
    tax: PurchaseTax | None
    expires_at: datetime
    at: datetime


@message
class ReviseQuote:
    """`manager`: who asks may revise the quotes of others too."""

    by: str
    manager: bool = False
    offer: Offer
    vat_permille: int
    tax: PurchaseTax | None
    expires_at: datetime
    at: datetime


@message
class RecordFeedback:
    """`manager` as in ReviseQuote."""

    by: str
    manager: bool = False
    liked: bool
    text: str
    at: datetime


@message
class ExpireQuote:
    revision: int
    at: datetime


@message
class MarkOrdered:
    """By the order that has the quote now: an earlier one is cancelled, whether the quote has heard of that or not."""

    order_id: str
    at: datetime


@message
class MarkOrderCancelled:
    """The order made from this quote came to nothing: another may be made while the quote stands."""

    order_id: str
    at: datetime


@message
class QuoteIssued:
    quote_id: str
    number: str
    store_id: str
    customer_id: str
    opportunity_id: str | None
    seller_id: str
    offer: Offer
    reckoning: Reckoning
    expires_at: datetime


@message
class QuoteRevised:
    revision: int
    by: str
    offer: Offer
    reckoning: Reckoning
    expires_at: datetime


@message
class FeedbackRecorded:
    """What the customer said to a revision."""

    revision: int
    by: str
    liked: bool
    text: Annotated[str, Personal]


@message
class QuoteExpired:
    revision: int


@message
class QuoteOrdered:
    order_id: str


@message
class QuoteReopened:
    order_id: str


@message
class Absent: ...


@message
class Quote:
    issued: QuoteIssued
    revision: int
    offer: Offer
    reckoning: Reckoning
    expires_at: datetime
    expired: bool = False
    order_id: str | None = None


type Command = IssueQuote | ReviseQuote | RecordFeedback | ExpireQuote | MarkOrdered | MarkOrderCancelled
type Event = QuoteIssued | QuoteRevised | FeedbackRecorded | QuoteExpired | QuoteOrdered | QuoteReopened
type State = Absent | Quote


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case IssueQuote(), Absent():
            return issue(command)
        case (ReviseQuote() | RecordFeedback()) as wish, Quote():
            check_own(wish.by, wish.manager, state.issued.seller_id)
            return sellers_wish(wish, state)
        case ExpireQuote(revision=revision), Quote(revision=current, expired=False, order_id=None) if revision == current:
            return [QuoteExpired(revision=revision)]
        case ExpireQuote(), _:
            return []
        case MarkOrdered(order_id=order_id), Quote(order_id=ordered):
            return [] if order_id == ordered else [QuoteOrdered(order_id=order_id)]
        case MarkOrderCancelled(order_id=order_id), Quote(order_id=ordered):
            return [QuoteReopened(order_id=order_id)] if order_id == ordered else []
        case _:
            raise Rejected("illegal-transition", "This quote does not allow that now.")


def sellers_wish(wish: ReviseQuote | RecordFeedback, quote: Quote) -> list[Event]:
    """What the seller himself, or his manager, does with the quote."""
    match wish:
        case RecordFeedback(by=by, liked=liked, text=text):
            return [FeedbackRecorded(revision=quote.revision, by=by, liked=liked, text=text)]
        case ReviseQuote() if quote.order_id is None:
            return revise(wish, quote)
        case _:
            raise Rejected("illegal-transition", "This quote has become an order; change the order instead.")


def issue(command: IssueQuote) -> list[Event]:
    """The first revision."""
    return [
        QuoteIssued(
            quote_id=command.quote_id,
            number=command.number,
            store_id=command.store_id,
            customer_id=command.customer_id,
            opportunity_id=command.opportunity_id,
            seller_id=command.seller_id,
            offer=command.offer,
            reckoning=reckon(command.offer, command.vat_permille, command.tax),
            expires_at=command.expires_at,
        )
    ]


def revise(command: ReviseQuote, quote: Quote) -> list[Event]:
    """A further revision; it also brings an expired quote back."""
    if command.offer == quote.offer and not quote.expired:
        return []
    return [
        QuoteRevised(
            revision=quote.revision + 1,
            by=command.by,
            offer=command.offer,
            reckoning=reckon(command.offer, command.vat_permille, command.tax),
            expires_at=command.expires_at,
        )
    ]


def reckon(offer: Offer, vat_permille: int, tax: PurchaseTax | None) -> Reckoning:
    """Adds an offer up, to the cent. Rejected when its amounts make no sense."""
    check_amounts(offer)
    nothing = Money(0, offer.list_price.currency)
    car = sum((option.amount for option in offer.options), offer.list_price) - offer.discount
    if car <= nothing:
        raise Rejected("price-not-positive", "The discount is as high as the price of the car.")
    due = purchase_tax(car, vat_permille, tax) if tax else None
    beside = sum((item.amount for item in offer.beside), nothing)
    trade_in = offer.trade_in.amount if offer.trade_in else nothing
    total = car + (due.due if due else nothing) + beside - trade_in
    if total < nothing:
        raise Rejected("trade-in-too-high", "The car taken in trade is worth more than all that is bought.")
    if offer.plan and offer.plan.down_payment + offer.plan.loan != total:
        raise Rejected("finance-plan-mismatch", "Down payment and loan do not add up to the total.")
    return Reckoning(car=car, tax=due, beside=beside, trade_in=trade_in, total=total)


def check_amounts(offer: Offer) -> None:
    """One currency, nothing negative, nothing free but the discount, only known kinds."""
    items = (*offer.options, *offer.beside, *([offer.trade_in] if offer.trade_in else []))
    plan = (offer.plan.down_payment, offer.plan.loan, offer.plan.instalment) if offer.plan else ()
    amounts = (offer.list_price, offer.discount, *(item.amount for item in items), *plan)
    if len({amount.currency for amount in amounts}) > 1:
        raise Rejected("currency-mismatch", "A quote is in one currency.")
    if offer.list_price.minor <= 0 or any(item.amount.minor <= 0 for item in items) or any(amount.minor < 0 for amount in amounts):
        raise Rejected("amount-not-positive", "Amounts of a quote are above zero.")
    if offer.plan and offer.plan.months < 1:
        raise Rejected("finance-plan-mismatch", "A loan runs for one month at least.")
    if any(item.kind not in KINDS for item in offer.beside):
        raise Rejected("unknown-kind", f"Beside a car go {', '.join(KINDS)}.")


def evolve(state: State, event: Event) -> State:
    match event:
        case QuoteIssued(offer=offer, reckoning=reckoning, expires_at=expires_at):
            return Quote(issued=event, revision=1, offer=offer, reckoning=reckoning, expires_at=expires_at)
        case _ if isinstance(state, Absent):
            raise TypeError("A quote begins when it is issued.")
        case QuoteRevised(revision=revision, offer=offer, reckoning=reckoning, expires_at=expires_at):
            return replace(state, revision=revision, offer=offer, reckoning=reckoning, expires_at=expires_at, expired=False)
        case FeedbackRecorded():
            return state
        case QuoteExpired():
            return replace(state, expired=True)
        case QuoteOrdered(order_id=order_id):
            return replace(state, order_id=order_id)
        case QuoteReopened():
            return replace(state, order_id=None)
        case unknown:
            assert_never(unknown)


def timers(event: Event) -> list[Timer]:
    """A revision that is not ordered in time expires."""
    match event:
        case QuoteIssued(expires_at=expires_at):
            return [Schedule(key="expiry", command=ExpireQuote(revision=1, at=expires_at), at=expires_at)]
        case QuoteRevised(revision=revision, expires_at=expires_at):
            return [Schedule(key="expiry", command=ExpireQuote(revision=revision, at=expires_at), at=expires_at)]
        case QuoteOrdered():
            return [Unschedule(key="expiry")]
        case _:
            return []


quote = Decider[Command, State, Event](Absent(), decide, evolve, timers=timers)
