"""The reports' SQL on real PostgreSQL against a recount by hand, at two moments."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.reporting.tests.heads import DAY, MARCH, S1, S2, Heads
from services.reporting.views import funnel, profit, turnover
from shared.contracts import finance, inventory, leads, orders
from shared.values.money import Money

ASKED: dict[str, Any] = {"since": date(2026, 3, 1), "until": date(2026, 4, 1)}
EVERYWHERE: dict[str, Any] = {"scope": None, "as_of": MARCH + 40 * DAY}
MOMENTS: dict[str, Any] = {"since": MARCH - DAY, "until": MARCH + 31 * DAY, "store_id": None}


def received(car: str, cost: int, day: date, store: str = S1) -> inventory.VehicleReceived:
    return inventory.VehicleReceived(
        stay_id=f"stay-{car}",
        vin=car,
        trim_id="t1",
        brand="Aurora",
        series="A5",
        category="new",
        store_id=store,
        entity_id="e1",
        supplier="maker",
        purchase_order_id=None,
        purchase=Money(cost),
        rebate=Money(0),
        freight=Money(0),
        preparation=Money(0),
        book_cost=Money(cost),
        input_vat=Money(0),
        acquired_on=day,
        certificate="with-us",
    )


def sold(car: str, cost: int, store: str = S1) -> inventory.VehicleSold:
    return inventory.VehicleSold(vin=car, stay_id=f"stay-{car}", trim_id="t1", store_id=store, order_id=f"o-{car}", book_cost=Money(cost))


def moved(car: str, cost: int, transport: int, day: date, origin: str = S1, to: str = S2) -> tuple[Any, Any]:
    """A car leaves a store at this cost and arrives in another."""
    about: dict[str, Any] = {"transfer_id": "x", "vin": car, "stay_id": f"stay-{car}", "trim_id": "t1", "order_id": None}
    about |= {"from_store": origin, "to_store": to, "from_entity": "e1", "to_entity": "e1"}
    arrived = inventory.VehicleArrived(
        **about,
        brand="Aurora",
        series="A5",
        acquired_on=day,
        carrier="c",
        transport=Money(transport),
        book_cost=Money(cost + transport),
    )
    return inventory.VehicleDispatched(**about, book_cost=Money(cost)), arrived


def cost(car: str, amount: int, after: int, late: bool = False, store: str = S1) -> inventory.CostAdded:
    return inventory.CostAdded(
        stay_id=f"stay-{car}",
        vin=car,
        cost_id=f"{car}-{amount}",
        kind="freight",
        supplier="Sanhe",
        amount=Money(amount),
        book_cost=Money(after),
        late=late,
        store_id=store,
        entity_id="e1",
    )


async def test_turnover_is_cost_of_sold_over_average_daily_stock(heads: Heads) -> None:
    await heads.hear(MARCH, received("A", 100, date(2026, 3, 1)), received("B", 200, date(2026, 3, 1)))
    await heads.hear(MARCH + 10 * DAY, sold("A", 100))
    await heads.hear(MARCH + 20 * DAY, cost("A", 9, 100, late=True))
    (row,) = await heads.ask(turnover.TURNOVER, **ASKED, **EVERYWHERE)
    daily = [300] * 10 + [200] * 21
    assert (row["sold"], row["units"], row["cost_of_sold"], row["value"]) == (1, 1, 100, 200)
    assert row["average_stock"] == round(sum(daily) / 31)
    assert turnover.measures(row, 31)["turnover"] == f"{100 * 365 / 31 / row['average_stock']:.2f}"


async def test_a_transfer_moves_a_stores_stock_and_changes_the_groups_only_by_the_transport(heads: Heads) -> None:
    await transferred(heads)
    (group,) = await heads.ask(turnover.TURNOVER, **ASKED, **EVERYWHERE)
    assert (group["units"], group["value"], group["average_stock"]) == (1, 107, round((100 * 7 + 107 * 24) / 31))
    (one,) = await heads.ask(turnover.TURNOVER, **ASKED, **EVERYWHERE | {"scope": [S1]})
    (two,) = await heads.ask(turnover.TURNOVER, **ASKED, **EVERYWHERE | {"scope": [S2]})
    (both,) = await heads.ask(turnover.TURNOVER, **ASKED, **EVERYWHERE | {"scope": [S1, S2]})
    assert (one["units"], one["value"], two["units"], two["value"]) == (0, 0, 1, 107)
    assert both == group
    (car,) = await heads.ask(turnover.AGES, **EVERYWHERE, today=date(2026, 3, 31))
    assert (car["age"], car["store_age"], car["store_id"]) == (30, 23, S2)


async def transferred(heads: Heads) -> None:
    """A car of 100 comes to the first store, leaves five days later and is in the second after another two, for 7 more."""
    await heads.hear(MARCH, received("A", 100, date(2026, 3, 1)))
    left, arrived = moved("A", 100, 7, date(2026, 3, 1))
    await heads.hear(MARCH + 5 * DAY, left)
    await heads.hear(MARCH + 7 * DAY, arrived, store_id=S2)


async def test_who_sees_one_store_only_reads_the_same_of_it_as_the_group(heads: Heads) -> None:
    await transferred(heads)
    await heads.hear(MARCH + 8 * DAY, cost("A", 3, 110, store=S2), store_id=S2)
    await heads.hear(MARCH, received("B", 50, date(2026, 2, 27), S2), store_id=S2)
    for store in (S1, S2):
        scope = EVERYWHERE | {"scope": [store]}
        own = await heads.ask(turnover.TURNOVER, stores=store, **ASKED, **scope)
        assert own == await heads.ask(turnover.TURNOVER, **ASKED, **scope)
        ages = await heads.ask(turnover.AGES, stores=store, today=date(2026, 3, 31), **scope)
        assert ages == await heads.ask(turnover.AGES, today=date(2026, 3, 31), **scope)
    two = {"stores": S2, **EVERYWHERE, "scope": [S2]}
    (row,) = await heads.ask(turnover.TURNOVER, **ASKED, **two)
    assert (row["units"], row["value"], row["cost_of_sold"]) == (2, 160, 0)
    old, car = await heads.ask(turnover.AGES, today=date(2026, 3, 31), **two)
    assert (old["vin"], old["age"]) == ("B", 32)
    assert (car["vin"], car["cost"], car["age"], car["store_age"], car["in_transit"]) == ("A", 110, 30, 23, False)
    await heads.hear(MARCH + 20 * DAY, sold("A", 110, S2), store_id=S2)
    (row,) = await heads.ask(turnover.TURNOVER, **ASKED, **two)
    assert (row["units"], row["value"], row["cost_of_sold"], row["sold"]) == (1, 50, 110, 1)


async def test_a_car_on_the_road_is_the_groups_and_no_stores(heads: Heads) -> None:
    await transferred(heads)
    on_the_road: dict[str, Any] = {"as_of": MARCH + 6 * DAY, "today": date(2026, 3, 7)}
    (car,) = await heads.ask(turnover.AGES, scope=None, **on_the_road)
    assert (car["in_transit"], car["cost"]) == (True, 100)
    assert await heads.ask(turnover.AGES, scope=[S1], **on_the_road) == []
    assert await heads.ask(turnover.AGES, scope=[S2], **on_the_road) == []


def sale(car: str, revenue: int, cost: int) -> Iterable[Any]:
    order: dict[str, Any] = {"order_id": f"o-{car}", "vin": car, "stay_id": f"stay-{car}", "store_id": S1, "entity_id": "e1"}
    yield orders.OrderDelivered(
        **order,
        number="SO",
        trim_id="t1",
        customer_id="c1",
        seller_id="li",
        opportunity_id=None,
        campaign_id=None,
        channel="website",
        price=Money(revenue),
    )
    yield finance.SaleRecognised(**order, revenue=Money(revenue), cost=Money(cost), carrying=Money(3))


async def test_profit_at_the_deal_and_as_now_and_as_it_was_known(heads: Heads) -> None:
    await heads.hear(MARCH, *sale("A", 150, 100))
    late = finance.LateCostPosted(order_id="o-A", vin="A", stay_id="stay-A", store_id=S1, entity_id="e1", cost_id="k", amount=Money(20))
    await heads.hear(MARCH + 5 * DAY, late)
    sql = profit.PROFIT.format(dimension=profit.DIMENSIONS["vin"])
    (then,) = await heads.ask(sql, **MOMENTS, as_of=MARCH + 2 * DAY)
    (now,) = await heads.ask(sql, **MOMENTS, as_of=MARCH + 9 * DAY)
    assert (then["front_at_deal"], then["front_now"]) == (47, 47)
    assert (now["front_at_deal"], now["front_now"], now["late_cost"]) == (47, 27, 20)
    assert await heads.ask(sql, **MOMENTS, as_of=MARCH) == []


async def test_a_store_sees_its_own_profit_only(heads: Heads) -> None:
    await heads.hear(MARCH, *sale("A", 150, 100))
    sql = profit.PROFIT.format(dimension=profit.DIMENSIONS["vin"])
    assert len(await heads.ask(sql, stores=S1, **MOMENTS, as_of=MARCH + DAY)) == 1
    assert await heads.ask(sql, stores=S2, **MOMENTS, as_of=MARCH + DAY) == []
    assert await heads.ask(sql, stores="", **MOMENTS, as_of=MARCH + DAY) == []


LEAD: dict[str, Any] = {
    "person_id": "p",
    "entity_id": "e1",
    "brand": "Aurora",
    "campaign_id": None,
    "channel": "website",
}
SEALED = {"name": "", "phone": "", "email": ""}


def captured(id: str, store: str | None = S1) -> leads.LeadCaptured:
    return leads.LeadCaptured(lead_id=id, store_id=store, series="A5", **LEAD, **SEALED)


def moved_on(origin: str, to: str) -> leads.OpportunityAdvanced:
    return leads.OpportunityAdvanced(opportunity_id="o1", person_id="p", stage_from=origin, stage_to=to)


async def counted(heads: Heads, by: str = "channel", stores: str = "*", days: float = 30) -> list[dict[str, Any]]:
    sql = funnel.COHORT.format(dimension=funnel.DIMENSIONS[by])
    return funnel.shape(await heads.ask(sql, stores, **MOMENTS, as_of=MARCH + days * DAY))


async def test_the_funnel_follows_a_lead_into_its_opportunity_and_back(heads: Heads) -> None:
    await heads.hear(MARCH, captured("l1"), captured("l2"))
    await heads.hear(MARCH + DAY, leads.LeadContacted(lead_id="l1", seller_id="li", due_at=MARCH, within_sla=True))
    opened = leads.OpportunityOpened(opportunity_id="o1", lead_id="l1", store_id=S1, seller_id="li", series="A5", **LEAD)
    await heads.hear(MARCH + 2 * DAY, opened)
    await heads.hear(MARCH + 3 * DAY, moved_on("first-contact", "test-drive"))
    await heads.hear(MARCH + 4 * DAY, moved_on("test-drive", "presentation"))
    (early,) = await counted(heads, days=0.1)
    (late,) = await counted(heads)
    assert [s["reached"] for s in early["stages"]] == [2, 0, 0, 0, 0, 0, 0, 0, 0]
    assert [s["reached"] for s in late["stages"]] == [2, 1, 1, 1, 1, 1, 0, 0, 0]
    assert late["key"] == "website"
    assert {s["stage"]: s["open"] for s in late["stages"] if s["open"]} == {"captured": 1, "presentation": 1}
    lost = leads.OpportunityLost(opportunity_id="o1", person_id="p", reason="price", competitor=None)
    await heads.hear(MARCH + 5 * DAY, lost)
    (after,) = await counted(heads)
    assert [s["open"] for s in after["stages"]] == [1, 0, 0, 0, 0, 0, 0, 0, 0]


async def test_a_lead_worked_again_is_open_again(heads: Heads) -> None:
    await heads.hear(MARCH, captured("l1"))
    await heads.hear(MARCH + DAY, leads.LeadDisqualified(lead_id="l1", person_id="p", reason="no-answer"))
    assert sum(s["open"] for s in (await counted(heads))[0]["stages"]) == 0
    await heads.hear(MARCH + 9 * DAY, leads.LeadContacted(lead_id="l1", seller_id="li", due_at=MARCH, within_sla=True))
    (again,) = await counted(heads)
    assert {s["stage"]: s["open"] for s in again["stages"] if s["open"]} == {"contacted": 1}


async def test_a_placed_lead_is_in_the_funnel_of_its_store_once(heads: Heads) -> None:
    await heads.hear(MARCH, captured("l1", None), leads.LeadGraded(lead_id="l1", grade="H", rule="r"), store_id=None)
    placed = leads.LeadPlaced(lead_id="l1", store_id=S2, series="A5", grade="H", captured_at=MARCH, **LEAD)
    await heads.hear(MARCH + 40 * DAY, placed, store_id=S2)
    assert [(group["key"], group["stages"][0]["reached"]) for group in await counted(heads, "store")] == [(None, 1)]
    for stores in ("*", S2):
        assert [(g["key"], g["stages"][0]["reached"]) for g in await counted(heads, "store", stores, 50)] == [(S2, 1)]
        assert [g["key"] for g in await counted(heads, "grade", stores, 50)] == ["H"]
    assert await counted(heads, "store", S1, 50) == []


async def test_a_figure_counts_what_was_recorded_before_its_moment(heads: Heads) -> None:
    """The watermark may be the moment of an event that is still on its way: as of then it never counts."""
    await heads.hear(MARCH, captured("l1"), received("A", 100, date(2026, 3, 1)), *sale("B", 150, 100))
    sql = funnel.COHORT.format(dimension=funnel.DIMENSIONS["channel"])
    assert await heads.ask(sql, **MOMENTS, as_of=MARCH) == []
    assert await heads.ask(turnover.TURNOVER, **ASKED, scope=None, as_of=MARCH) == []
    assert await heads.ask(turnover.AGES, scope=None, today=date(2026, 3, 31), as_of=MARCH) == []
    assert (await heads.ask(profit.WAITING, **MOMENTS, as_of=MARCH))[0]["n"] == 0
    assert len(await heads.ask(sql, **MOMENTS, as_of=MARCH + timedelta(microseconds=1))) == 1


async def test_days_are_the_stores_own(heads: Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half past midnight in Shanghai is still the day before in UTC: what is sold then counts today, and not the day before."""
    night = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    monkeypatch.setattr("shared.web.call.utc_now", lambda: night)
    await heads.hear(
        night - timedelta(minutes=10), received("A", 100, date(2026, 3, 2)), captured("l1"), recorded=night - timedelta(minutes=10)
    )
    for report in ("funnel", "inventory-turnover", "profit"):
        assert (await heads.get(f"/reports/{report}", "reports.margin"))["until"] == "2026-03-03"
    today, before = "since=2026-03-02&until=2026-03-03", "since=2026-03-01&until=2026-03-02"
    assert [group["stages"][0]["reached"] for group in (await heads.get(f"/reports/funnel?{today}"))["groups"]] == [1]
    assert (await heads.get(f"/reports/funnel?{before}"))["groups"] == []
    (money,) = (await heads.get("/reports/inventory-turnover", "reports.margin"))["money"]
    assert money["units"] == 1
