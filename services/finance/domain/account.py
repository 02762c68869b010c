"""An order's money: what the customer pays, is invoiced and gets back, until the sale is recognised or undone."""

from collections.abc import Mapping
from datetime import date
from typing import Any, assert_never

from services.finance.domain import chart
from services.finance.domain.account_messages import (
    AccountCancelled,
    AccountOpened,
    ApproveRefund,
    CancelAccount,
    ChangePrice,
    Command,
    ContractRecorded,
    DeclineRefund,
    Event,
    InvoiceIssued,
    InvoiceReversed,
    IssueInvoice,
    OpenAccount,
    PriceChanged,
    ReceiptTaken,
    RecogniseSale,
    RecordContract,
    RefundDeclined,
    RefundPaid,
    RefundRequested,
    RequestRefund,
    ReverseInvoice,
    SaleRecognised,
    TakeReceipt,
)
from services.finance.domain.car_messages import SellCar
from services.finance.domain.entry import Entry, Line, balanced, posted_in
from services.finance.domain.rates import earnest_limit, vat_within
from services.finance.domain.standing import Account, AskedRefund, Invoice, books, refundable
from shared.decider import Claim, Decider, Rejected, Release, Schedule, Take, Timer, message, replace
from shared.values.money import Money


@message
class Absent: ...


type State = Absent | Account


def decide(command: Command, state: State) -> list[Event]:
    """What becomes of a command; [] when it is already so."""
    match command, state:
        case OpenAccount(), Absent():
            return [opened(command)]
        case OpenAccount(), _:
            return []
        case _, Absent():
            raise Rejected("unknown-order", "Finance does not know this order.")
        case RecordContract(), Account():
            return record_contract(command, state)
        case ChangePrice(), Account():
            return change_price(command, state)
        case TakeReceipt(), Account():
            return take_receipt(command, state)
        case RequestRefund(), Account():
            return request_refund(command, state)
        case ApproveRefund(), Account():
            return approve_refund(command, state)
        case DeclineRefund(), Account():
            return decline_refund(command, state)
        case IssueInvoice(), Account():
            return issue_invoice(command, state)
        case ReverseInvoice(), Account():
            return reverse_invoice(command, state)
        case RecogniseSale(), Account():
            return recognise_sale(command, state)
        case CancelAccount(), Account():
            return cancel(command, state)
        case unknown:
            assert_never(unknown)


def opened(command: OpenAccount) -> AccountOpened:
    return AccountOpened(
        order_id=command.order_id,
        order_number=command.order_number,
        entity_id=command.entity_id,
        store_id=command.store_id,
        customer_id=command.customer_id,
        vin=command.vin,
        price=command.price,
        vat_permille=command.vat_permille,
    )


def record_contract(command: RecordContract, account: Account) -> list[Event]:
    if account.stage == "contract":
        return []
    require(account.stage == "open", "The account of this order is closed.")
    same_currency(command.price, account)
    after = replace(account, stage="contract", price=command.price.minor, vin=command.vin)
    entry = difference(account, after, command.on, "Contract signed")
    return [ContractRecorded(vin=command.vin, price=command.price, earnest_agreed=command.earnest_agreed, entry=entry)]


def change_price(command: ChangePrice, account: Account) -> list[Event]:
    if (command.price.minor, command.vin) == (account.price, account.vin):
        return []
    require(account.stage in ("open", "contract"), "The price of a sale that is over does not change.")
    same_currency(command.price, account)
    after = replace(account, price=command.price.minor, vin=command.vin)
    return [PriceChanged(vin=command.vin, price=command.price, entry=difference(account, after, command.on, "Price changed"))]


def take_receipt(command: TakeReceipt, account: Account) -> list[Event]:
    if command.receipt_id in account.receipts:
        return []
    require(account.stage != "cancelled", "A cancelled order takes no money.")
    same_currency(command.amount, account)
    amount = command.amount.minor
    if amount <= 0:
        raise Rejected("amount-not-positive", "An amount received is more than zero.")
    if account.paid + amount > account.price:
        raise Rejected("overpaid", "This is more than what is left to pay.")
    room = max(earnest_limit(account.price, command.on) - account.earnest, 0)
    earnest = min(amount, room) if command.kind == "earnest" else 0
    after = replace(account, paid=account.paid + amount, earnest=account.earnest + earnest)
    entry = moved(account, after, command.method, command.on, f"Receipt {command.number}")
    return [
        ReceiptTaken(
            receipt_id=command.receipt_id,
            number=command.number,
            kind=command.kind,
            method=command.method,
            amount=command.amount,
            earnest=Money(earnest, account.currency),
            by=command.by,
            entry=entry,
        )
    ]


