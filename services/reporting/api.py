"""The three reports over HTTP, and the events behind any figure of them."""

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter

from services.reporting.views import funnel, profit, turnover
from services.reporting.views.complete import complete_to
from services.reporting.views.facts import STAGES, stores
from services.reporting.views.heard import HeardRow, heard_events, hidden, visible
from shared.contracts import PUBLISHED
from shared.values.clock import local_day
from shared.values.money import Money
from shared.web.body import Day, Id, Instant, VinText, amount
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)

LONGEST = 3_660
"""Days a report may span."""
By = Literal["channel", "brand", "series", "store", "grade", "seller", "campaign", "month"]
ProfitBy = Literal["vin", "order", "trim", "series", "store", "seller", "channel", "month"]
Stage = Literal["captured", "contacted", "first-contact", "needs", "presentation", "test-drive", "quote", "negotiation", "won"]


async def scope(call: Call, since: Any, until: Any, as_of: datetime | None, store_id: str | None) -> dict[str, Any]:
    """The parameters all reports share. Days are those of the store, without one those of most stores; neither `until` nor `as_of` is part of it."""
    zone = await _zone(call, store_id)
    today = local_day(call.at, zone)
    last = until or today + timedelta(days=1)
    first = since or last - timedelta(days=365)
    if not 0 < (last - first).days <= LONGEST:
        raise Problem("validation", errors=[FieldError("until", "period")])
    if store_id is not None and not call.auth.has_store(store_id):
        raise Problem("forbidden")
    stores = [store_id] if store_id else None if call.auth.all_stores else sorted(call.auth.stores)
    period = {"since": first, "until": last, "today": min(today, last - timedelta(days=1)), "zone": zone}
    return {**period, "as_of": as_of or call.at, "store_id": store_id, "scope": stores}


async def _zone(call: Call, store_id: str | None) -> str:
    """The time zone of a store, or of most stores."""
    sql = f"""select timezone from {stores.sql_name} where %(store_id)s::text is null or store_id = %(store_id)s
        group by timezone order by count(*) desc, timezone limit 1"""
    row = await call.one(sql, {"store_id": store_id})
    return str(row["timezone"]) if row else "UTC"


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
    moments = {name: datetime.combine(asked[name], time(), ZoneInfo(asked["zone"])) for name in ("since", "until")}
    return {**asked, **moments}


HEAD = {"since": date, "until": date, "as_of": datetime, "complete_to": datetime | None}
REACHED = shape("StageReached", also={"stage": Stage, "reached": int, "open": int, "conversion_permille": int | None})
FUNNEL = shape(
    "Funnel",
    also={
        **HEAD,
        "by": By | None,
        "groups": [shape("FunnelGroup", also={"key": str | None, "stages": [REACHED]})],
        "dwell": [shape("Dwell", also={"stage": Stage, "n": int, "open": int, "median_seconds": int | None})],
    },
)
STOCK_MONEY = {"currency": str, "sold": int, "units": int, "cost_of_sold": Money, "average_stock": Money, "value": Money}
STOCK_MEASURES = dict.fromkeys(("turnover", "days_of_stock", "stock_coefficient"), str | None)
STOCK_AGE = {"from": int, "to": int | None, "units": int, "cost": list[Money]}
OLDEST = {"vin": str, "stay_id": str, "store_id": str, "cost": Money, "age": int, "store_age": int, "in_transit": bool}
TURNOVER = shape(
    "InventoryTurnover",
    also={
        **HEAD,
        "money": [shape("TurnoverOfCurrency", also={**STOCK_MONEY, **STOCK_MEASURES})],
        "ages": [shape("StockAge", also=STOCK_AGE)],
        "oldest": [shape("OldestCar", also=OLDEST)],
    },
)
FIGURES = {"cars": int, **dict.fromkeys(profit.FIGURES, Money)}
PROFIT_LINE = shape("ProfitLine", also={"key": str | None, **FIGURES, "events": str, "vin": str}, maybe=("events", "vin"))
PROFIT = shape(
    "Profit",
    also={
        **HEAD,
        "by": ProfitBy,
        "lines": [PROFIT_LINE],
        "more": bool,
        "totals": [shape("ProfitTotal", also={"currency": str, **FIGURES})],
        "not_yet_recognised": int,
    },
)
_KEPT = ("event_id", "type", "stream", "sequence", "occurred_at", "recorded_at", "store_id", "actor", "correlation_id")


