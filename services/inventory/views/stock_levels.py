"""Stock levels: how many cars of each trim a store has to sell, and which are too few."""

from dataclasses import dataclass

from fastapi import APIRouter

from services.inventory.domain import stock_level
from shared.decider import replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of


@dataclass(frozen=True, kw_only=True)
class LevelRow:
    store_id: str
    trim_id: str
    count: int = 0
    threshold: int = 0
    low: bool = False
    version: int = 1


stock_levels = Table("stock_levels", 1, LevelRow, key=("store_id", "trim_id"), store=None)


def apply(row: LevelRow | None, recorded: Recorded[stock_level.Event]) -> LevelRow:
    """The level as it is after the event."""
    event = recorded.event
    level = replace(row or LevelRow(store_id=event.store_id, trim_id=event.trim_id), version=recorded.version)
    match event:
        case stock_level.CarCounted(count=count) | stock_level.CarUncounted(count=count):
            return replace(level, count=count)
        case stock_level.ThresholdSet(threshold=threshold):
            return replace(level, threshold=threshold)
        case stock_level.StockFellLow():
            return replace(level, low=True)
        case stock_level.StockRecovered():
            return replace(level, low=False)


level_list = Fold(stock_levels, apply)

router = APIRouter(route_class=CommandRoute)


@router.get(
    "/stock-levels", summary="List stock levels", response_model=page_of("StockLevel", LevelRow), openapi_extra=needs("inventory.read")
)
async def list_stock_levels(
    call: Call, paging: Paging, store_id: Id | None = None, trim_id: Id | None = None, low: bool | None = None
) -> Page:
    """How many cars of each trim can be sold at each store now."""
    where = {"store_id": store_id, "trim_id": trim_id, "low": low}
    return await page(call, stock_levels, paging, order="store_id, trim_id", where=where)
