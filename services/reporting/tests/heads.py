"""Reporting on a real PostgreSQL: it hears public events, and its reports are asked for by SQL or over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from services.reporting.app import service
from services.reporting.listens import listen
from shared.contracts import gateway, leads
from shared.deciding import Folder
from shared.handling import Handler
from shared.store.migrate import migrate
from shared.store.pool import Readers
from shared.store.postgres import PostgresStore
from shared.testing.hearing import heard, store_opened
from shared.web.app import create_app
from shared.web.tests.client import Client
from shared.web.tests.example import PUBLIC, bearer

DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, 4, tzinfo=UTC)
S1, S2 = (f"0192f3a4-0000-7000-8000-{n:012}" for n in (1, 2))


class Heads:
    """Hears events and keeps what reporting makes of them."""

    def __init__(self, store: PostgresStore, handler: Handler, reader_url: str, app: Any) -> None:
        self.store = store
        self.handler = handler
        self.reader_url = reader_url
        self.app = app
        self.sequence = 0

    async def hear(self, at: datetime, *events: Any, recorded: datetime | None = None, store_id: str | None = S1) -> None:
        """These events, of one moment and store."""
        for event in events:
            self.sequence += 100
            one = heard(event, at, store_id, stream=_stream(event), sequence=self.sequence, recorded_at=recorded)
            async with self.store.begin() as tx:
                await self.handler.apply(tx, [(one, listen(one))])

    async def ask(self, sql: str, stores: str = "*", **params: Any) -> list[dict[str, Any]]:
        """A report's rows, read as the reader role within these stores."""
        async with await psycopg.AsyncConnection.connect(self.reader_url, row_factory=dict_row) as conn:
            await conn.execute("select set_config('forecourt.stores', %s, true)", [stores])
            return await (await conn.execute(sql, params)).fetchall()

    async def get(self, path: str, *permissions: str, stores: tuple[str, ...] = ("*",)) -> Any:
        """The JSON of a report, as somebody with these permissions sees it."""
        answer = await Client(self.app, bearer("ma", ("reports.read", *permissions), stores)).get(f"/api/v1{path}")
        assert answer.status == 200, answer.body
        return answer.json


def _stream(event: Any) -> str:
    """Leads and opportunities tell their own story, in their own stream; of others it does not matter."""
    if isinstance(event, leads.OpportunityOpened):
        return f"opportunity-{event.opportunity_id}"
    about = {name: getattr(event, name, None) for name in ("lead_id", "opportunity_id")}
    return next((f"{name.removesuffix('_id')}-{id}" for name, id in about.items() if id), "other")


@asynccontextmanager
async def opened(writer: str, reader: str) -> AsyncIterator[Heads]:
    """Reporting on a fresh database that knows two stores."""
    await migrate(writer, urlsplit(reader).username or "", service.all_tables())
    options: dict[str, Any] = {"kwargs": {"autocommit": True}, "open": False, "min_size": 1, "max_size": 2}
    async with AsyncConnectionPool[Any](writer, **options) as pool, Readers(reader, "reader") as readers:
        store = PostgresStore(pool)
        handler = Handler(store, Folder(service.stored, service.aggregates), service.prepare)
        settings = SimpleNamespace(internal_public_key=PUBLIC, cursor_secret="vX9nq2Lw7Rk4Tz8Bc3Hm6Jd1Fg5Ps0Ya")
        app = create_app(service, SimpleNamespace(store=store, handler=handler, reader=readers, vault=None, settings=settings))
        made = Heads(store, handler, reader, app)
        for id in (S1, S2):
            await made.hear(MARCH - 100 * DAY, shop(id))
        yield made


def shop(store: str) -> gateway.StoreOpened:
    """A store in Shanghai's time."""
    return store_opened(store, f"S{store[-1]}", "e1")
