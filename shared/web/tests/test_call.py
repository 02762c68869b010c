"""What a request reads, through role reader: the rows of its stores, and what belongs to no store."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
import pytest

from shared.store.migrate import migrate
from shared.store.pool import Connection, Readers
from shared.testing.servers import FreshDatabase
from shared.views.table import Table
from shared.web.auth import Auth
from shared.web.call import Call
from shared.web.tests.example import NORTH, SOUTH, tags


@dataclass(frozen=True)
class Brand:
    name: str


START = datetime(2026, 11, 22, 1, tzinfo=UTC)
brands = Table("brands", 1, Brand, key=("name",), store=None)


def asked_by(auth: Auth, reader: Readers) -> Call:
    """A request of this person."""
    kit = SimpleNamespace(reader=reader, guarded=frozenset([tags.sql_name]))
    return Call(cast(Any, kit), cast(Any, None), auth, creates=False, status=200)


@pytest.fixture
async def reader(fresh_database: FreshDatabase) -> AsyncIterator[Readers]:
    """One connection, as nobody asks beside another, to a brand and a tag of each of two stores."""
    writer_url, reader_url = await fresh_database("example")
    await migrate(writer_url, urlsplit(reader_url).username or "", [tags, brands])
    async with await psycopg.AsyncConnection.connect(writer_url, autocommit=True) as conn:
        for store in (NORTH, SOUTH):
            await conn.execute("insert into tags_1 values (%s, %s, 'tag', 100, 'CNY', %s, 7)", [f"of {store}", store, START])
        await conn.execute("insert into brands_1 values ('Aurora')")
    async with Readers(reader_url, "test") as pool:
        yield pool


async def test_each_sees_the_rows_of_his_stores_whoever_asked_before_on_the_same_connection(reader: Readers) -> None:
    lin, wu, owner = Auth("lin", stores=frozenset([NORTH])), Auth("wu", stores=frozenset([SOUTH])), Auth("owner", all_stores=True)
    nobody = Auth("new", stores=frozenset())
    for auth, stores in ((lin, [NORTH]), (wu, [SOUTH]), (wu, [SOUTH]), (owner, [NORTH, SOUTH]), (nobody, []), (lin, [NORTH])):
        assert await asked_by(auth, reader).everybodys("select name from brands_1 where name = %s", ["Aurora"]) == [{"name": "Aurora"}]
        seen = await asked_by(auth, reader).rows("select store_id from tags_1 order by store_id")
        assert [row["store_id"] for row in seen] == sorted(stores)


async def test_who_says_nothing_of_stores_sees_nobodys_rows(reader: Readers) -> None:
    """However the connection was used before."""
    assert len(await asked_by(Auth("owner", all_stores=True), reader).rows("select store_id from tags_1")) == 2
    async with reader.connection() as conn:
        assert await (await conn.execute("select store_id from tags_1")).fetchall() == []


async def test_a_stores_rows_are_not_everybodys(reader: Readers) -> None:
    owner = asked_by(Auth("owner", all_stores=True), reader)
    with pytest.raises(ValueError, match="tags_1"):
        await owner.everybodys("select tag_id from tags_1")


@pytest.mark.parametrize("broken_off", ["select nothing from nowhere", "select pg_sleep(9)"])
async def test_what_breaks_off_leaves_nobodys_rows_behind(reader: Readers, broken_off: str) -> None:
    """An error, or a caller who has gone: whose rows the connection shows is what was last told and answered, or told again."""
    with pytest.raises((psycopg.Error, TimeoutError)):
        async with asyncio.timeout(0.2):
            await asked_by(Auth("owner", all_stores=True), reader).rows(broken_off)
    assert await asked_by(Auth("lin", stores=frozenset([NORTH])), reader).rows("select store_id from tags_1") == [{"store_id": NORTH}]


@pytest.mark.parametrize("arrived", [False, True])
async def test_a_scope_that_was_not_answered_is_told_again(reader: Readers, monkeypatch: pytest.MonkeyPatch, arrived: bool) -> None:
    """Whether it was lost on its way to the server or on the way back: nobody is shown what it may have left behind."""
    tell = Connection.execute

    async def lost(conn: Connection, sql: Any, params: Any) -> None:
        if arrived:
            await tell(conn, sql, params)
        raise TimeoutError

    lin, owner = Auth("lin", stores=frozenset([NORTH])), Auth("owner", all_stores=True)
    before, breaks_off = (lin, owner) if arrived else (owner, lin)
    await asked_by(before, reader).rows("select store_id from tags_1")
    with monkeypatch.context() as patch, pytest.raises(TimeoutError):
        patch.setattr(Connection, "execute", lost)
        await asked_by(breaks_off, reader).rows("select store_id from tags_1")
    assert await asked_by(lin, reader).rows("select store_id from tags_1") == [{"store_id": NORTH}]
