"""The catalogue as it is read: each trim with its guide price and all its list prices."""

from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter

from services.inventory.domain import trim
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.values.money import Money
from shared.views.table import Fold, Table
from shared.web.body import Day, Id, Line, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape


@dataclass(frozen=True, kw_only=True)
class TrimRow:
    trim_id: str
    brand: str
    series: str
    model_year: int
    name: str
    powertrain: str
    imported: bool
    guide_price: int
    currency: str
    prices: tuple[trim.PriceListed, ...] = ()
    version: int = 1


trims = Table("trims", 1, TrimRow, key=("trim_id",), store=None, indexes=("brand, series, name, trim_id",))


def apply(row: TrimRow | None, recorded: Recorded[trim.Event]) -> TrimRow | None:
    """The trim as it is after the event."""
    match recorded.event, row:
        case trim.TrimListed() as event, _:
            return TrimRow(
                trim_id=event.trim_id,
                brand=event.brand,
                series=event.series,
                model_year=event.model_year,
                name=event.name,
                powertrain=event.powertrain,
                imported=event.imported,
                guide_price=event.guide_price.minor,
                currency=event.guide_price.currency,
                version=recorded.version,
            )
        case trim.PriceListed() as event, TrimRow():
            return replace(row, prices=(*row.prices, event), version=recorded.version)
        case _:
            return row


trim_list = Fold(trims, apply)

router = APIRouter(route_class=CommandRoute)


TRIM = shape("Trim", TrimRow, without=("currency",), amounts=("guide_price",))


@router.get(
    "/trims",
    summary="List the catalogue",
    response_model=page_of(TRIM),
    openapi_extra=needs("inventory.read"),
)
async def list_trims(
    call: Call,
    paging: Paging,
    brand: Line | None = None,
    series: Line | None = None,
    powertrain: trim.Powertrain | None = None,
    model_year: int | None = None,
) -> Page:
    """Trims by brand, series and name."""
    where = {"brand": brand, "series": series, "powertrain": powertrain, "model_year": model_year}
    found = await page(call, trims, paging, order="brand, series, name, trim_id", where=where)
    found["items"] = [_shown(row) for row in found["items"]]
    return found


@router.get(
    "/trims/{trim_id}",
    summary="Show a trim",
    response_model=TRIM,
    openapi_extra=needs("inventory.read"),
)
async def show_trim(trim_id: Id, call: Call) -> dict[str, Any]:
    """A trim with its prices."""
    return _shown(await call.need(f"select * from {trims.sql_name} where trim_id = %s", [trim_id]))


@router.get(
    "/trims/{trim_id}/price",
    summary="What a trim costs at a store on a day",
    response_model=shape("PriceOfDay", trim.PriceListed, without=("store_id",), maybe=("valid_from", "valid_to")),
    openapi_extra=needs("inventory.read"),
)
async def show_price(trim_id: Id, store_id: Id, day: Day, call: Call) -> dict[str, Any]:
    """The store's own price of that day, else the one for every store, else the guide price, each with its source."""
    row = await call.need(f"select * from {trims.sql_name} where trim_id = %s", [trim_id])
    prices = msgspec.convert(row["prices"], tuple[trim.PriceListed, ...])
    found = trim.price_on(prices, store_id, day)
    if found is None:
        return {"price": amount(Money(row["guide_price"], row["currency"])), "source": "guide price"}
    return {"price": amount(found.price), "valid_from": found.valid_from, "valid_to": found.valid_to, "source": found.source}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A trim as it crosses the API."""
    guide_price = amount(Money(row["guide_price"], row.pop("currency")))
    prices = [{**price, "price": amount(Money(**price["price"]))} for price in row["prices"]]
    return {**row, "guide_price": guide_price, "prices": prices}
