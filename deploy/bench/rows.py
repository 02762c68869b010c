"""Every row of the page, in its order."""

from deploy.bench import append, http, relay
from deploy.bench.row import Row

ROWS = {
    row.name: row
    for row in (
        Row(
            name="append",
            title="Durable appends by 64 callers: the whole command (load, decide, key, 2 events, view row, claim, 2 outbox rows)",
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
            name="relay",
            title="Outbox rows to acknowledged Kafka",
            unit="events a second",
            contenders=relay.contenders,
            goals=relay.GOALS,
        ),
    )
}
