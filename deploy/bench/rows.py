"""Every row of the page, in its order."""

from deploy.bench import append
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
    )
}
