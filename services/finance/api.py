"""What finance staff do: take money, pay it back, invoice, pay suppliers, post by hand, close a month."""

from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from fastapi import APIRouter

from services.finance.domain.account_messages import (
    ApproveRefund,
    DeclineRefund,
    IssueInvoice,
    ReceiptKind,
    RequestRefund,
    ReverseInvoice,
    TakeReceipt,
)
from services.finance.domain.entry import Line as EntryLine
from services.finance.domain.journal import PostEntry, ReverseEntry
from services.finance.domain.payable import ApprovePayment, DeclinePayment, RequestPayment
from services.finance.domain.period import ClosePeriod, ReopenPeriod
from services.finance.domain.rates import business_day
from services.finance.fields import EntryId, LedgerNumber, Month
from services.finance.known import entities_known, stores_known
from services.finance.views.accounts import accounts
from services.finance.views.cars import cars
from services.finance.views.invoices import invoices
from services.finance.views.ledger import lines
from services.finance.views.payables import payables
from services.finance.views.refunds import refunds
from shared.decider import replace
from shared.handling import Done, Number
from shared.values.ids import derived_id, new_id
from shared.web.body import Amount, Body, Day, Id, Line, PositiveAmount, VinText
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)

type Method = Literal["cash", "card", "transfer", "wechat", "alipay", "loan"]


class NewReceipt(Body):
    order_id: Id
    kind: ReceiptKind
    method: Method
    amount: PositiveAmount


class NewRefund(Body):
    order_id: Id
    amount: PositiveAmount
    method: Method
    reason: Line


class NewInvoice(Body):
    order_id: Id


class NewPayment(Body):
    payable_id: Id


class NewLine(Body):
    account: LedgerNumber
    amount: Amount
    vin: VinText | None = None


class NewEntry(Body):
    store_id: Id
    text: Line
    lines: list[NewLine]
    booked_on: Day | None = None


class Reason(Body):
    reason: Line


@router.post("/receipts", status_code=201, summary="Take money for an order", openapi_extra=needs("finance.receipt"))
async def take_receipt(body: NewReceipt, call: Call) -> Done:
    """A receipt voucher with a gapless number; the part of earnest money above a fifth of the price is prepayment."""
    account = await account_of(call, body.order_id)
    receipt_id = keyed(call, "receipt")

    def command(number: str, on: date) -> TakeReceipt:
        return TakeReceipt(
            receipt_id=receipt_id,
            number=number,
            kind=body.kind,
            method=body.method,
            amount=body.amount,
            by=call.staff,
            on=on,
            at=call.at,
        )

    done = await numbered(call, "account", body.order_id, "RV", account["store_id"], command)
    return made(done, receipt_id)


@router.post("/refunds", status_code=201, summary="Ask for a refund", openapi_extra=needs("finance.receipt"))
async def request_refund(body: NewRefund, call: Call) -> Done:
    """At most what was paid and not asked back; another person approves it."""
    await account_of(call, body.order_id)
    refund_id = keyed(call, "refund")
    command = RequestRefund(refund_id=refund_id, amount=body.amount, method=body.method, reason=body.reason, by=call.staff, at=call.at)
    return made(await call.handle("account", body.order_id, command, new=False), refund_id)


@router.post("/refunds/{refund_id}/approve", summary="Approve a refund and pay it", openapi_extra=needs("finance.approve"))
async def approve_refund(refund_id: Id, call: Call) -> Done:
    """Refused to who asked for it."""
    refund = await call.need(f"select order_id, store_id from {refunds.sql_name} where refund_id = %s", [refund_id])

    def command(number: str, on: date) -> ApproveRefund:
        return ApproveRefund(refund_id=refund_id, number=number, by=call.staff, on=on, at=call.at)

    return made(await numbered(call, "account", refund["order_id"], "RF", refund["store_id"], command), refund_id)


@router.post("/refunds/{refund_id}/decline", summary="Decline a refund", openapi_extra=needs("finance.approve"))
async def decline_refund(refund_id: Id, call: Call) -> Done:
    """Its amount may be asked for again."""
    refund = await call.need(f"select order_id from {refunds.sql_name} where refund_id = %s", [refund_id])
    command = DeclineRefund(refund_id=refund_id, by=call.staff, at=call.at)
    return made(await call.handle("account", refund["order_id"], command), refund_id)


