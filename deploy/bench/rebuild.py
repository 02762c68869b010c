"""An inline view made anew from the store: the operator's rebuild, and a fold by hand of the same events into the same rows."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg

from deploy.bench import history
from deploy.bench.measure import Contenders, Took, times
from deploy.bench.model import aggregate, deals, stored
from deploy.bench.place import Place, handling, opened
from shared.service import Service
from shared.store.migrate import migrate
from shared.views import history as histories
from shared.views.rebuild import rebuild

DEALS = 25_000
OURS, RAW = "ours, beside the live view", "fold in memory, COPY and swap"
GOALS = (times(OURS, RAW, 0.8),)
READ = "copy (select stream, type, data, occurred_at from events order by stream, version) to stdout (format binary)"
COLUMNS = "order_id text, number text, vin text, price bigint, currency text, changed_at timestamptz"
SWAP = "alter table by_hand_new add primary key (order_id); drop table by_hand; alter table by_hand_new rename to by_hand"
_decode = msgspec.json.Decoder().decode


def by_hand(url: str) -> int:
    """Nobody writes meanwhile, nothing is compared, and older shapes of events do not exist; the number of events."""
    made: dict[str, list[Any]] = {}
    read = 0
    with psycopg.connect(url) as connection:
        connection.execute(f"drop table if exists by_hand_new; create table by_hand_new ({COLUMNS})")
        with connection.cursor().copy(READ) as copy:
            copy.set_types(["text", "text", "bytea", "timestamptz"])
            for stream, type, data, at in copy.rows():
                read += 1
                if type == "Placed":
                    event = _decode(data)
                    price = event["price"]
                    made[stream] = [event["order_id"], event["number"], event["vin"], price["minor"], price["currency"], at]
                elif type == "Priced":
                    row = made[stream]
                    row[3], row[5] = _decode(data)["price"]["minor"], at
        with connection.cursor().copy("copy by_hand_new from stdin") as copy:
            for row in made.values():
                copy.write_row(row)
        connection.execute(SWAP)
    return read


@asynccontextmanager
async def contenders(place: Place, many: int = DEALS) -> AsyncIterator[Contenders]:
    """A turn is the whole view, 100,000 events of 25,000 deals, whatever its seconds."""
    service = Service(context="orders", stored=stored, aggregates=(aggregate,))
    writer, reader = await place.servers.fresh_database("deals")
    role = urlsplit(reader).username or ""
    await migrate(writer, role, [deals])
    async with opened(writer) as store, handling(store, stored, aggregate) as handler:
        await history.make(handler, many)
    with psycopg.connect(writer, autocommit=True) as connection:
        connection.execute(f"create table by_hand ({COLUMNS}, primary key (order_id))")
        connection.execute("vacuum analyze")

    async def ours(seconds: float) -> Took:
        began = time.perf_counter()
        outcome = await rebuild(writer, role, deals, histories.history(service, deals))
        assert (outcome.rows, outcome.wrong) == (many, 0), outcome
        return Took(operations=many * history.EVENTS, seconds=time.perf_counter() - began)

    async def raw(seconds: float) -> Took:
        began = time.perf_counter()
        return Took(operations=by_hand(writer), seconds=time.perf_counter() - began)

    yield {OURS: ours, RAW: raw}