@router.get(
    "/reports/funnel",
    summary="Leads by the stage they reached, with conversion and dwell",
    response_model=FUNNEL,
    openapi_extra=needs("reports.read"),
)
async def read_funnel(
    call: Call,
    since: Day | None = None,
    until: Day | None = None,
    as_of: Instant | None = None,
    store_id: Id | None = None,
    by: By | None = None,
) -> dict[str, Any]:
    """Cohort view (reached) and snapshot view (open) of the leads captured in the period."""
    asked = await scope(call, since, until, as_of, store_id)
    moments = at_midnight(asked)
    dimension = funnel.DIMENSIONS[by] if by else "null::text"
    rows, spans = await asyncio.gather(
        call.rows(funnel.COHORT.format(dimension=dimension), moments),
        call.rows(funnel.DWELLS, moments),
    )
    return {**await head(call, asked), "by": by, "groups": funnel.shape(rows), "dwell": funnel.dwell(spans)}


@router.get(
    "/reports/funnel/leads",
    summary="The leads behind a stage of the funnel",
    response_model=page_of("LeadBehind", also={"lead_id": str, "reached": Stage, "closed": bool, "occurred_at": datetime}),
    openapi_extra=needs("reports.read"),
)
async def read_funnel_leads(
    call: Call,
    stage: Stage,
    since: Day | None = None,
    until: Day | None = None,
    as_of: Instant | None = None,
    store_id: Id | None = None,
) -> dict[str, Any]:
    """At most 1,000 leads that reached the stage, oldest first."""
    asked = await scope(call, since, until, as_of, store_id)
    rows = await call.rows(funnel.WHICH, {**at_midnight(asked), "rank": STAGES.index(stage)})
    return {"items": [{"reached": STAGES[row.pop("rank")], **row} for row in rows], "next_cursor": None}


@router.get(
    "/reports/inventory-turnover",
    summary="Turnover, days of stock, stock coefficient and age",
    response_model=TURNOVER,
    openapi_extra=needs("reports.margin"),
)
async def read_turnover(
    call: Call, since: Day | None = None, until: Day | None = None, as_of: Instant | None = None, store_id: Id | None = None
) -> dict[str, Any]:
    """Per currency, at cost, in the stores' own days."""
    asked = await scope(call, since, until, as_of, store_id)
    days = turnover.days_between(asked["since"], asked["until"])
    rows, cars = await asyncio.gather(call.rows(turnover.TURNOVER, asked), call.rows(turnover.AGES, asked))
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
    oldest = [{"cost": amount(Money(car.pop("cost"), car.pop("currency"))), **car} for car in cars[:100]]
    return {**await head(call, asked), "money": money, "ages": ages, "oldest": oldest}


@router.get("/reports/profit", summary="Gross profit, at the deal and as now", response_model=PROFIT, openapi_extra=needs("reports.margin"))
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
    asked = await scope(call, since, until, as_of, store_id)
    moments = at_midnight(asked)
    rows, whole, waiting = await asyncio.gather(
        call.rows(f"{profit.PROFIT.format(dimension=profit.DIMENSIONS[by])} limit {profit.MOST + 1}", moments),
        call.rows(profit.PROFIT.format(dimension=profit.WHOLE), moments),
        call.one(profit.WAITING, moments),
    )
    return {
        **await head(call, asked),
        "by": by,
        "lines": [profit.line(row, by) for row in rows[: profit.MOST]],
        "more": len(rows) > profit.MOST,
        "totals": profit.totals(whole),
        "not_yet_recognised": waiting["n"] if waiting else 0,
    }


@router.get(
    "/reports/events",
    summary="The events behind a figure",
    response_model=page_of("PublicEvent", HeardRow, only=_KEPT, also={"data": dict[str, Any]}),
    openapi_extra=needs("reports.read"),
)
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
    return {**{name: row[name] for name in _KEPT}, "data": data}
