"""A read model made anew from the store: ours beside the live table, compared and changed; by hand, folded, copied and swapped."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg

from deploy.bench import raw
from deploy.bench.measure import Contenders, Took, times
from deploy.bench.model import Change, aggregate, deals, place, stored
from deploy.bench.place import Place, opened
from shared.deciding import Batch, Folder, Order
from shared.events.envelope import Meta
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.values.clock import utc_now
from shared.values.ids import new_id
from shared.views.history import OwnEvents
from shared.views.rebuild import rebuild

DEALS = 10_000
EVENTS = 4 * DEALS
OURS, RAW = "ours, compared and changed under load", "raw fold in memory, COPY, swap"
GOALS = (times(OURS, RAW, 0.8),)
READ = "copy (select stream, type, data, occurred_at from events order by stream, version) to stdout (format binary)"


async def fill(store: PostgresStore) -> None:
    """Deals of four events each, with their rows and nothing else."""
    folder = Folder(stored, (aggregate,))
    for start in range(0, DEALS, 500):
        ids = [new_id() for _ in range(start, min(start + 500, DEALS))]
        batch = Batch(folder, {f"deal-{id}": folder.fold(f"deal-{id}", ()) for id in ids})
        for id in ids:
            order = Order(stream=f"deal-{id}", meta=Meta(actor="lin", store_id=None, correlation_id=id))
            for command in (place(id), Change(at=utc_now())):
                batch.record(order, batch.decide(order, command), command.at)
        batch.commit.outbox.clear()
        batch.commit.claims.clear()
        await store.append(batch.commit)


async def by_hand(connection: psycopg.AsyncConnection[Any]) -> None:
    """The same table, by the shortest way: nobody may write meanwhile, and nobody looks whether it is right."""
    rows: dict[str, list[Any]] = {}
    async with connection.transaction():
        async with connection.cursor().copy(READ) as copy:
            copy.set_types(["text", "text", "bytea", "timestamptz"])
            async for stream, type, data, at in copy.rows():
                event = msgspec.json.decode(data)
                if type == "Placed":
                    price = event["price"]
                    rows[stream] = [event["order_id"], event["number"], event["vin"], price["minor"], price["currency"], at]
                elif type == "Priced":
                    rows[stream][3], rows[stream][5] = event["price"]["minor"], at
        await connection.execute("create table deals_new (like deals_1)")
        async with connection.cursor().copy("copy deals_new from stdin") as copy:
            for row in rows.values():
                await copy.write_row(row)
        await connection.execute("alter table deals_new add primary key (order_id)")
        await connection.execute("drop table deals_1")
        await connection.execute("alter table deals_new rename to deals_1")


@asynccontextmanager
async def contenders(place: Place) -> AsyncIterator[Contenders]:
    """A turn is 40,000 events into 10,000 rows, whatever its seconds."""
    made = {}
    for name in ("ours", "hand"):
        writer, reader = await place.servers.fresh_database(name)
        made[name] = writer, urlsplit(reader).username or ""
        await migrate(*made[name], [deals])
        async with opened(writer) as store:
            await fill(store)
            async with store.pool.connection() as connection:
                await connection.execute("vacuum analyze events")

    async def ours(seconds: float) -> Took:
        began = time.perf_counter()
        outcome = await rebuild(*made["ours"], deals, OwnEvents(deals, stored, [aggregate]))
        assert (outcome.rows, outcome.wrong) == (DEALS, 0), outcome
        return Took(operations=EVENTS, seconds=time.perf_counter() - began, notes={"longest pause, ms": outcome.pause * 1000})

    async with AsyncExitStack() as stack:
        (connection,) = await stack.enter_async_context(raw.connections(made["hand"][0], 1))

        async def hand(seconds: float) -> Took:
            began = time.perf_counter()
            await by_hand(connection)
            return Took(operations=EVENTS, seconds=time.perf_counter() - began)

        yield {OURS: ours, RAW: hand}
