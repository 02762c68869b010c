"""Reports through the gateway: equal to an independent recount, to the cent, now and as of any moment before."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.acceptance import recount
from tests.acceptance.databases import Databases
from tests.acceptance.recount import Sale
from tests.acceptance.shop import Shop, cny, did, every, minor, phone, until

BY = (None, "channel", "brand", "series", "store", "grade", "seller", "campaign", "month")
FIGURES = ("revenue", "cost", "late_cost", "front_at_deal", "front_now")


@pytest.fixture(scope="module")
def year(shop: Shop) -> datetime:
    """Leads at every stage, cars bought, moved, sold and made dearer; the moment after."""
    shop.lead(channel="ad", intent="order", within_days=3)
    lost = shop.lead(channel="walk-in")
    shop.sales.eventually(f"/leads/{lost}", status="assigned")
    shop.sales.did(f"/leads/{lost}/disqualify", {"reason": "no-budget"})
    back = shop.opportunity(channel="referral")
    for stage in ("presentation", "test-drive", "presentation"):
        shop.sales.did(f"/opportunities/{back}/advance", {"to": stage})
    given_up = shop.opportunity(channel="ad")
    shop.sales.did(f"/opportunities/{given_up}/lose", {"reason": "Price", "competitor": "Zephyr"})
    shop.manager.did(f"/opportunities/{given_up}/approve-loss")
    won = shop.opportunity(channel="website")
    shop.sales.did(f"/opportunities/{won}/advance", {"to": "needs"})
    row = shop.sales.get(f"/opportunities/{won}").json()
    shop.sales.eventually(f"/customers/{row['person_id']}")
    trim = shop.trim()
    earlier = (date.fromisoformat(shop.values["today"]) - timedelta(days=100)).isoformat()
    cars = [shop.car(trim, acquired_on=earlier, freight=cny("777.77")), shop.car(trim), shop.car(trim, "north", cost="140000.13")]
    shop.stock.did(f"/vehicles/{cars[0]}/costs", {"kind": "preparation", "supplier": "Workshop", "amount": cny("432.10")})
    stay = shop.stock.get(f"/vehicles/{cars[0]}").json()["stay_id"]
    shop.delivered(trim, cars[0], "188000.01", customer_id=row["person_id"], opportunity_id=won)
    cheap = shop.trim("113000.37", series="B7")
    shop.delivered(cheap, shop.car(cheap), "113000.37")
    moved = shop.stock.did("/transfers", {"vin": cars[2], "to_store": shop.values["south"]})
    shop.north_manager.did(f"/transfers/{moved}/approve")
    shop.north_stock.did(f"/transfers/{moved}/dispatch", {"carrier": "Swift"})
    shop.stock.eventually(f"/transfers/{moved}", status="dispatched")
    shop.stock.did(f"/transfers/{moved}/receive", {"vin": cars[2], "transport": cny("650.05")})
    shop.stock.eventually(f"/stays/{stay}", status="sold")
    shop.stock.did(f"/stays/{stay}/costs", {"kind": "freight", "supplier": "Swift", "amount": cny("88.88")})
    shop.sales.eventually(f"/opportunities/{won}", stage="won")
    return heard_until_now(shop)


def heard_until_now(shop: Shop) -> datetime:
    """A moment up to which reporting has heard everything."""
    moment = datetime.now(UTC) + timedelta(seconds=1)
    until(lambda: _complete(shop) > moment)
    return moment - timedelta(milliseconds=500)


def _complete(shop: Shop) -> datetime:
    told = shop.owner.get("/reports/funnel").json()["complete_to"]
    return datetime.fromisoformat(told) if told else datetime.min.replace(tzinfo=UTC)


def report(shop: Shop, name: str, **asked: Any) -> dict[str, Any]:
    answer = shop.owner.get(
        f"/reports/{name}", **{key: value.isoformat() if isinstance(value, datetime) else value for key, value in asked.items()}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.feature("REP-01")
def test_the_funnel_equals_a_recount_from_raw_events(shop: Shop, databases: Databases, year: datetime) -> None:
    """Counts, snapshot, conversion by every dimension, and dwell with its censored median."""
    events = recount.stored(databases, "leads", year)
    ours = [lead for lead in recount.leads(events).values() if lead.store_id == shop.values["south"]]
    assert len(ours) >= 5
    for by in BY:
        told = report(shop, "funnel", store_id=shop.values["south"], as_of=year, **({"by": by} if by else {}))
        groups = {group["key"]: [(row["stage"], row["reached"], row["open"]) for row in group["stages"]] for group in told["groups"]}
        assert groups == recount.funnel(ours, by), by
        for group in told["groups"]:
            reached = [row["reached"] for row in group["stages"]]
            rates = [row["conversion_permille"] for row in group["stages"]]
            assert rates == [None] + [after * 1000 // before if before else None for before, after in itertools.pairwise(reached)]
    told = report(shop, "funnel", store_id=shop.values["south"], as_of=year)
    spent = {row["stage"]: (row["n"], row["open"], row["median_seconds"]) for row in told["dwell"]}
    assert spent == recount.dwell(events, shop.values["south"], year)
    assert sum(n for n, _, _ in spent.values()) > 5
    named = report(shop, "funnel/leads", stage="won", store_id=shop.values["south"], as_of=year)["items"]
    assert len(named) == sum(lead.reached == 8 for lead in ours)


@pytest.mark.feature("REP-02")
@pytest.mark.parametrize("store", ["south", "north"])
def test_turnover_and_ages_equal_a_recount_from_raw_events(shop: Shop, databases: Databases, year: datetime, store: str) -> None:
    store_id = shop.values[store]
    whole = recount.stock(recount.stored(databases, "inventory", year), store_id)
    last = date.fromisoformat(shop.values["today"]) + timedelta(days=1)
    for days in (365, 30):
        since = last - timedelta(days=days)
        told = report(shop, "inventory-turnover", store_id=store_id, as_of=year, since=since.isoformat(), until=last.isoformat())
        (money,) = told["money"]
        wanted = recount.turnover(whole, since, last)
        assert {name: money[name] for name in ("sold", "units")} == {name: wanted[name] for name in ("sold", "units")}
        for name in ("cost_of_sold", "value"):
            assert minor(money[name]) == wanted[name], name
        assert abs(minor(money["average_stock"]) - wanted["average_stock"]) <= 1
        assert (Fraction(money["turnover"]) if money["turnover"] else 0) == round(wanted["turnover"] or Fraction(0), 2)
    there = {id: car for id, car in whole.cars.items() if car.store_id == store_id and not car.away}
    assert {car["stay_id"]: minor(car["cost"]) for car in told["oldest"]} == {id: car.cost for id, car in there.items()}
    today = date.fromisoformat(shop.values["today"])
    for bucket in told["ages"]:
        low, high = bucket["from"], bucket["to"] or 100_000
        mine = [car for car in there.values() if low <= (today - car.acquired_on).days <= high]
        assert (bucket["units"], sum(minor(part) for part in bucket["cost"])) == (len(mine), sum(car.cost for car in mine))


@pytest.mark.feature("REP-03")
def test_profit_equals_a_recount_from_raw_events_to_the_cent(shop: Shop, databases: Databases, year: datetime) -> None:
    """Per car, order, model, store, seller, channel and month; each line opens to its events, the total is the sum of the lines."""
    sales = [sale for sale in recount.sales(databases, year).values() if sale.keys["store_id"] == shop.values["south"]]
    assert len(sales) >= 2
    names = _names(shop)
    for by in ("vin", "order", "trim", "series", "store", "seller", "channel", "month"):
        told = report(shop, "profit", store_id=shop.values["south"], as_of=year, by=by)
        lines = {row["key"]: (row["cars"], *(minor(row[name]) for name in FIGURES)) for row in told["lines"]}
        assert lines == _sums(sales, by, names), by
        (total,) = told["totals"]
        assert (total["cars"], *(minor(total[name]) for name in FIGURES)) == tuple(map(sum, zip(*lines.values(), strict=True)))
    line = report(shop, "profit", store_id=shop.values["south"], as_of=year)["lines"][0]
    behind = {
        row["type"]: row["data"] for row in shop.owner.http.get(line["events"].removeprefix("/api/v1") + "&limit=200").json()["items"]
    }
    recognised = behind["finance.SaleRecognised.v1"]
    assert recognised["revenue"]["minor"] - recognised["cost"]["minor"] == minor(line["front_at_deal"])


def _names(shop: Shop) -> dict[str, dict[str, str]]:
    """How the report calls a trim, a series, a store and a seller."""
    trims = {row["trim_id"]: row for row in every(shop.owner, "/trims")}
    return {
        "trim": {id: f"{row['brand']} {row['series']} {row['name']}" for id, row in trims.items()},
        "series": {id: row["series"] for id, row in trims.items()},
        "store": {row["store_id"]: row["code"] for row in every(shop.owner, "/stores")},
        "seller": {row["staff_id"]: row["name"] for row in every(shop.owner, "/users")},
    }


def _sums(sales: list[Sale], by: str, names: dict[str, dict[str, str]]) -> dict[str, tuple[int, ...]]:
    """Per key: cars, revenue, cost, late cost, front as at the deal and as now."""
    source = {"trim": "trim_id", "series": "trim_id", "store": "store_id", "seller": "seller_id"}.get(by, by)
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for sale in sales:
        key = sale.keys[source]
        front = sale.revenue - sale.cost
        for at, amount in enumerate((1, sale.revenue, sale.cost, sale.late, front, front - sale.late)):
            sums[names[by][key] if by in names else key][at] += amount
    return {key: tuple(found) for key, found in sums.items()}


def figures(shop: Shop, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Every report of the south store as of a moment, without what it says of the time of asking."""
    south = shop.values["south"]
    asked = {"store_id": south, "as_of": as_of}
    for found in (
        *(report(shop, "funnel", **asked, **({"by": by} if by else {})) for by in BY),
        report(shop, "inventory-turnover", **asked),
        *(report(shop, "profit", **asked, by=by) for by in ("vin", "channel")),
    ):
        yield {name: value for name, value in found.items() if name != "complete_to"}


