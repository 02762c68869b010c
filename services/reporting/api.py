"""The three reports over HTTP, and the events behind any figure of them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

import msgspec
from fastapi import APIRouter

from services.reporting.views import funnel, profit, turnover
from services.reporting.views.complete import complete_to
from services.reporting.views.facts import STAGES
from services.reporting.views.heard import heard_events, hidden, visible
from shared.contracts import PUBLISHED
from shared.values.money import Money
from shared.web.body import Day, Id, Instant, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)

LONGEST = 3_660
"""Days a report may span."""
By = Literal["channel", "brand", "series", "store", "grade", "seller", "campaign", "month"]
ProfitBy = Literal["vin", "order", "trim", "series", "store", "seller", "channel", "month"]
Stage = Literal["captured", "contacted", "first-contact", "needs", "presentation", "test-drive", "quote", "negotiation", "won"]


def scope(call: Call, since: Any, until: Any, as_of: datetime | None, store_id: str | None) -> dict[str, Any]:
    """The parameters all reports share. Days are UTC days unless a report says otherwise; neither `until` nor `as_of` is part of it."""
    last = until or call.at.date() + timedelta(days=1)
    first = since or last - timedelta(days=365)
    if not 0 < (last - first).days <= LONGEST:
        raise Problem("validation", errors=[FieldError("until", "period")])
    if store_id is not None and not call.auth.has_store(store_id):
        raise Problem("forbidden")
    stores = [store_id] if store_id else None if call.auth.all_stores else sorted(call.auth.stores)
    return {"since": first, "until": last, "as_of": as_of or call.at, "store_id": store_id, "scope": stores}


async def head(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    """What a report says of itself: period, the moment it is as of, and up to when everything has been heard."""
    return {
        "since": asked["since"].isoformat(),
        "until": asked["until"].isoformat(),
        "as_of": asked["as_of"],
        "complete_to": await complete_to(call),
    }


def at_midnight(asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters with moments for days."""
    moments = {name: datetime.combine(asked[name], time(), UTC) for name in ("since", "until")}
    return {**asked, **moments}


@router.get("/reports/funnel", summary="Leads by the stage they reached, with conversion and dwell", openapi_extra=needs("reports.read"))
async def read_funnel(
    call: Call,
    since: Day | None = None,
    until: Day | None = None,
    as_of: Instant | None = None,
    store_id: Id | None = None,
    by: By | None = None,
) -> dict[str, Any]:
    """Cohort view (reached) and snapshot view (open) of the leads captured in the period."""
    asked = scope(call, since, until, as_of, store_id)
    moments = at_midnight(asked)
    dimension = funnel.DIMENSIONS[by] if by else "null::text"
    rows = await call.rows(funnel.COHORT.format(dimension=dimension), moments)
    spans = await call.rows(funnel.DWELLS, moments)
    return {**await head(call, asked), "by": by, "groups": funnel.shape(rows), "dwell": funnel.dwell(spans, moments["as_of"])}


@router.get("/reports/funnel/leads", summary="The leads behind a stage of the funnel", openapi_extra=needs("reports.read"))
async def read_funnel_leads(
    call: Call,
    stage: Stage,
    since: Day | None = None,
    until: Day | None = None,
    as_of: Instant | None = None,
    store_id: Id | None = None,
) -> dict[str, Any]:
    """At most 1,000 leads that reached the stage, oldest first."""
    asked = scope(call, since, until, as_of, store_id)
    rows = await call.rows(funnel.WHICH, {**at_midnight(asked), "rank": STAGES.index(stage)})
    return {"items": [{**row, "reached": STAGES[row.pop("rank")]} for row in rows], "next_cursor": None}


@router.get(
    "/reports/inventory-turnover",
    summary="Turnover, days of stock, stock coefficient and age",
    openapi_extra=needs("reports.margin"),
)
async def read_turnover(
    call: Call, since: Day | None = None, until: Day | None = None, as_of: Instant | None = None, store_id: Id | None = None
) -> dict[str, Any]:
    """Per currency, at cost, in the stores' own days."""
    asked = scope(call, since, until, as_of, store_id)
    days = turnover.days_between(asked["since"], asked["until"])
    rows = await call.rows(turnover.TURNOVER, asked)
    cars = await call.rows(turnover.AGES, {**asked, "today": min(asked["until"] - timedelta(days=1), call.at.date())})
    money = [
        {
            "currency": row["currency"],
            "sold": row["sold"],
            "units": row["units"],
            **{name: amount(Money(row[name] or 0, row["currency"])) for name in ("cost_of_sold", "average_stock", "value")},
            **turnover.measures(row, days),
        }
        for row in rows
    ]
    ages = [{**b, "cost": [amount(Money(v, c)) for c, v in sorted(b["cost"].items())]} for b in turnover.buckets(cars)]
    oldest = [{**car, "cost": amount(Money(car["cost"], car.pop("currency")))} for car in cars[:100]]
    return {**await head(call, asked), "money": money, "ages": ages, "oldest": oldest}


@router.get("/reports/profit", summary="Gross profit, at the deal and as now", openapi_extra=needs("reports.margin"))
async def read_profit(
    call: Call,
    since: Day | None = None,
    until: Day | None = None,
    as_of: Instant | None = None,
    store_id: Id | None = None,
    by: ProfitBy = "vin",
) -> dict[str, Any]:
    """Front gross = net revenue − book cost − storage and interest of the VIN; late costs count in "now".

    Totals are of all cars; `more` says that there are lines beyond those shown, which a shorter period or one store shows.
    """
    asked = scope(call, since, until, as_of, store_id)
    moments = at_midnight(asked)
    rows = await call.rows(f"{profit.PROFIT.format(dimension=profit.DIMENSIONS[by])} limit {profit.MOST + 1}", moments)
    whole = await call.rows(profit.PROFIT.format(dimension=profit.WHOLE), moments)
    waiting = await call.one(profit.WAITING, moments)
    return {
        **await head(call, asked),
        "by": by,
        "lines": [profit.line(row, by) for row in rows[: profit.MOST]],
        "more": len(rows) > profit.MOST,
        "totals": profit.totals(whole),
        "not_yet_recognised": waiting["n"] if waiting else 0,
    }


@router.get("/reports/events", summary="The events behind a figure", openapi_extra=needs("reports.read"))
async def read_events(
    call: Call,
    paging: Paging,
    vin: VinText | None = None,
    order_id: Id | None = None,
    lead_id: Id | None = None,
    opportunity_id: Id | None = None,
    campaign_id: Id | None = None,
    as_of: Instant | None = None,
) -> Page:
    """Oldest first, without personal fields; events that show cost, margin or people only for those who may see these."""
    wanted = {"vin": vin, "order_id": order_id, "lead_id": lead_id, "opportunity_id": opportunity_id, "campaign_id": campaign_id}
    if not any(wanted.values()):
        raise Problem("validation", errors=[FieldError("vin", "missing")])
    where = {**wanted, "recorded_at <": as_of, "type": visible(call.auth)}
    found = await page(call, heard_events, paging, order="recorded_at, event_id", where=where)
    found["items"] = [_shown(row) for row in found["items"]]
    return found


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    data = msgspec.json.decode(row["data"])
    for field in hidden(PUBLISHED.get(row["type"])):
        data.pop(field, None)
    keep = ("event_id", "type", "stream", "sequence", "occurred_at", "recorded_at", "store_id", "actor", "correlation_id")
    return {**{name: row[name] for name in keep}, "data": data}
