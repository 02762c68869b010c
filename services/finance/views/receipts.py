"""Receipt vouchers: money taken from customers."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.finance.domain.account_messages import Event, ReceiptTaken
from services.finance.known import customers_known, entities_known, staff_known, stores_known
from services.finance.views.accounts import accounts
from shared.decider import message
from shared.documents import render_async
from shared.events.envelope import Recorded
from shared.values.clock import local_time
from shared.values.money import Money
from shared.views.table import Rows, Table
from shared.web.body import Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class ReceiptRow:
    """Amounts in minor units of `currency`; `version` of the order's account."""

    receipt_id: str
    order_id: str
    store_id: str
    number: str
    kind: str
    method: str
    amount: int
    earnest: int
    currency: str
    taken_by: str
    taken_at: datetime
    version: int


receipts = Table("receipts", 1, ReceiptRow, key=("receipt_id",), indexes=("store_id, taken_at desc", "order_id"))


def apply(recorded: Recorded[Event]) -> list[ReceiptRow]:
    """A voucher for each receipt."""
    match recorded.event:
        case ReceiptTaken() as taken:
            return [
                ReceiptRow(
                    receipt_id=taken.receipt_id,
                    order_id=recorded.stream.removeprefix("account-"),
                    store_id=taken.entry.store_id,
                    number=taken.number,
                    kind=taken.kind,
                    method=taken.method,
                    amount=taken.amount.minor,
                    earnest=taken.earnest.minor,
                    currency=taken.amount.currency,
                    taken_by=taken.by,
                    taken_at=recorded.occurred_at,
                    version=recorded.version,
                )
            ]
        case _:
            return []


receipt_book = Rows(receipts, apply)

KINDS = {"earnest": "定金", "prepayment": "订金", "down-payment": "首付", "balance": "尾款"}
METHODS = {"cash": "现金", "card": "刷卡", "transfer": "转账", "wechat": "微信支付", "alipay": "支付宝", "loan": "贷款"}
_VOUCHER = f"""
select r.*, a.order_number, a.vin, s.name as store, s.timezone, e.name as entity, coalesce(w.name, '') as cashier, c.name as payer
from {receipts.sql_name} r join {accounts.sql_name} a using (order_id) join {stores_known.sql_name} s on s.store_id = r.store_id
join {entities_known.sql_name} e on e.entity_id = a.entity_id
left join {staff_known.sql_name} w on w.staff_id = r.taken_by left join {customers_known.sql_name} c on c.customer_id = a.customer_id
where r.receipt_id = %s
"""


@router.get(
    "/receipts",
    summary="Receipt vouchers, newest first",
    response_model=page_of("Receipt", ReceiptRow, amounts=("amount", "earnest")),
    openapi_extra=needs("finance.read", "orders.read"),
)
async def list_receipts(call: Call, paging: Paging, store_id: Id | None = None, order_id: Id | None = None) -> Page:
    """Of the caller's stores."""
    where = {"store_id": store_id, "order_id": order_id}
    found = await page(call, receipts, paging, order="taken_at desc, receipt_id", where=where)
    return {"items": [shown(row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get(
    "/receipts/{receipt_id}",
    summary="A receipt voucher",
    response_model=shape("Receipt", ReceiptRow, amounts=("amount", "earnest")),
    openapi_extra=needs("finance.read", "orders.read"),
)
async def show_receipt(call: Call, receipt_id: Id) -> dict[str, Any]:
    """What was taken, how, and what of it is earnest money."""
    return shown(await call.need(f"select * from {receipts.sql_name} where receipt_id = %s", [receipt_id]))


@router.get(
    "/receipts/{receipt_id}/receipt.pdf",
    summary="A receipt voucher as PDF",
    openapi_extra=needs("finance.read", produces="application/pdf"),
)
async def print_receipt(call: Call, receipt_id: Id) -> Response:
    """The paper the customer takes home; it names him."""
    row = await call.need(_VOUCHER, [receipt_id])
    (payer,) = await call.vault.open_all([row["payer"]])
    data = {
        "number": row["number"],
        "at": local_time(row["taken_at"], row["timezone"]),
        "entity": row["entity"],
        "store": row["store"],
        "payer": payer or "",
        "kind": KINDS[row["kind"]],
        "method": METHODS[row["method"]],
        "amount": Money(row["amount"], row["currency"]),
        "earnest": Money(row["earnest"], row["currency"]),
        "order_number": row["order_number"],
        "cashier": row["cashier"],
    }
    if row["vin"]:
        data["vin"] = row["vin"]
    return Response(await render_async("receipt", data), media_type="application/pdf")


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its amounts."""
    return row | {name: amount(Money(row[name], row["currency"])) for name in ("amount", "earnest")}