@pytest.mark.feature("REP-12")
def test_a_report_as_of_a_moment_is_what_it_was_then(shop: Shop, databases: Databases, year: datetime) -> None:
    """Asked at that moment and again after leads, sales, late costs and a kill of the service: the same, and equal to a recount up to then."""
    at_the_time = list(figures(shop, year))
    between = heard_until_now(shop)
    at_that_time = list(figures(shop, between))
    shop.lead(channel="ad")
    opportunity = shop.opportunity(channel="ad")
    customer = shop.sales.get(f"/opportunities/{opportunity}").json()["person_id"]
    shop.sales.eventually(f"/customers/{customer}")
    trim = shop.trim()
    vin = shop.car(trim, cost="141414.14")
    stay = shop.stock.get(f"/vehicles/{vin}").json()["stay_id"]
    shop.delivered(trim, vin, customer_id=customer, opportunity_id=opportunity)
    shop.group.platform.kill("reporting")
    shop.stock.eventually(f"/stays/{stay}", status="sold")
    shop.stock.did(f"/stays/{stay}/costs", {"kind": "rebate", "supplier": "Aurora", "amount": cny("-1000.00")})
    until(lambda: shop.owner.get("/reports/funnel").status_code == 200, 40)
    now = heard_until_now(shop)
    assert list(figures(shop, year)) == at_the_time
    assert list(figures(shop, between)) == at_that_time
    assert list(figures(shop, now)) != at_that_time
    sold = [line["vin"] for line in report(shop, "profit", store_id=shop.values["south"], as_of=now)["lines"]]
    before = [line["vin"] for line in report(shop, "profit", store_id=shop.values["south"], as_of=between)["lines"]]
    assert set(sold) - set(before) == {vin}
    ours = [lead for lead in recount.leads(recount.stored(databases, "leads", between)).values() if lead.store_id == shop.values["south"]]
    told = report(shop, "funnel", store_id=shop.values["south"], as_of=between, by="channel")["groups"]
    assert {group["key"]: [(row["stage"], row["reached"], row["open"]) for row in group["stages"]] for group in told} == recount.funnel(
        ours, "channel"
    )


@pytest.mark.touches("REP-13")
def test_reports_follow_within_seconds_and_hide_what_is_personal(shop: Shop) -> None:
    number, began = phone(), time.monotonic()
    lead = shop.lead(name="Hidden Zq", phone=number)
    rows = until(lambda: every(shop.owner, "/reports/events", lead_id=lead))
    assert time.monotonic() - began < 10
    captured = next(row for row in rows if row["type"] == "leads.LeadCaptured.v1")
    assert captured["data"]["channel"] == "website"
    assert not {"name", "phone", "email"} & captured["data"].keys()
    assert (
        did(shop.sales, "/leads", {"store_id": shop.values["south"], "brand": "Aurora", "channel": "ad", "name": "X", "phone": number})
        == lead
    )
