"""Quotes over HTTP: list price, tax and total are reckoned here, never taken from the caller."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from services.orders.api import lookups
from services.orders.api.papers import quote_paper
from services.orders.domain.quote import FinancePlan, IssueQuote, Item, Offer, RecordFeedback, ReviseQuote
from services.orders.domain.tax import PurchaseTax
from services.orders.views import quote_book
from services.orders.views.shown import READ, manages, may_see_person
from shared.documents import render_async
from shared.handling import Done, Number
from shared.values.ids import new_id
from shared.web.body import Body, Day, Id, Line, NonNegativeAmount, PositiveAmount, Text, VinText
from shared.web.call import Call
from shared.web.problems import Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class Option(Body):
    text: Line
    amount: PositiveAmount


class Beside(Body):
    kind: Literal["accessory", "insurance", "plates", "service"]
    text: Line
    amount: PositiveAmount


class Plan(Body):
    """The lender's figures; down payment and loan make up the total."""

    product: Line
    down_payment: NonNegativeAmount
    loan: PositiveAmount
    months: Annotated[int, Field(ge=1, le=120)]
    instalment: PositiveAmount


class OfferBody(Body):
    trim_id: Id
    vin: VinText | None = None
    options: Annotated[tuple[Option, ...], Field(max_length=50)] = ()
    discount: NonNegativeAmount
    beside: Annotated[tuple[Beside, ...], Field(max_length=50)] = ()
    trade_in: Option | None = None
    finance: Plan | None = None
    invoice_on: Day | None = None
    """The day the car will be invoiced, for the purchase tax; today if not given."""


class NewQuote(OfferBody):
    store_id: Id
    customer_id: Id
    opportunity_id: Id | None = None


class Feedback(Body):
    liked: bool
    text: Text = ""


@router.post("/quotes", summary="Quote a car as configured", status_code=201, openapi_extra=needs("orders.write"))
async def issue(body: NewQuote, call: Call) -> Done:
    shop = await lookups.shop(call, body.store_id)
    await lookups.customer(call, body.customer_id)
    if body.opportunity_id:
        await lookups.opportunity(call, body.opportunity_id, body.customer_id)
    offer, tax = await offer_of(call, body, shop)
    quote_id = new_id()

    def numbered(n: int) -> IssueQuote:
        return IssueQuote(
            quote_id=quote_id,
            number=f"QT-{shop.code}-{shop.today:%Y%m%d}-{n:03}",
            store_id=shop.store_id,
            customer_id=body.customer_id,
            opportunity_id=body.opportunity_id,
            seller_id=call.staff,
            offer=offer,
            vat_permille=shop.vat_permille,
            tax=tax,
            expires_at=call.at + timedelta(days=lookups.rules(shop).quote_days),
            at=call.at,
        )

    return await call.handle("quote", quote_id, numbered, number=Number(series=f"QT-{shop.code}", day=shop.today), store_id=shop.store_id)


@router.post("/quotes/{quote_id}/revise", summary="Quote it anew", openapi_extra=needs("orders.write"))
async def revise(quote_id: Id, body: OfferBody, call: Call) -> Done:
    row = await quote_book.row_of(call, quote_id)
    shop = await lookups.shop(call, row["store_id"])
    offer, tax = await offer_of(call, body, shop)
    command = ReviseQuote(
        by=call.staff,
        manager=manages(call),
        offer=offer,
        vat_permille=shop.vat_permille,
        tax=tax,
        expires_at=call.at + timedelta(days=lookups.rules(shop).quote_days),
        at=call.at,
    )
    return await call.handle("quote", quote_id, command)


@router.post("/quotes/{quote_id}/feedback", summary="What the customer says to it", openapi_extra=needs("orders.write"))
async def feedback(quote_id: Id, body: Feedback, call: Call) -> Done:
    row = await quote_book.row_of(call, quote_id)
    text = await call.vault.seal(row["customer_id"], body.text)
    command = RecordFeedback(by=call.staff, manager=manages(call), liked=body.liked, text=text, at=call.at)
    return await call.handle("quote", quote_id, command)


@router.get("/quotes/{quote_id}/quote.pdf", summary="The newest revision as PDF", openapi_extra=needs(READ, produces="application/pdf"))
async def paper(quote_id: Id, call: Call) -> Response:
    row = await quote_book.row_of(call, quote_id)
    if not may_see_person(call, row):
        raise Problem("forbidden")
    data = await quote_paper(call, row)
    return Response(await render_async("quote", data), media_type="application/pdf")


async def offer_of(call: Call, body: OfferBody, shop: lookups.Shop) -> tuple[Offer, PurchaseTax | None]:
    """The offer with the list price in force, and the tax rule of the day the car will be invoiced."""
    trim, list_price = await lookups.priced(call, body.trim_id, shop)
    if body.vin:
        await lookups.car(call, body.vin, body.trim_id)
    offer = Offer(
        trim_id=body.trim_id,
        vin=body.vin,
        list_price=list_price,
        options=tuple(Item(kind="option", text=option.text, amount=option.amount) for option in body.options),
        discount=body.discount,
        beside=tuple(Item(kind=item.kind, text=item.text, amount=item.amount) for item in body.beside),
        trade_in=Item(kind="trade-in", text=body.trade_in.text, amount=body.trade_in.amount) if body.trade_in else None,
        plan=FinancePlan(**dict(body.finance)) if body.finance else None,
    )
    return offer, shop.tax(body.invoice_on, trim["powertrain"])
