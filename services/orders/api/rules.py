"""Rules over HTTP: an administrator enacts what will be in force from a day on, and names its source."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from services.orders.domain.rules import EnactSalesRules, EnactTaxRules, SalesRules, TaxRules
from shared.handling import Done
from shared.web.body import Body, Day, Line, NonNegativeAmount
from shared.web.call import Call
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)
type Permille = Annotated[int, Field(ge=0, le=1000)]
type Powertrain = Literal["petrol", "diesel", "hybrid", "plug-in-hybrid", "range-extender", "electric", "hydrogen"]


class NewSalesRules(Body):
    valid_from: Day
    source: Line
    minimum_down_permille: Permille
    earnest_limit_permille: Annotated[int, Field(ge=0, le=200)]
    quote_days: Annotated[int, Field(ge=1, le=365)]
    checklist: Annotated[list[Line], Field(min_length=1, max_length=50)]


class NewTaxRules(Body):
    valid_from: Day
    valid_to: Day | None = None
    source: Line
    rate_permille: Permille
    relief_permille: Permille
    relief_cap: NonNegativeAmount
    relieved: Annotated[list[Powertrain], Field(max_length=20)]


@router.post("/sales-rules", summary="Enact rules of selling", status_code=201, openapi_extra=needs("rules.write", location="/sales-rules"))
async def enact_sales_rules(body: NewSalesRules, call: Call) -> Done:
    rules = SalesRules(
        valid_from=body.valid_from,
        source=body.source,
        minimum_down_permille=body.minimum_down_permille,
        earnest_limit_permille=body.earnest_limit_permille,
        quote_days=body.quote_days,
        checklist=tuple(body.checklist),
    )
    return await call.handle("rules", "group", EnactSalesRules(rules=rules, by=call.staff, at=call.at))


@router.post("/tax-rules", summary="Enact a purchase tax", status_code=201, openapi_extra=needs("rules.write", location="/sales-rules"))
async def enact_tax_rules(body: NewTaxRules, call: Call) -> Done:
    rules = TaxRules(
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        source=body.source,
        currency=body.relief_cap.currency,
        rate_permille=body.rate_permille,
        relief_permille=body.relief_permille,
        relief_cap=body.relief_cap,
        relieved=tuple(body.relieved),
    )
    return await call.handle("rules", "group", EnactTaxRules(rules=rules, by=call.staff, at=call.at))
