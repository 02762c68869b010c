"""The reports' SQL on real PostgreSQL against a recount by hand, at two moments."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from services.reporting.app import service
from services.reporting.listens import listen
from services.reporting.views import funnel, profit, turnover
from shared.bus.heard import Heard
from shared.contracts import finance, gateway, inventory, leads, orders, published_name
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.protocol import Commit
from shared.testing.servers import FreshDatabase
from shared.values.money import Money
from shared.views.table import Put

DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, 4, tzinfo=UTC)
ASKED: dict[str, Any] = {"since": date(2026, 3, 1), "until": date(2026, 4, 1), "store_id": None}
MOMENTS: dict[str, Any] = {"since": MARCH - DAY, "until": MARCH + 31 * DAY, "store_id": None}


class Heads:
    """Hears events and keeps what reporting makes of them."""

    def __init__(self, store: PostgresStore, reader: str) -> None:
        self.store = store
        self.reader = reader
        self.sequence = 0

    async def hear(self, at: datetime, *events: Any, recorded: datetime | None = None, store_id: str = "s1") -> None:
        commit = Commit()
        for event in events:
            self.sequence += 100
            heard = Heard(
                id=uuid4(),
                type=published_name(event),
                source=published_name(event).partition(".")[0],
                stream=f"x-{self.sequence}",
                sequence=self.sequence,
                event=event,
                data=b"{}",
                occurred_at=at,
                recorded_at=recorded or at,
                store_id=store_id,
                actor="li",
                correlation_id="c",
                lineage="l",
            )
            for put in listen(heard):
                assert isinstance(put, Put)
                commit.puts.setdefault(put.table, {})[put.table.key_of(put.row)] = put.row
        await self.store.append(commit)

    async def ask(self, sql: str, stores: str = "*", **params: Any) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self.reader, row_factory=dict_row) as conn:
            await conn.execute("select set_config('forecourt.stores', %s, true)", [stores])
            return await (await conn.execute(sql, params)).fetchall()


@pytest.fixture
async def heads(fresh_database: FreshDatabase) -> AsyncIterator[Heads]:
    writer, reader = await fresh_database("reporting")
    await migrate(writer, urlsplit(reader).username or "", service.all_tables())
    async with AsyncConnectionPool[Any](writer, min_size=1, max_size=2, kwargs={"autocommit": True}, open=False) as pool:
        made = Heads(PostgresStore(pool), reader)
        for store in ("s1", "s2"):
            await made.hear(MARCH - 100 * DAY, shop(store))
        yield made


def shop(store: str) -> gateway.StoreOpened:
    return gateway.StoreOpened(
        store_id=store,
        code=store.upper(),
        name=store,
        entity_id="e1",
        region="north",
        timezone="Asia/Shanghai",
        opens="09:00",
        closes="18:00",
    )


def received(car: str, cost: int, day: date, store: str = "s1") -> inventory.VehicleReceived:
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


def sold(car: str, store: str = "s1") -> inventory.VehicleSold:
    return inventory.VehicleSold(vin=car, stay_id=f"stay-{car}", trim_id="t1", store_id=store, order_id=f"o-{car}")


async def test_turnover_is_cost_of_sold_over_average_daily_stock(heads: Heads) -> None:
    await heads.hear(MARCH, received("A", 100, date(2026, 3, 1)), received("B", 200, date(2026, 3, 1)))
    await heads.hear(MARCH + 10 * DAY, sold("A"))
    (row,) = await heads.ask(turnover.TURNOVER, **ASKED, as_of=MARCH + 40 * DAY)
    daily = [300] * 10 + [200] * 21
    assert (row["sold"], row["units"], row["cost_of_sold"], row["value"]) == (1, 1, 100, 200)
    assert row["average_stock"] == round(sum(daily) / 31)
    assert turnover.measures(row, 31)["turnover"] == f"{100 * 365 / 31 / row['average_stock']:.2f}"


async def test_a_transfer_moves_a_stores_stock_and_changes_the_groups_only_by_the_transport(heads: Heads) -> None:
    await heads.hear(MARCH, received("A", 100, date(2026, 3, 1)))
    common: dict[str, Any] = {"transfer_id": "x", "vin": "A", "stay_id": "stay-A", "trim_id": "t1", "from_store": "s1", "to_store": "s2"}
    entities: dict[str, Any] = {"from_entity": "e1", "to_entity": "e1", "order_id": None}
    await heads.hear(MARCH + 5 * DAY, inventory.VehicleDispatched(**common, **entities))
    arrived = inventory.VehicleArrived(**common, **entities, carrier="c", transport=Money(7))
    await heads.hear(MARCH + 8 * DAY, arrived, store_id="s2")
    (group,) = await heads.ask(turnover.TURNOVER, **ASKED, as_of=MARCH + 40 * DAY)
    assert (group["units"], group["value"]) == (1, 107)
    (one,) = await heads.ask(turnover.TURNOVER, **{**ASKED, "store_id": "s1"}, as_of=MARCH + 40 * DAY)
    (two,) = await heads.ask(turnover.TURNOVER, **{**ASKED, "store_id": "s2"}, as_of=MARCH + 40 * DAY)
    assert (one["units"], one["value"], two["units"], two["value"]) == (0, 0, 1, 107)
    (car,) = await heads.ask(turnover.AGES, store_id=None, as_of=MARCH + 40 * DAY, today=date(2026, 3, 31))
    assert (car["age"], car["store_age"], car["store_id"]) == (30, 22, "s2")


def sale(car: str, revenue: int, cost: int) -> Iterable[Any]:
    order: dict[str, Any] = {"order_id": f"o-{car}", "vin": car, "stay_id": f"stay-{car}", "store_id": "s1", "entity_id": "e1"}
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
    late = finance.LateCostPosted(order_id="o-A", vin="A", stay_id="stay-A", store_id="s1", entity_id="e1", cost_id="k", amount=Money(20))
    await heads.hear(MARCH + 5 * DAY, late)
    sql = profit.PROFIT.format(dimension=profit.DIMENSIONS["vin"])
    (then,) = await heads.ask(sql, **MOMENTS, as_of=MARCH + 2 * DAY)
    (now,) = await heads.ask(sql, **MOMENTS, as_of=MARCH + 9 * DAY)
    assert (then["front_at_deal"], then["front_now"]) == (47, 47)
    assert (now["front_at_deal"], now["front_now"], now["late_cost"]) == (47, 27, 20)
    assert await heads.ask(sql, **MOMENTS, as_of=MARCH - DAY) == []


async def test_a_store_sees_its_own_profit_only(heads: Heads) -> None:
    await heads.hear(MARCH, *sale("A", 150, 100))
    sql = profit.PROFIT.format(dimension=profit.DIMENSIONS["vin"])
    assert len(await heads.ask(sql, stores="s1", **MOMENTS, as_of=MARCH + DAY)) == 1
    assert await heads.ask(sql, stores="s2", **MOMENTS, as_of=MARCH + DAY) == []
    assert await heads.ask(sql, stores="", **MOMENTS, as_of=MARCH + DAY) == []


async def test_the_funnel_follows_a_lead_into_its_opportunity(heads: Heads) -> None:
    lead: dict[str, Any] = {
        "person_id": "p",
        "store_id": "s1",
        "entity_id": "e1",
        "brand": "Aurora",
        "campaign_id": None,
        "channel": "website",
    }
    sealed = {"name": "", "phone": "", "email": ""}
    for id in ("l1", "l2"):
        await heads.hear(MARCH, leads.LeadCaptured(lead_id=id, series="A5", **lead, **sealed))
    await heads.hear(MARCH + DAY, leads.LeadContacted(lead_id="l1", seller_id="li", due_at=MARCH, within_sla=True))
    opened = leads.OpportunityOpened(opportunity_id="o1", lead_id="l1", seller_id="li", series="A5", **lead)
    await heads.hear(MARCH + 2 * DAY, opened)
    advanced = leads.OpportunityAdvanced(opportunity_id="o1", person_id="p", stage_from="first-contact", stage_to="test-drive")
    await heads.hear(MARCH + 3 * DAY, advanced)
    sql = funnel.COHORT.format(dimension=funnel.DIMENSIONS["channel"])
    (early,) = funnel.shape(await heads.ask(sql, **MOMENTS, as_of=MARCH + timedelta(hours=1)))
    (late,) = funnel.shape(await heads.ask(sql, **MOMENTS, as_of=MARCH + 9 * DAY))
    assert [s["reached"] for s in early["stages"]] == [2, 0, 0, 0, 0, 0, 0, 0, 0]
    assert [s["reached"] for s in late["stages"]] == [2, 1, 1, 1, 1, 1, 0, 0, 0]
    assert late["key"] == "website"