@router.post("/invoices", status_code=201, summary="Issue the vehicle sales invoice", openapi_extra=needs("finance.invoice"))
async def issue_invoice(body: NewInvoice, call: Call) -> Done:
    """For a signed contract, by the legal entity that bought the car in; once per car."""
    account = await account_of(call, body.order_id)
    # The entity's books decide, not what the asker may see: the car may stand in a sister store that is not his.
    stays = await call.kit.store.scan(cars, vin=account["vin"])
    car = max(stays, key=lambda stay: (stay.status == "in-stock", stay.order_id == body.order_id), default=None)
    owner = car.entity_id if car and car.status != "in-transit" else None
    invoice_id = keyed(call, "invoice")

    def command(number: str, on: date) -> IssueInvoice:
        return IssueInvoice(
            invoice_id=invoice_id,
            number=number,
            stay_id=car.stay_id if car else "",
            owner=owner,
            by=call.staff,
            on=on,
            at=call.at,
        )

    return made(await numbered(call, "account", body.order_id, "VI", account["store_id"], command), invoice_id)


@router.post("/invoices/{invoice_id}/reverse", summary="Reverse an invoice by a red one", openapi_extra=needs("finance.invoice"))
async def reverse_invoice(invoice_id: Id, call: Call) -> Done:
    """An invoice is never edited; the red one has a number of its own."""
    account = await call.need(f"select order_id, store_id from {invoices.sql_name} where invoice_id = %s", [invoice_id])

    def command(number: str, on: date) -> ReverseInvoice:
        return ReverseInvoice(invoice_id=invoice_id, number=number, by=call.staff, on=on, at=call.at)

    return made(await numbered(call, "account", account["order_id"], "RI", account["store_id"], command), invoice_id)


@router.post("/payments", status_code=201, summary="Ask for the payment of a payable", openapi_extra=needs("finance.pay"))
async def request_payment(body: NewPayment, call: Call) -> Done:
    """A payment voucher with a gapless number; another person approves it."""
    payable = await call.one(f"select store_id from {payables.sql_name} where payable_id = %s", [body.payable_id])
    if payable is None:
        raise unknown("payable_id")
    payment_id = keyed(call, "payment")

    def command(number: str, on: date) -> RequestPayment:
        return RequestPayment(payment_id=payment_id, number=number, by=call.staff, at=call.at)

    return made(await numbered(call, "payable", body.payable_id, "PV", payable["store_id"], command), payment_id)


@router.post("/payments/{payment_id}/approve", summary="Approve a payment and pay it", openapi_extra=needs("finance.approve"))
async def approve_payment(payment_id: Id, call: Call) -> Done:
    """Refused to who asked for it; a payable is paid once."""
    payable = await call.need(f"select payable_id, store_id from {payables.sql_name} where payment_id = %s", [payment_id])
    on = await today_at(call, payable["store_id"])
    command = ApprovePayment(payment_id=payment_id, by=call.staff, on=on, at=call.at)
    return made(await call.handle("payable", payable["payable_id"], command), payment_id)


@router.post("/payments/{payment_id}/decline", summary="Decline a payment", openapi_extra=needs("finance.approve"))
async def decline_payment(payment_id: Id, call: Call) -> Done:
    """The payable is open again; the voucher keeps its number."""
    payable = await call.need(f"select payable_id from {payables.sql_name} where payment_id = %s", [payment_id])
    command = DeclinePayment(payment_id=payment_id, by=call.staff, at=call.at)
    return made(await call.handle("payable", payable["payable_id"], command), payment_id)


@router.post("/ledger/entries", status_code=201, summary="Post an entry by hand", openapi_extra=needs("finance.ledger"))
async def post_entry(body: NewEntry, call: Call) -> Done:
    """Debits positive, credits negative, their sum zero, on accounts that are not the sum of a sub-ledger."""
    store = await store_of(call, body.store_id)
    if any(line.amount.currency != store["currency"] for line in body.lines):
        raise Problem("currency-differs")
    today = business_day(call.at, store["timezone"])
    if body.booked_on and body.booked_on > today:
        raise Problem("in-the-future", errors=[FieldError("booked_on", "in-the-future")])
    journal_id = new_id()
    command = PostEntry(
        journal_id=journal_id,
        entity_id=store["entity_id"],
        store_id=body.store_id,
        currency=store["currency"],
        text=body.text,
        lines=tuple(EntryLine(account=line.account, amount=line.amount.minor, vin=line.vin) for line in body.lines),
        on=body.booked_on or today,
        by=call.staff,
        at=call.at,
    )
    done = await call.handle("journal", journal_id, command, store_id=body.store_id)
    return made(done, f"{done.stream}.1")


