"""A trim: what the catalogue offers, its guide price, and the list prices of stores with validity and source."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, assert_never

from shared.decider import Claim, Decider, Rejected, Take, message
from shared.values.money import Money

type Powertrain = Literal["petrol", "diesel", "hybrid", "plug-in-hybrid", "range-extender", "electric", "hydrogen"]


@message
class ListTrim:
    trim_id: str
    brand: str
    series: str
    model_year: int
    name: str
    powertrain: Powertrain
    imported: bool
    guide_price: Money
    at: datetime


@message
class ListPrice:
    """`store_id` None: for every store without a price of its own."""

    store_id: str | None
    price: Money
    valid_from: date
    valid_to: date | None
    source: str
    at: datetime


@message
class TrimListed:
    trim_id: str
    brand: str
    series: str
    model_year: int
    name: str
    powertrain: Powertrain
    imported: bool
    guide_price: Money


@message
class PriceListed:
    store_id: str | None
    price: Money
    valid_from: date
    valid_to: date | None
    source: str


@message
class Absent: ...


@message
class Listed:
    """`prices` in the order they were listed."""

    trim_id: str
    guide_price: Money
    prices: tuple[PriceListed, ...] = ()


type Command = ListTrim | ListPrice
type Event = TrimListed | PriceListed
type State = Absent | Listed


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case ListTrim(), Absent():
            return [_list(command)]
        case ListPrice(), Listed():
            return _price(command, state)
        case _:
            raise Rejected("illegal-transition", "The catalogue does not allow that now.")


def _list(command: ListTrim) -> TrimListed:
    if command.guide_price.minor <= 0:
        raise Rejected("amount-not-positive", "A guide price is above zero.")
    return TrimListed(
        trim_id=command.trim_id,
        brand=command.brand,
        series=command.series,
        model_year=command.model_year,
        name=command.name,
        powertrain=command.powertrain,
        imported=command.imported,
        guide_price=command.guide_price,
    )


def _price(command: ListPrice, trim: Listed) -> list[Event]:
    if command.price.minor <= 0:
        raise Rejected("amount-not-positive", "A list price is above zero.")
    if command.price.currency != trim.guide_price.currency:
        raise Rejected("currency-differs", "A list price is in the currency of the guide price.")
    if command.valid_to is not None and command.valid_to < command.valid_from:
        raise Rejected("validity-invalid", "A price is valid to its last day, which is not before its first.")
    listed = PriceListed(
        store_id=command.store_id,
        price=command.price,
        valid_from=command.valid_from,
        valid_to=command.valid_to,
        source=command.source,
    )
    return [] if trim.prices and trim.prices[-1] == listed else [listed]


def price_on(prices: Sequence[PriceListed], store_id: str, day: date) -> PriceListed | None:
    """The store's own price of that day, else the one for every store; None: the guide price counts.

    Of several the one that began last counts, of those the one listed last.
    """
    valid = [price for price in prices if price.valid_from <= day and (price.valid_to is None or day <= price.valid_to)]
    own = [price for price in valid if price.store_id == store_id]
    for_all = [price for price in valid if price.store_id is None]
    return max(reversed(own or for_all), key=lambda price: price.valid_from, default=None)


def evolve(state: State, event: Event) -> State:
    match event:
        case TrimListed(trim_id=trim_id, guide_price=guide_price):
            return Listed(trim_id=trim_id, guide_price=guide_price)
        case PriceListed():
            assert isinstance(state, Listed)
            return Listed(trim_id=state.trim_id, guide_price=state.guide_price, prices=(*state.prices, event))
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """The catalogue names a trim once."""
    match event:
        case TrimListed(brand=brand, series=series, model_year=model_year, name=name):
            key = "/".join(part.casefold() for part in (brand, series, str(model_year), name))
            return [Take(kind="trim", key=key, problem="already-exists", reason="The catalogue has this trim already.")]
        case PriceListed():
            return []
        case unknown:
            assert_never(unknown)


trim = Decider[Command, State, Event](Absent(), decide, evolve, claims)
