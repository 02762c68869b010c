"""9,999 auction sales become used cars received, sold and delivered; every figure is counted again from the file, with polars."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import structlog
import uvloop

from services.finance.app import service as finance
from services.gateway.app import service as gateway
from services.inventory.app import service as inventory
from services.orders.app import service as orders
from services.reporting.app import service as reporting
from services.reporting.views import profit
from shared.testing.servers import Servers
from tests.data.auction import OPENED, Auction, read
from tests.data.bench import Bench, Clock, bench

pytestmark = pytest.mark.data

SALES = 9_999
CARS = 9_997
"""Two of the VINs were sold twice."""
ASKED: dict[str, Any] = {"since": datetime(2014, 1, 1, tzinfo=UTC), "until": datetime(2016, 1, 1, tzinfo=UTC), "store_id": None}
FIGURES = ("cars", "revenue", "cost", "front_at_deal", "front_now")


@dataclass(frozen=True)
class Done:
    """What the sales left behind, and a way to ask for it."""

    auction: Auction
    bench: Bench
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def ask(self, context: str, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Rows as the service's reader sees them."""
        rows: list[dict[str, Any]] = self.run(self.bench.rows(context, sql, params))
        return rows

    def profit(self, dimension: str) -> list[dict[str, Any]]:
        """The lines of the profit report as of now."""
        return self.ask("reporting", profit.PROFIT.format(dimension=dimension), **ASKED, as_of=datetime.now(UTC))


@pytest.fixture(scope="module")
def table(files: Path) -> pl.DataFrame:
    """The file as text, as it is."""
    return pl.read_csv(files / "stock-sales" / "us_auction_sales_by_vin.csv", infer_schema=False)


@pytest.fixture(scope="module")
def recount(table: pl.DataFrame) -> pl.DataFrame:
    """A sale per line, counted without any of our code: amounts in cents, the month as the file writes it."""
    months = {"Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06", "Jul": "07", "Aug": "08", "Sep": "09"}
    months |= {"Oct": "10", "Nov": "11", "Dec": "12"}
    day = pl.col("saledate").str.split(" ")
    return table.select(
        pl.col("vin").str.to_uppercase(),
        pl.col("seller"),
        pl.col("state").str.to_uppercase().alias("store"),
        pl.concat_str([day.list.get(3), day.list.get(1).replace_strict(months)], separator="-").alias("month"),
        pl.col("sellingprice").cast(pl.Int64).mul(100).alias("revenue"),
        pl.col("mmr").cast(pl.Int64).mul(100).alias("cost"),
    )


@pytest.fixture(scope="module")
def done(servers: Servers, files: Path) -> Iterator[Done]:
    """All sales of the file, sold again. Refusals that follow from events are told in the report, not in the log."""
    sales = list(read(files / "stock-sales" / "us_auction_sales_by_vin.csv"))
    told = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        at_work = bench(servers, (gateway, inventory, orders, finance, reporting), Clock(OPENED))
        made = runner.run(at_work.__aenter__())
        try:
            auction = Auction(made, sales)
            runner.run(auction.open())
            began = time.monotonic()
            runner.run(auction.sell_all())
            print(f"\n{len(auction.delivered)} cars received, sold and delivered in {time.monotonic() - began:.0f} s")
            yield Done(auction, made, runner.run)
        finally:
            runner.run(at_work.__aexit__(None, None, None))
            structlog.configure(**told)


def summed(recount: pl.DataFrame, by: str | None = None) -> dict[Any, tuple[int, ...]]:
    """The recount's figures per key, in the order of FIGURES; with no key the whole is one line."""
    front = (pl.col("revenue") - pl.col("cost")).sum()
    keyed = recount.with_columns(pl.col(by) if by else pl.lit(None, pl.String).alias("whole"))
    found = keyed.group_by(by or "whole").agg(
        pl.len(), pl.col("revenue").sum(), pl.col("cost").sum(), front.alias("front_at_deal"), front.alias("front_now")
    )
    return {key: tuple(figures) for key, *figures in found.rows()}


def figures(lines: list[dict[str, Any]]) -> dict[Any, tuple[int, ...]]:
    """The report's figures per key, all of them in dollars."""
    assert {line["currency"] for line in lines} == {"USD"}
    assert {(line["carrying"], line["late_cost"]) for line in lines} == {(0, 0)}
    return {line["key"]: tuple(line[name] for name in FIGURES) for line in lines}


# --- the file, and what the domain makes of it -------------------------------------------------------------------------


def test_the_file_holds_what_its_description_says(table: pl.DataFrame) -> None:
    """No row lacks what a sale needs; some lack a make, a model or a trim, which the catalogue lists as unknown."""
    assert table.height == SALES
    assert table["vin"].str.contains("^[0-9a-hj-npr-z]{17}$").all()
    assert table["vin"].n_unique() == CARS
    for amount in ("mmr", "sellingprice"):
        assert table[amount].str.contains("^[1-9][0-9]*$").all()
    assert {name: table[name].null_count() for name in ("make", "model", "trim", "seller", "saledate")} == {
        "make": 25,
        "model": 26,
        "trim": 64,
        "seller": 0,
        "saledate": 0,
    }


def test_no_row_is_left_out_and_what_was_refused_is_known(done: Done) -> None:
    """A VIN that comes again while it stands there is refused, and taken in once its first stay has ended."""
    assert done.auction.refused == {("receive", "vin-in-stock"): 2}
    assert sorted(car.sale.line for car in done.auction.delivered) == list(range(2, SALES + 2))
    for context in done.bench.parts:
        assert done.ask(context, "select count(*) as parked from parked") == [{"parked": 0}], context


