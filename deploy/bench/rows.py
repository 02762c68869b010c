"""Every row of the page, in its order."""

from deploy.bench import append, http, projection, relay
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
)
ROWS = {row.name: row for row in _ALL}