@router.post("/ledger/entries/{entry_id}/reverse", summary="Reverse an entry made by hand", openapi_extra=needs("finance.ledger"))
async def reverse_entry(entry_id: EntryId, body: Reason, call: Call) -> Done:
    """By an entry of today with the signs turned; other entries are undone where they come from."""
    found = await call.need(f"select source, store_id from {lines.sql_name} where entry_id = %s", [entry_id])
    category, _, journal_id = found["source"].partition("-")
    if category != "journal":
        raise Problem("illegal-transition", "Only an entry made by hand is reversed by hand.")
    command = ReverseEntry(reason=body.reason, on=await today_at(call, found["store_id"]), by=call.staff, at=call.at)
    done = await call.handle("journal", journal_id, command)
    return made(done, f"{done.stream}.2")


@router.post("/periods/{entity_id}/{month}/close", summary="Close a month's books", openapi_extra=needs("finance.ledger", match=False))
async def close_period(entity_id: Id, month: Month, call: Call) -> Done:
    """Once it is over in every store, by staff of all stores of the legal entity; what is heard later counts in the next open month."""
    stores = await whole_entity(call, entity_id)
    on = min(business_day(call.at, store["timezone"]) for store in stores)
    command = ClosePeriod(entity_id=entity_id, period=month, on=on, by=call.staff, at=call.at)
    return await call.handle("period", f"{entity_id}-{month}", command, new=True)


@router.post("/periods/{entity_id}/{month}/reopen", summary="Open a closed month again", openapi_extra=needs("finance.approve"))
async def reopen_period(entity_id: Id, month: Month, body: Reason, call: Call) -> Done:
    """With a reason that stays in the books."""
    await whole_entity(call, entity_id)
    command = ReopenPeriod(reason=body.reason, by=call.staff, at=call.at)
    return await call.handle("period", f"{entity_id}-{month}", command)


async def account_of(call: Call, order_id: str) -> dict[str, Any]:
    """The order's account. Raises Problem when it is not there or another store's."""
    account = await call.one(f"select * from {accounts.sql_name} where order_id = %s", [order_id])
    if account is None:
        raise unknown("order_id")
    return account


async def store_of(call: Call, store_id: str) -> dict[str, Any]:
    """A store of the caller's with its legal entity's currency. Raises Problem when it is not his."""
    stores = await call.everybodys(
        f"select s.*, e.currency from {stores_known.sql_name} s join {entities_known.sql_name} e using (entity_id) where store_id = %s",
        [store_id],
    )
    if not stores or not call.auth.has_store(store_id):
        raise unknown("store_id")
    return stores[0]


async def today_at(call: Call, store_id: str) -> date:
    """The day it is at a store."""
    store = await call.need(f"select timezone from {stores_known.sql_name} where store_id = %s", [store_id])
    return business_day(call.at, store["timezone"])


async def whole_entity(call: Call, entity_id: str) -> list[dict[str, Any]]:
    """Its stores. Refuses who does not work for every one of them."""
    stores = await call.rows(f"select store_id, timezone from {stores_known.sql_name} where entity_id = %s", [entity_id])
    if not any(call.auth.has_store(store["store_id"]) for store in stores):
        raise Problem("not-found")
    if not all(call.auth.has_store(store["store_id"]) for store in stores):
        raise Problem("forbidden")
    return stores


async def numbered(call: Call, category: str, id: str, prefix: str, store_id: str, command: Callable[[str, date], object]) -> Done:
    """Handles a command that takes the next number of a store and day: `RV-BJ1-20260302-001`."""
    store = await store_of(call, store_id)
    day = business_day(call.at, store["timezone"])
    series = f"{prefix}-{store['code']}"
    number = Number(series=series, day=day)
    return await call.handle(category, id, lambda n: command(f"{series}-{day:%Y%m%d}-{n:03}", day), number=number, new=False)


def keyed(call: Call, kind: str) -> str:
    """The id of what a request makes: the same for each copy of the request."""
    return str(derived_id(kind, call.staff, call.key or ""))


def made(done: Done, id: str) -> Done:
    """The answer names what was made, not the stream it is kept in."""
    return replace(done, stream=f"made-{id}")


def unknown(field: str) -> Problem:
    """422: the body refers to what is not there or not the caller's."""
    return Problem("unknown-reference", errors=[FieldError(field, "unknown")])