def request_refund(command: RequestRefund, account: Account) -> list[Event]:
    if command.refund_id in account.asked or command.refund_id in account.settled:
        return []
    same_currency(command.amount, account)
    chart.money_account(command.method)
    if command.amount.minor <= 0:
        raise Rejected("amount-not-positive", "A refund is more than zero.")
    if command.amount.minor > refundable(account):
        raise Rejected("refund-beyond-paid", "This is more than what can still be paid back.")
    return [
        RefundRequested(refund_id=command.refund_id, amount=command.amount, method=command.method, reason=command.reason, by=command.by)
    ]


def approve_refund(command: ApproveRefund, account: Account) -> list[Event]:
    if command.refund_id in account.settled:
        return []
    asked = asked_refund(account, command.refund_id)
    if asked.by == command.by:
        raise Rejected("four-eyes", "Who asks for a refund may not approve it.")
    if refundable(account) < 0:
        raise Rejected("refund-beyond-paid", "This is more than what can still be paid back.")
    after = replace(account, paid=account.paid - asked.amount)
    return [
        RefundPaid(
            refund_id=command.refund_id,
            number=command.number,
            method=asked.method,
            amount=Money(asked.amount, account.currency),
            by=command.by,
            entry=moved(account, after, asked.method, command.on, f"Refund {command.number}"),
        )
    ]


def decline_refund(command: DeclineRefund, account: Account) -> list[Event]:
    if command.refund_id in account.settled:
        return []
    asked_refund(account, command.refund_id)
    return [RefundDeclined(refund_id=command.refund_id, by=command.by)]


def asked_refund(account: Account, refund_id: str) -> AskedRefund:
    if refund_id not in account.asked:
        raise Rejected("unknown-reference", "Nobody asked for this refund.")
    return account.asked[refund_id]


def issue_invoice(command: IssueInvoice, account: Account) -> list[Event]:
    if account.invoice is not None:
        if account.invoice.invoice_id == command.invoice_id:
            return []
        raise Rejected("already-invoiced", "This car is invoiced; only a red invoice takes that back.")
    require(account.stage in ("contract", "delivered"), "An invoice needs a signed contract.")
    if account.vin is None or command.owner != account.entity_id:
        raise Rejected("car-not-acquired", "Only the legal entity that bought the car in may invoice it.")
    vat = vat_within(account.price, account.vat_permille)
    invoice = Invoice(invoice_id=command.invoice_id, number=command.number, vat=vat)
    return [
        InvoiceIssued(
            invoice_id=command.invoice_id,
            number=command.number,
            vin=account.vin,
            stay_id=command.stay_id,
            net=Money(account.price - vat, account.currency),
            vat=Money(vat, account.currency),
            gross=Money(account.price, account.currency),
            by=command.by,
            entry=difference(account, replace(account, invoice=invoice), command.on, f"Invoice {command.number}"),
        )
    ]


def reverse_invoice(command: ReverseInvoice, account: Account) -> list[Event]:
    if command.invoice_id in account.reversed:
        return []
    if account.invoice is None or account.vin is None or account.invoice.invoice_id != command.invoice_id:
        raise Rejected("not-invoiced", "There is no invoice to reverse.")
    return [
        InvoiceReversed(
            invoice_id=account.invoice.invoice_id,
            number=command.number,
            reverses=account.invoice.number,
            vin=account.vin,
            by=command.by,
            entry=difference(account, replace(account, invoice=None), command.on, f"Red invoice {command.number}"),
        )
    ]


def recognise_sale(command: RecogniseSale, account: Account) -> list[Event]:
    if account.stage == "delivered":
        return []
    require(account.stage == "contract", "Only a sale under contract is recognised.")
    after = replace(account, stage="delivered")
    net = account.price - vat_within(account.price, account.vat_permille)
    return [
        SaleRecognised(
            order_id=account.order_id,
            vin=command.vin,
            stay_id=command.stay_id,
            store_id=command.store_id,
            entity_id=account.entity_id,
            revenue=Money(net, account.currency),
            on=command.on,
            at=command.at,
            entry=difference(account, after, command.on, "Vehicle delivered"),
        )
    ]


def cancel(command: CancelAccount, account: Account) -> list[Event]:
    """What is not forfeited is asked back at once, so that only an approval stands between the customer and his money."""
    if account.stage == "cancelled":
        return []
    require(account.stage != "delivered", "A delivered sale is not cancelled.")
    forfeited = min(account.earnest, refundable(account)) if command.forfeit else 0
    after = replace(account, stage="cancelled", forfeited=forfeited)
    entry = difference(account, after, command.on, "Order cancelled")
    events: list[Event] = [AccountCancelled(forfeited=Money(forfeited, account.currency), by=command.by, entry=entry)]
    if rest := refundable(after):
        back = Money(rest, account.currency)
        events.append(RefundRequested(refund_id=account.order_id, amount=back, method="transfer", reason="Order cancelled", by=command.by))
    return events


