"""What a request reads, through role reader: its stores' rows in their scope, what belongs to no store without one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
from psycopg_pool import AsyncConnectionPool

from shared.store.migrate import migrate
from shared.testing.servers import FreshDatabase
from shared.views.table import Table
from shared.web.auth import Auth
from shared.web.call import Call
from shared.web.tests.example import NORTH, tags


@dataclass(frozen=True)
class Brand:
    name: str


START = datetime(2026, 11, 22, 1, tzinfo=UTC)
brands = Table("brands", 1, Brand, key=("name",), store=None)


async def test_what_is_everybodys_is_read_without_a_scope_and_a_stores_rows_are_not(fresh_database: FreshDatabase) -> None:
    writer_url, reader_url = await fresh_database("example")
    await migrate(writer_url, urlsplit(reader_url).username or "", [tags, brands])
    async with await psycopg.AsyncConnection.connect(writer_url, autocommit=True) as conn:
        await conn.execute("insert into tags_1 values ('t1', %s, 'tag', 100, 'CNY', %s, 7)", [NORTH, START])
        await conn.execute("insert into brands_1 values ('Aurora')")
    one: dict[str, Any] = {"min_size": 1, "max_size": 1, "kwargs": {"autocommit": True}}
    for auth in (Auth("lin", stores=frozenset([NORTH])), Auth("owner", all_stores=True)):
        async with AsyncConnectionPool[Any](reader_url, **one) as reader:
            call = Call(cast(Any, SimpleNamespace(reader=reader)), cast(Any, None), auth, creates=False, status=200)
            assert await call.everybodys("select name from brands_1 where name = %s", ["Aurora"]) == [{"name": "Aurora"}]
            assert await call.everybodys("select tag_id from tags_1") == []
            assert await call.rows("select tag_id from tags_1") == [{"tag_id": "t1"}]
            assert await call.everybodys("select tag_id from tags_1") == []
