"""The rules of selling: those that came with the system and those an administrator enacted, each with validity and source."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

import msgspec
from fastapi import APIRouter

from services.orders.domain import rules as r
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import plain
from shared.web.call import Call
from shared.web.route import CommandRoute, needs
from shared.web.shape import shape


@dataclass(frozen=True, kw_only=True)
class RulebookRow:
    """What was enacted, oldest first; one row for the group."""

    rulebook_id: str
    sales: tuple[r.SalesRules, ...] = ()
    tax: tuple[r.TaxRules, ...] = ()
    changed_at: datetime


def apply(row: RulebookRow | None, recorded: Recorded[r.Event]) -> RulebookRow:
    """The row after one more event."""
    row = row or RulebookRow(rulebook_id=recorded.stream, changed_at=recorded.occurred_at)
    row = replace(row, changed_at=recorded.occurred_at)
    match recorded.event:
        case r.SalesRulesEnacted(rules=sales):
            return replace(row, sales=(*row.sales, sales))
        case r.TaxRulesEnacted(rules=tax):
            return replace(row, tax=(*row.tax, tax))
        case unknown:
            assert_never(unknown)


table = Table("rulebook", 1, RulebookRow, key=("rulebook_id",), store=None)
rulebook_view = Fold(table, apply)

router = APIRouter(route_class=CommandRoute)


@router.get(
    "/sales-rules",
    summary="The rules of selling, with validity and source",
    response_model=shape("Rules", RulebookRow, only=("sales", "tax")),
    openapi_extra=needs("orders.read", "rules.write"),
)
async def rules(call: Call) -> dict[str, Any]:
    book = await enacted(call)
    made = msgspec.to_builtins({"sales": (*r.SALES_RULES, *book.sales), "tax": (*r.TAX_RULES, *book.tax)})
    return {name: plain(list(rows)) for name, rows in made.items()}


async def enacted(call: Call) -> r.Rulebook:
    """What administrators have enacted."""
    rows = await call.everybodys(f"select sales, tax from {table.sql_name}")
    return book(**rows[0]) if rows else r.Rulebook()


def book(sales: list[Any] | None, tax: list[Any] | None) -> r.Rulebook:
    """The rulebook of a row; None where nothing has been enacted yet."""
    return msgspec.convert({"sales": sales or (), "tax": tax or ()}, r.Rulebook)
