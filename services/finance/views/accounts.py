"""What each order's customer has paid, is invoiced, still owes and is owed back."""

from typing import Any

from fastapi import APIRouter

from services.finance.domain.account_messages import (
    AccountCancelled,
    AccountOpened,
    ContractRecorded,
    Event,
    InvoiceIssued,
    InvoiceReversed,
    PriceChanged,
    ReceiptTaken,
    RefundPaid,
    SaleRecognised,
)
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class AccountRow:
    """Amounts in minor units of `currency`."""

    order_id: str
    order_number: str
    entity_id: str
    store_id: str
    customer_id: str
    currency: str
    price: int
    vat_permille: int
    vin: str | None
    stage: str
    paid: int
    earnest: int
    refunded: int
    forfeited: int
    invoice_id: str | None
    invoice_number: str | None
    version: int


accounts = Table("accounts", 1, AccountRow, key=("order_id",), indexes=("store_id, order_number", "customer_id", "invoice_id"))


def apply(row: AccountRow | None, recorded: Recorded[Event]) -> AccountRow | None:
    """The account's row after an event."""
    event = recorded.event
    if isinstance(event, AccountOpened):
        return AccountRow(
            order_id=event.order_id,
            order_number=event.order_number,
            entity_id=event.entity_id,
            store_id=event.store_id,
            customer_id=event.customer_id,
            currency=event.price.currency,
            price=event.price.minor,
            vat_permille=event.vat_permille,
            vin=event.vin,
            stage="open",
            paid=0,
            earnest=0,
            refunded=0,
            forfeited=0,
            invoice_id=None,
            invoice_number=None,
            version=recorded.version,
        )
    return replace(row, version=recorded.version, **changes(row, event)) if row else None


def changes(row: AccountRow, event: Event) -> dict[str, Any]:
    match event:
        case ContractRecorded(price=price, vin=vin):
            return {"stage": "contract", "price": price.minor, "vin": vin}
        case PriceChanged(price=price, vin=vin):
            return {"price": price.minor, "vin": vin}
        case ReceiptTaken(amount=taken, earnest=earnest):
            return {"paid": row.paid + taken.minor, "earnest": row.earnest + earnest.minor}
        case RefundPaid(amount=given):
            paid = row.paid - given.minor
            return {"paid": paid, "earnest": min(row.earnest, paid), "refunded": row.refunded + given.minor}
        case InvoiceIssued(invoice_id=invoice_id, number=number):
            return {"invoice_id": invoice_id, "invoice_number": number}
        case InvoiceReversed():
            return {"invoice_id": None, "invoice_number": None}
        case SaleRecognised():
            return {"stage": "delivered"}
        case AccountCancelled(forfeited=forfeited):
            return {"stage": "cancelled", "forfeited": forfeited.minor}
        case _:
            return {}


account_book = Fold(accounts, apply)


AMOUNTS = ("price", "paid", "earnest", "refunded", "forfeited")
ACCOUNT = shape("OrderAccount", AccountRow, amounts=AMOUNTS, also={"due": Money})


@router.get(
    "/accounts",
    summary="Orders' accounts",
    response_model=page_of(ACCOUNT),
    openapi_extra=needs("finance.read", "orders.read"),
)
async def list_accounts(call: Call, paging: Paging, store_id: Id | None = None, customer_id: Id | None = None) -> Page:
    """By order number."""
    where = {"store_id": store_id, "customer_id": customer_id}
    found = await page(call, accounts, paging, order="order_number, order_id", where=where)
    return {"items": [shown(row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/accounts/{order_id}",
    summary="An order's account",
    response_model=ACCOUNT,
    openapi_extra=needs("finance.read", "orders.read"),
)
async def show_account(call: Call, order_id: Id) -> dict[str, Any]:
    """What was paid and what is open; its version is what commands on it expect."""
    return shown(await call.need(f"select * from {accounts.sql_name} where order_id = %s", [order_id]))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its amounts, and what is left to pay while the order stands."""
    due = row["price"] - row["paid"] if row["stage"] != "cancelled" else 0
    money = {name: row[name] for name in AMOUNTS} | {"due": due}
    plain = {name: value for name, value in row.items() if name not in money}
    return plain | {name: amount(Money(minor, row["currency"])) for name, minor in money.items()}
