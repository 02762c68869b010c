"""Every row of the page, in its order."""

from deploy.bench import append, http, projection, relay, sale, search
from deploy.bench.row import Row

COMMAND = "the whole command (load, decide, key, 2 events, view row, claim, 2 outbox rows)"
_ALL = (
    Row(
        name="append",
        title=f"Durable appends by 64 callers: {COMMAND}",
        unit="commands a second",
        contenders=append.contenders,
        goals=append.GOALS,
    ),
    Row(
        name="http",
        title="A command over HTTP, 64 connections, one process",
        unit="commands a second",
        contenders=http.contenders,
        goals=http.GOALS,
    ),
    Row(
        name="projection",
        title="Live projection, reporting, from Kafka to rows",
        unit="events a second",
        contenders=projection.contenders,
        goals=projection.GOALS,
    ),
    Row(
        name="relay",
        title="Outbox rows to acknowledged Kafka",
        unit="events a second",
        contenders=relay.contenders,
        goals=relay.GOALS,
    ),
    Row(
        name="sale",
        title="One sale, quote to delivered, all processes done",
        unit="sales a second",
        contenders=sale.sales,
        goals=sale.SALE_GOALS,
    ),
    Row(
        name="order",
        title="An order placed and approved",
        unit="orders a second",
        contenders=sale.orders,
        goals=sale.ORDER_GOALS,
    ),
    Row(
        name="search",
        title="First pages of 50: customers among 1,000,000, stock list of 100,000 on hand",
        unit="pages a second",
        contenders=search.contenders,
        goals=search.GOALS,
    ),
)
ROWS = {row.name: row for row in _ALL}
