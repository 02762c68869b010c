"""The quote book: every quote with all its revisions and what the customer said to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, assert_never

from fastapi import APIRouter

from services.orders.domain import quote as q
from services.orders.views.shown import READ, may_see_person, shown
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

type Stage = Literal["open", "expired", "ordered"]


@dataclass(frozen=True, kw_only=True)
class Revision:
    revision: int
    by: str
    offer: q.Offer
    reckoning: q.Reckoning
    expires_at: datetime
    at: datetime


@dataclass(frozen=True, kw_only=True)
class QuoteRow:
    """The newest revision in columns, all of them in `revisions`; feedback texts are tokens."""

    quote_id: str
    version: int
    number: str
    store_id: str
    customer_id: str
    opportunity_id: str | None
    seller_id: str
    revision: int
    trim_id: str
    price: int
    total: int
    currency: str
    stage: str = "open"
    order_id: str | None = None
    expires_at: datetime
    revisions: tuple[Revision, ...]
    feedback: tuple[q.FeedbackRecorded, ...] = ()
    issued_at: datetime


def apply(row: QuoteRow | None, recorded: Recorded[q.Event]) -> QuoteRow | None:
    """The row after one more event."""
    event = recorded.event
    if isinstance(event, q.QuoteIssued):
        return issued(event, recorded)
    if row is None:
        return None
    row = replace(row, version=recorded.version)
    match event:
        case q.QuoteRevised(revision=number, by=by):
            revision = made(number, by, event, recorded.occurred_at)
            return replace(newest(row, revision), stage="open", revisions=(*row.revisions, revision))
        case q.FeedbackRecorded():
            return replace(row, feedback=(*row.feedback, event))
        case q.QuoteExpired():
            return replace(row, stage="expired")
        case q.QuoteOrdered(order_id=order_id):
            return replace(row, stage="ordered", order_id=order_id)
        case q.QuoteReopened():
            return replace(row, stage="open", order_id=None)
        case unknown:
            assert_never(unknown)


def made(number: int, by: str, event: q.QuoteIssued | q.QuoteRevised, at: datetime) -> Revision:
    """A revision as the book keeps it."""
    return Revision(revision=number, by=by, offer=event.offer, reckoning=event.reckoning, expires_at=event.expires_at, at=at)


def newest(row: QuoteRow, revision: Revision) -> QuoteRow:
    """The revision's figures as columns."""
    return replace(
        row,
        revision=revision.revision,
        trim_id=revision.offer.trim_id,
        price=revision.reckoning.car.minor,
        total=revision.reckoning.total.minor,
        expires_at=revision.expires_at,
    )


def issued(event: q.QuoteIssued, recorded: Recorded[q.Event]) -> QuoteRow:
    """The row of a new quote."""
    revision = made(1, event.seller_id, event, recorded.occurred_at)
    return QuoteRow(
        quote_id=event.quote_id,
        version=recorded.version,
        number=event.number,
        store_id=event.store_id,
        customer_id=event.customer_id,
        opportunity_id=event.opportunity_id,
        seller_id=event.seller_id,
        revision=1,
        trim_id=event.offer.trim_id,
        price=event.reckoning.car.minor,
        total=event.reckoning.total.minor,
        currency=event.reckoning.total.currency,
        expires_at=event.expires_at,
        revisions=(revision,),
        issued_at=recorded.occurred_at,
    )


table = Table("quote_book", 1, QuoteRow, key=("quote_id",), indexes=("store_id, issued_at desc, quote_id", "customer_id"))
quote_book = Fold(table, apply)

_LISTED = (
    "quote_id",
    "version",
    "number",
    "revision",
    "store_id",
    "customer_id",
    "seller_id",
    "trim_id",
    "price",
    "total",
    "currency",
    "stage",
    "order_id",
    "expires_at",
    "issued_at",
)

router = APIRouter(route_class=CommandRoute)


FEEDBACK = shape("FeedbackGiven", q.FeedbackRecorded, nullable=("text",))
QUOTE = shape("Quote", QuoteRow, without=("currency",), amounts=("price", "total"), also={"feedback": [FEEDBACK]})


@router.get(
    "/quotes",
    summary="Quotes, newest first",
    response_model=page_of("QuoteListed", QuoteRow, only=_LISTED, without=("currency",), amounts=("price", "total")),
    openapi_extra=needs(READ),
)
async def quotes(
    call: Call,
    paging: Paging,
    store_id: Id | None = None,
    customer_id: Id | None = None,
    opportunity_id: Id | None = None,
    stage: Stage | None = None,
) -> Page:
    where = {"store_id": store_id, "customer_id": customer_id, "opportunity_id": opportunity_id, "stage": stage}
    found = await page(call, table, paging, order="issued_at desc, quote_id desc", where=where, columns=_LISTED)
    return {"items": [shown(row, "price", "total") for row in found["items"]], "next_cursor": found["next_cursor"]}


@router.get("/quotes/{quote_id}", summary="A quote with its revisions and feedback", response_model=QUOTE, openapi_extra=needs(READ))
async def quote(quote_id: Id, call: Call) -> dict[str, Any]:
    row = await row_of(call, quote_id)
    clear = may_see_person(call, row)
    texts = await call.vault.open_all([feedback["text"] if clear else None for feedback in row["feedback"]])
    row["feedback"] = [{**feedback, "text": text} for feedback, text in zip(row["feedback"], texts, strict=True)]
    return shown(row, "price", "total")


async def row_of(call: Call, quote_id: str) -> dict[str, Any]:
    """A quote's row; 404 when it is not the caller's."""
    return await call.need(f"select * from {table.sql_name} where quote_id = %s", [quote_id])
