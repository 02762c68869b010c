"""The catalogue: trims and their prices."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from services.inventory.api.refer import Name, unknown
from services.inventory.domain import trim
from shared.handling import Done
from shared.values.ids import new_id
from shared.web.body import Body, Day, Id, Line, PositiveAmount
from shared.web.call import Call
from shared.web.problems import Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewTrim(Body):
    brand: Name
    series: Name
    model_year: Annotated[int, Field(ge=1980, le=2100, examples=[2026])]
    name: Line
    powertrain: trim.Powertrain
    imported: bool = False
    guide_price: PositiveAmount


@router.post("/trims", status_code=201, summary="List a trim in the catalogue", openapi_extra=needs("catalogue.write"))
async def list_trim(body: NewTrim, call: Call) -> Done:
    """A brand's series, model year and name together are in the catalogue once."""
    trim_id = new_id()
    return await call.handle("trim", trim_id, trim.ListTrim(trim_id=trim_id, at=call.at, **dict(body)))


class NewPrice(Body):
    store_id: Id | None = None
    price: PositiveAmount
    valid_from: Day
    valid_to: Day | None = None
    source: Line


@router.post("/trims/{trim_id}/prices", summary="List a price of a trim", openapi_extra=needs("catalogue.write"))
async def list_price(trim_id: Id, body: NewPrice, call: Call) -> Done:
    """For one store of the caller's, or without `store_id` for every store without a price of its own: the group's business."""
    if body.store_id is None and not (call.auth.all_stores or call.auth.may("rules.write")):
        raise Problem("forbidden", "Only who keeps the rules of the group prices a trim for every store.")
    if body.store_id is not None and not call.auth.has_store(body.store_id):
        raise unknown("store_id")
    return await call.handle("trim", trim_id, trim.ListPrice(at=call.at, **dict(body)))
