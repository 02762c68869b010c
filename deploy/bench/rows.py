"""Every row of the page, in its order."""

from types import ModuleType

from deploy.bench import append, growth, http, projection, rebuild, relay, reports, sale, search, start, visible
from deploy.bench.row import Row

COMMAND = "the whole command (load, decide, key, 2 events, view row, claim, 2 outbox rows)"


def _row(module: ModuleType, title: str, unit: str) -> Row:
    """A row is named after the module that has its contenders and goals."""
    name = module.__name__.rpartition(".")[2]
    return Row(name=name, title=title, unit=unit, contenders=module.contenders, goals=module.GOALS)


_ALL = (
    _row(append, f"Durable appends by 64 callers: {COMMAND}", "commands a second"),
    _row(http, "A command over HTTP, 64 connections, one process", "commands a second"),
    _row(projection, "Live projection, reporting, from Kafka to rows", "events a second"),
    _row(relay, "Outbox rows to acknowledged Kafka", "events a second"),
    _row(rebuild, "A read model made anew from 100,000 stored events", "events a second"),
    _row(visible, f"From commit to visible in reporting, at {visible.RATE} commands a second", "commands a second"),
    Row(
        name="sale",
        title="One sale, quote to delivered, all processes done",
        unit="sales a second",
        contenders=sale.sales,
        goals=sale.SALE_GOALS,
    ),
    Row(name="order", title="An order placed and approved", unit="orders a second", contenders=sale.orders, goals=sale.ORDER_GOALS),
    _row(search, "First pages of 50: customers among 1,000,000, stock list of 100,000 on hand", "pages a second"),
    _row(reports, f"Reports as of a month ago over the year before, after {reports.EVENTS:,} events", "reports a second"),
    _row(start, "Start and memory", "each in its own unit; CPU of one start, of an idle turn, of one service's"),
    _row(growth, f"What more stored events cost: {growth.MANY:,} beside {growth.FEW:,}", "operations a second"),
)
ROWS = {row.name: row for row in _ALL}
