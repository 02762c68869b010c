"""From a body to an order's terms: the list price is ours, and an order from a quote says what the quote says."""

from typing import Annotated, Any

import msgspec
from pydantic import Field

from services.orders.api import lookups
from services.orders.api.quotes import Option
from services.orders.domain.order_messages import Sale, Terms
from services.orders.domain.quote import Offer
from services.orders.views import quote_book
from shared.deciding import NotFound
from shared.values.money import Money
from shared.web.body import Body, Day, Id, Line, NonNegativeAmount, PositiveAmount, VinText
from shared.web.call import Call
from shared.web.problems import Problem

type Options = Annotated[tuple[Option, ...], Field(max_length=50)]


class NewOrder(Body):
    """From a quote, everything it says must be repeated here, its options aside."""

    store_id: Id
    customer_id: Id
    opportunity_id: Id | None = None
    quote_id: Id | None = None
    trim_id: Id
    vin: VinText | None = None
    options: Options = ()
    price: PositiveAmount
    down_payment: NonNegativeAmount
    deliver_on: Day | None = None
    channel: Line = "walk-in"
    """Where the customer comes from, when no opportunity tells."""


class Changed(Body):
    """What is given replaces what was agreed."""

    trim_id: Id | None = None
    vin: VinText | None = None
    options: Options | None = None
    price: PositiveAmount | None = None
    down_payment: NonNegativeAmount | None = None
    deliver_on: Day | None = None
    reason: Line


async def new_terms(call: Call, body: NewOrder, shop: lookups.Shop) -> Terms:
    """The terms of a new order. Raises Problem for what does not exist or differs from the quote."""
    if body.quote_id:
        list_price, options = await as_quoted(call, body)
    else:
        list_price, options = await listed(call, body.trim_id, body.options, shop)
    if body.vin:
        await lookups.car(call, body.vin, body.trim_id)
    return Terms(
        trim_id=body.trim_id,
        vin=body.vin,
        options=options,
        list_price=list_price,
        price=body.price,
        down_payment=body.down_payment,
        deliver_on=body.deliver_on,
    )


async def listed(call: Call, trim_id: str, options: tuple[Option, ...], shop: lookups.Shop) -> tuple[Money, tuple[str, ...]]:
    """The price in force with options, and what they are. Raises Problem for an option in another currency."""
    _, price = await lookups.priced(call, trim_id, shop)
    for option in options:
        if option.amount.currency != price.currency:
            raise Problem("currency-mismatch")
        price += option.amount
    return price, tuple(option.text for option in options)


async def as_quoted(call: Call, body: NewOrder) -> tuple[Money, tuple[str, ...]]:
    """The quote's list price with its options. Raises Problem when the quote is not open, is another's or says another price."""
    try:
        row = await quote_book.row_of(call, body.quote_id or "")
    except NotFound:
        raise lookups.unknown("quote_id") from None
    if any(row[name] != getattr(body, name) for name in ("store_id", "customer_id", "trim_id")):
        raise lookups.unknown("quote_id")
    if row["stage"] == "expired" or row["expires_at"] <= call.at:
        raise Problem("quote-expired")
    if (row["price"], row["currency"]) != (body.price.minor, body.price.currency):
        raise Problem("price-changed", "The quote says another price.")
    offer = msgspec.convert(row["revisions"][-1]["offer"], Offer)
    return sum((option.amount for option in offer.options), offer.list_price), tuple(option.text for option in offer.options)


async def new_sale(call: Call, body: NewOrder, shop: lookups.Shop, order_id: str, number: str, checklist: tuple[str, ...]) -> Sale:
    """Whose purchase it is, and the opportunity it comes from."""
    await lookups.customer(call, body.customer_id)
    source: dict[str, Any] = {"campaign_id": None, "channel": body.channel}
    if body.opportunity_id:
        source = await lookups.opportunity(call, body.opportunity_id, body.customer_id)
    return Sale(
        order_id=order_id,
        number=number,
        store_id=shop.store_id,
        entity_id=shop.entity_id,
        customer_id=body.customer_id,
        opportunity_id=body.opportunity_id,
        campaign_id=source["campaign_id"],
        channel=source["channel"],
        seller_id=call.staff,
        quote_id=body.quote_id,
        vat_permille=shop.vat_permille,
        checklist=checklist,
    )


async def changed_terms(call: Call, body: Changed, row: dict[str, Any]) -> Terms:
    """An order's terms with what a change order replaces; another trim or other options are priced anew."""
    shop = await lookups.shop(call, row["store_id"])
    trim_id = body.trim_id or row["trim_id"]
    list_price, options = Money(row["list_price"], row["currency"]), tuple(row["options"])
    if body.options is not None or trim_id != row["trim_id"]:
        list_price, options = await listed(call, trim_id, body.options or (), shop)
    vin = body.vin or row["vin"]
    if vin and (vin, trim_id) != (row["vin"], row["trim_id"]):
        await lookups.car(call, vin, trim_id)
    return Terms(
        trim_id=trim_id,
        vin=vin,
        options=options,
        list_price=list_price,
        price=body.price or Money(row["price"], row["currency"]),
        down_payment=body.down_payment or Money(row["down_payment"], row["currency"]),
        deliver_on=body.deliver_on or row["deliver_on"],
    )
