"""Vehicle sales invoices and the red invoices that take them back."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.finance.domain.account_messages import Event, InvoiceIssued, InvoiceReversed
from services.finance.views.accounts import accounts
from shared.decider import message
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Rows, Table
from shared.web.body import Id, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class InvoiceRow:
    """`color` blue or red; a red one has the id of the blue one it reverses and no amounts of its own."""

    invoice_id: str
    color: str
    order_id: str
    store_id: str
    number: str
    vin: str
    net: int
    vat: int
    gross: int
    currency: str
    issued_by: str
    issued_at: datetime


invoices = Table("invoices", 1, InvoiceRow, key=("invoice_id", "color"), indexes=("order_id", "vin", "color, issued_at desc"))


def apply(recorded: Recorded[Event]) -> list[InvoiceRow]:
    """A row for each invoice, blue or red."""
    match recorded.event:
        case InvoiceIssued(invoice_id=invoice_id, number=number, vin=vin, by=by, net=net, vat=vat, gross=gross):
            return [row_of(recorded, invoice_id, "blue", number, vin, by, net, vat, gross)]
        case InvoiceReversed(invoice_id=invoice_id, number=number, vin=vin, by=by):
            nothing = Money(0, "")
            return [row_of(recorded, invoice_id, "red", number, vin, by, nothing, nothing, nothing)]
        case _:
            return []


def row_of(
    recorded: Recorded[Event], invoice_id: str, color: str, number: str, vin: str, by: str, net: Money, vat: Money, gross: Money
) -> InvoiceRow:
    return InvoiceRow(
        invoice_id=invoice_id,
        color=color,
        order_id=recorded.stream.removeprefix("account-"),
        store_id=recorded.meta.store_id or "",
        number=number,
        vin=vin,
        net=net.minor,
        vat=vat.minor,
        gross=gross.minor,
        currency=gross.currency,
        issued_by=by,
        issued_at=recorded.occurred_at,
    )


invoice_book = Rows(invoices, apply)

INVOICES = f"""
select blue.*, red.number as reversed_by, red.issued_at as reversed_at, account.version,
    account.stage = 'cancelled' and red.number is null as needs_red
from {invoices.sql_name} blue join {accounts.sql_name} account using (order_id)
left join {invoices.sql_name} red on red.invoice_id = blue.invoice_id and red.color = 'red'
where blue.color = 'blue'
"""


REVERSED = {"reversed_by": str | None, "reversed_at": datetime | None, "version": int, "needs_red": bool}
INVOICE = shape("Invoice", InvoiceRow, without=("color",), amounts=("net", "vat", "gross"), also=REVERSED)


@router.get(
    "/invoices",
    summary="Vehicle sales invoices, newest first",
    response_model=page_of(INVOICE),
    openapi_extra=needs("finance.read", "orders.read"),
)
async def list_invoices(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    order_id: Id | None = None,
    vin: VinText | None = None,
    needs_red: bool | None = None,
) -> Page:
    """With the red invoice where there is one; `needs_red` are those still standing on a cancelled order, for somebody to reverse."""
    where = {"store_id": store_id, "order_id": order_id, "vin": vin, "needs_red": needs_red}
    found = await page(call, INVOICES, paging, order="issued_at desc, invoice_id", where=where)
    return {"items": [shown(row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/invoices/{invoice_id}",
    summary="An invoice",
    response_model=INVOICE,
    openapi_extra=needs("finance.read", "orders.read"),
)
async def show_invoice(call: Call, invoice_id: Id) -> dict[str, Any]:
    """Its version is that of the order's account."""
    return shown(await call.need(f"{INVOICES} and blue.invoice_id = %s", [invoice_id]))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its amounts."""
    plain = {name: value for name, value in row.items() if name != "color"}
    return plain | {name: amount(Money(row[name], row["currency"])) for name in ("net", "vat", "gross")}