def test_every_car_has_been_in_stock_and_left_it(done: Done) -> None:
    (stays,) = done.ask("inventory", "select count(*) as n, count(distinct vin) as vins, array_agg(distinct status) as status from stock_1")
    assert (stays["n"], stays["vins"], stays["status"]) == (SALES, CARS, ["sold"])
    assert done.ask("inventory", "select count(*) as n from stock_1 where vin <> upper(vin)") == [{"n": 0}]
    (trims,) = done.ask("inventory", "select count(*) as n from trims_1")
    assert trims["n"] == len({sale.entry for sale in done.auction.sales}) == 3_691


def test_numbers_are_gapless_per_store_and_day(done: Done) -> None:
    """Of orders, receipts and invoices alike: SO-CA-20141216-001 and on."""
    gaps = """select series from (select regexp_replace({column}, '-[0-9]+$', '') as series, substring({column} from '[0-9]+$')::int as n
        from {table}) as numbered group by series having max(n) <> count(*) or min(n) <> 1 or count(*) <> count(distinct n)"""
    numbered = [("orders", "order_book_1", "number"), ("finance", "receipts_1", "number"), ("finance", "invoices_1", "number")]
    for context, table, column in numbered:
        assert done.ask(context, gaps.format(table=table, column=column)) == [], table
        assert done.ask(context, f"select count(*) as n from {table}") == [{"n": SALES}], table


# --- the profit report against the recount -----------------------------------------------------------------------------


def test_the_profit_of_each_car(done: Done, table: pl.DataFrame) -> None:
    """By order, so that the two cars that were sold twice show both of their sales."""
    rows = table.rows(named=True)
    expected = {
        car.order_id: (row["vin"].upper(), 1, int(row["sellingprice"]) * 100, int(row["mmr"]) * 100)
        for car in done.auction.delivered
        for row in [rows[car.sale.line - 2]]
    }
    lines = done.profit(profit.DIMENSIONS["order"])
    assert len(lines) == SALES
    assert {line["key"]: (line["vin"], line["cars"], line["revenue"], line["cost"]) for line in lines} == expected
    assert all(line["front_now"] == line["front_at_deal"] == line["revenue"] - line["cost"] for line in lines)


@pytest.mark.parametrize("by", ["vin", "seller", "store", "month"])
def test_the_profit_per(done: Done, recount: pl.DataFrame, by: str) -> None:
    assert figures(done.profit(profit.DIMENSIONS[by])) == summed(recount, by)


def test_the_profit_per_seller_and_month(done: Done, recount: pl.DataFrame) -> None:
    dimension = f"{profit.DIMENSIONS['seller']} || ' ' || {profit.DIMENSIONS['month']}"
    keyed = recount.with_columns(pl.concat_str(["seller", "month"], separator=" ").alias("both"))
    assert figures(done.profit(dimension)) == summed(keyed, "both")


def test_the_profit_of_all_as_the_api_answers(done: Done, recount: pl.DataFrame) -> None:
    """The totals are of all cars, though only so many lines are shown."""
    (whole,) = summed(recount).values()
    path = "/reports/profit?since=2014-01-01&until=2016-01-01&by="
    for by, more in (("order", True), ("vin", True), ("month", False)):
        answer = done.run(done.bench.get("reporting", path + by, "reports.margin"))
        assert (len(answer["lines"]) == profit.MOST, answer["more"], answer["not_yet_recognised"]) == (more, more, 0)
        (total,) = answer["totals"]
        assert total["currency"] == "USD"
        assert tuple(cents(total[name]) for name in FIGURES) == whole


def cents(value: Any) -> int:
    """A count as it is, an amount in cents."""
    return value if isinstance(value, int) else int(value["amount"].replace(".", ""))


def test_the_turnover_of_all(done: Done, recount: pl.DataFrame) -> None:
    """Every car is sold on the day it comes, so that none stands there overnight."""
    path = "/reports/inventory-turnover?since=2014-01-01&until=2016-01-01"
    answer = done.run(done.bench.get("reporting", path, "reports.margin"))
    (money,) = answer["money"]
    assert (money["currency"], money["sold"], money["units"]) == ("USD", SALES, 0)
    assert (cents(money["cost_of_sold"]), cents(money["average_stock"]), cents(money["value"])) == (recount["cost"].sum(), 0, 0)
    assert answer["oldest"] == []


# --- the books -----------------------------------------------------------------------------------------------------------


def test_the_books_balance_and_say_the_same(done: Done, recount: pl.DataFrame) -> None:
    """Paid into the bank, owed to the sellers, nothing in stock, nothing owed to or by a customer, no VAT."""
    answer = done.run(done.bench.get("finance", "/ledger/trial-balance?as_of=2016-01-01", "finance.read"))
    (total,) = answer["totals"]
    assert (total["currency"], cents(total["balance"])) == ("USD", 0)
    balances = {item["account"]: cents(item["balance"]) for item in answer["items"] if cents(item["balance"])}
    sold, cost = int(recount["revenue"].sum()), int(recount["cost"].sum())
    assert balances == {"1002": sold, "2202": -cost, "6001": -sold, "6401": cost}
    assert {item["account"] for item in answer["items"]} == {*balances, "1405", "2204"}


def test_no_entry_is_out_of_balance(done: Done) -> None:
    unbalanced = "select entry_id from ledger_1 group by entry_id, currency having sum(amount) <> 0"
    assert done.ask("finance", unbalanced) == []
    (cars,) = done.ask("finance", "select count(*) as n, array_agg(distinct status) as status from cars_1")
    assert (cars["n"], cars["status"]) == (SALES, ["sold"])