def require(so: bool, reason: str) -> None:
    if not so:
        raise Rejected("illegal-transition", reason)


def same_currency(money: Money, account: Account) -> None:
    if money.currency != account.currency:
        raise Rejected("currency-differs", f"This order is in {account.currency}.")


def difference(before: Account, after: Account, on: date, text: str, *also: Line) -> Entry | None:
    """The entry that brings the books from one standing to the next; None when they are the same."""
    was, now = books(before), books(after)
    lines = [Line(account=number, amount=now.get(number, 0) - was.get(number, 0), vin=after.vin) for number in {**was, **now}]
    lines = [line for line in [*also, *lines] if line.amount]
    if not lines:
        return None
    return balanced(
        f"account-{before.order_id}.{before.entries + 1}",
        lines,
        entity_id=before.entity_id,
        store_id=before.store_id,
        currency=before.currency,
        on=on,
        text=text,
        order_id=before.order_id,
    )


def moved(before: Account, after: Account, method: str, on: date, text: str) -> Entry:
    """The same with the money that came in or went out."""
    money = Line(account=chart.money_account(method), amount=after.paid - before.paid)
    entry = difference(before, after, on, text, money)
    assert entry is not None
    return entry


def evolve(state: State, event: Event) -> State:
    """The account after an event."""
    if isinstance(event, AccountOpened):
        return Account(
            order_id=event.order_id,
            entity_id=event.entity_id,
            store_id=event.store_id,
            customer_id=event.customer_id,
            currency=event.price.currency,
            price=event.price.minor,
            vat_permille=event.vat_permille,
            vin=event.vin,
        )
    assert isinstance(state, Account)
    entry = getattr(event, "entry", None)
    return replace(state, entries=state.entries + (entry is not None), **changes(state, event))


def changes(account: Account, event: Event) -> Mapping[str, Any]:
    match event:
        case ContractRecorded(price=price, vin=vin):
            return {"stage": "contract", "price": price.minor, "vin": vin}
        case PriceChanged(price=price, vin=vin):
            return {"price": price.minor, "vin": vin}
        case ReceiptTaken(receipt_id=receipt_id, amount=amount, earnest=earnest):
            return {
                "paid": account.paid + amount.minor,
                "earnest": account.earnest + earnest.minor,
                "receipts": account.receipts | {receipt_id},
            }
        case RefundRequested(refund_id=refund_id, amount=amount, method=method, by=by):
            return {"asked": {**account.asked, refund_id: AskedRefund(amount=amount.minor, method=method, by=by)}}
        case RefundPaid(amount=amount, refund_id=refund_id):
            paid = account.paid - amount.minor
            return {"paid": paid, "earnest": min(account.earnest, paid), **settled(account, refund_id)}
        case RefundDeclined(refund_id=refund_id):
            return settled(account, refund_id)
        case InvoiceIssued(invoice_id=invoice_id, number=number, vat=vat):
            return {"invoice": Invoice(invoice_id=invoice_id, number=number, vat=vat.minor)}
        case InvoiceReversed(invoice_id=invoice_id):
            return {"invoice": None, "reversed": account.reversed | {invoice_id}}
        case SaleRecognised():
            return {"stage": "delivered"}
        case AccountCancelled(forfeited=forfeited):
            return {"stage": "cancelled", "forfeited": forfeited.minor}
        case AccountOpened():
            return {}
        case unknown:
            assert_never(unknown)


def settled(account: Account, refund_id: str) -> Mapping[str, Any]:
    asked = {key: refund for key, refund in account.asked.items() if key != refund_id}
    return {"asked": asked, "settled": account.settled | {refund_id}}


def claims(event: Event) -> list[Claim]:
    """A place in the period of each entry, and one invoice per stay of a car."""
    posted = posted_in(getattr(event, "entry", None))
    match event:
        case InvoiceIssued(stay_id=stay_id):
            reason = "This car is invoiced to another order."
            return [*posted, Take(kind="invoice", key=stay_id, problem="already-invoiced", reason=reason)]
        case InvoiceReversed():
            return [*posted, Release(kind="invoice")]
        case _:
            return posted


def timers(event: Event) -> list[Timer]:
    """A recognised sale asks the car for its cost."""
    match event:
        case SaleRecognised():
            sell = SellCar(
                stay_id=event.stay_id,
                order_id=event.order_id,
                store_id=event.store_id,
                revenue=event.revenue,
                on=event.on,
                at=event.at,
            )
            return [Schedule(key="sell", command=sell, to=f"car-{event.stay_id}")]
        case _:
            return []


account = Decider[Command, State, Event](Absent(), decide, evolve, claims, timers)
