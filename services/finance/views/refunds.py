"""Refunds to customers: asked for by one, paid or declined by another."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from services.finance.domain.account_messages import Event, RefundDeclined, RefundPaid, RefundRequested
from services.finance.views.accounts import accounts
from shared.decider import message
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Rows, Table
from shared.web.body import Id, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)


@message
class RefundStep:
    """`requested`, then `paid` or `declined`."""

    refund_id: str
    step: str
    order_id: str
    store_id: str
    number: str
    amount: int
    currency: str
    method: str
    reason: str
    by: str
    at: datetime


refunds = Table("refunds", 1, RefundStep, key=("refund_id", "step"), indexes=("order_id", "step, at desc"))


def apply(recorded: Recorded[Event]) -> list[RefundStep]:
    """A row for each step of a refund."""
    match recorded.event:
        case RefundRequested(refund_id=refund_id, amount=money, method=method, reason=reason, by=by):
            return [step(recorded, refund_id, "requested", by, money=money, method=method, reason=reason)]
        case RefundPaid(refund_id=refund_id, amount=money, method=method, number=number, by=by):
            return [step(recorded, refund_id, "paid", by, money=money, method=method, number=number)]
        case RefundDeclined(refund_id=refund_id, by=by):
            return [step(recorded, refund_id, "declined", by)]
        case _:
            return []


def step(
    recorded: Recorded[Event],
    refund_id: str,
    name: str,
    by: str,
    *,
    money: Money | None = None,
    method: str = "",
    reason: str = "",
    number: str = "",
) -> RefundStep:
    return RefundStep(
        refund_id=refund_id,
        step=name,
        order_id=recorded.stream.removeprefix("account-"),
        store_id=recorded.meta.store_id or "",
        number=number,
        amount=money.minor if money else 0,
        currency=money.currency if money else "",
        method=method,
        reason=reason,
        by=by,
        at=recorded.occurred_at,
    )


refund_book = Rows(refunds, apply)

REFUNDS = f"""
select asked.refund_id, asked.order_id, asked.store_id, asked.amount, asked.currency, asked.method, asked.reason,
    asked.by as requested_by, asked.at as requested_at, coalesce(done.step, 'requested') as status, done.by as decided_by,
    done.at as decided_at, coalesce(done.number, '') as number, account.version
from {refunds.sql_name} asked join {accounts.sql_name} account using (order_id)
left join {refunds.sql_name} done on done.refund_id = asked.refund_id and done.step <> 'requested'
where asked.step = 'requested'
"""


REFUND = shape(
    "Refund",
    RefundStep,
    only=("refund_id", "order_id", "store_id", "amount", "currency", "method", "reason"),
    amounts=("amount",),
    also={
        "requested_by": str,
        "requested_at": datetime,
        "status": Literal["requested", "paid", "declined"],
        "decided_by": str | None,
        "decided_at": datetime | None,
        "number": str,
        "version": int,
    },
)


@router.get("/refunds", summary="Refunds, newest first", response_model=page_of(REFUND), openapi_extra=needs("finance.read"))
async def list_refunds(call: Call, paging: Paging, store_id: Id | None = None, order_id: Id | None = None) -> Page:
    """`requested`, `paid` or `declined`."""
    where = {"store_id": store_id, "order_id": order_id}
    found = await page(call, REFUNDS, paging, order="requested_at desc, refund_id", where=where)
    return {"items": [shown(row) for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get("/refunds/{refund_id}", summary="A refund", response_model=REFUND, openapi_extra=needs("finance.read"))
async def show_refund(call: Call, refund_id: Id) -> dict[str, Any]:
    """Its version is that of the order's account."""
    return shown(await call.need(f"{REFUNDS} and asked.refund_id = %s", [refund_id]))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its amount."""
    return row | {"amount": amount(Money(row["amount"], row["currency"]))}
