"""A13, A14, A52, A54: lists on a real PostgreSQL, through role reader and row-level security."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest

from shared.store.migrate import migrate
from shared.store.pool import Readers
from shared.testing.servers import FreshDatabase
from shared.values.ids import new_id
from shared.web.tests.client import Client
from shared.web.tests.example import NORTH, SOUTH, bearer, running, tags

START = datetime(2026, 11, 22, 1, tzinfo=UTC)


@pytest.fixture
async def lin(fresh_database: FreshDatabase) -> AsyncIterator[Client]:
    """Lin of the north store, which has seven tags (two written at the same moment); the south store has three."""
    writer_url, reader_url = await fresh_database("example")
    await migrate(writer_url, urlsplit(reader_url).username or "", [tags])
    async with await psycopg.AsyncConnection.connect(writer_url, autocommit=True) as conn:
        for i in range(10):
            store = NORTH if i < 7 else SOUTH
            row = (new_id(), store, f"tag {i}", 100 * i, "CNY", START + timedelta(hours=min(i, 5)), 7)
            await conn.execute("insert into tags_1 values (%s, %s, %s, %s, %s, %s, %s)", row)
    async with (
        Readers(reader_url, "reader") as reader,
        running(reader) as client,
    ):
        yield client


async def walk(client: Client, query: str, headers: dict[str, str] | None = None) -> list[str]:
    """The titles of all pages, two a page."""
    titles, cursor = [], ""
    while True:
        answer = await client.get(f"/api/v1/tags?limit=2{query}{cursor}", headers)
        assert answer.status == 200, answer
        assert len(answer.json["items"]) <= 2
        titles += [item["title"] for item in answer.json["items"]]
        if not answer.json["next_cursor"]:
            return titles
        cursor = f"&cursor={answer.json['next_cursor']}"


async def test_pages_follow_one_another(lin: Client) -> None:
    down = await walk(lin, "")
    assert down[2:] == ["tag 4", "tag 3", "tag 2", "tag 1", "tag 0"]
    assert set(down[:2]) == {"tag 5", "tag 6"}
    assert await walk(lin, "&sort=title") == [f"tag {i}" for i in range(7)]


async def test_filters(lin: Client) -> None:
    assert await walk(lin, "&since=2026-11-22T12:00:00%2B08:00&sort=title") == ["tag 3", "tag 4", "tag 5", "tag 6"]
    assert await walk(lin, f"&store_id={NORTH}&sort=title") == [f"tag {i}" for i in range(7)]


async def test_a52_another_stores_rows_are_not_there(lin: Client) -> None:
    assert await walk(lin, f"&store_id={SOUTH}") == []
    assert await walk(lin, "&sort=title", bearer("wu", stores=(SOUTH,))) == ["tag 7", "tag 8", "tag 9"]
    assert len(await walk(lin, "", bearer("owner", stores=("*",)))) == 10
    assert await walk(lin, "", bearer("nobody", stores=())) == []
    assert (await lin.get("/api/v1/tags?store_id=*")).status == 422


async def test_a57_a_hidden_column_is_absent(lin: Client) -> None:
    (item, *_) = (await lin.get("/api/v1/tags")).json["items"]
    assert set(item) == {"tag_id", "store_id", "title", "price", "currency", "written_at"}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1000000000", "9" * 18, "9" * 30, "x", "1.0", "", "%D9%A3"])
async def test_a13_limit(lin: Client, limit: str) -> None:
    answer = await lin.get(f"/api/v1/tags?limit={limit}")
    assert (answer.status, answer.problem) == (422, "validation")
    assert "limit" in answer.errors


@pytest.mark.parametrize("offset", ["offset=1000000000", "page=9"])
async def test_a13_there_is_no_offset(lin: Client, offset: str) -> None:
    assert (await lin.get(f"/api/v1/tags?{offset}")).problem == "unknown-parameter"


async def test_a13_a_cursor_that_is_not_ours(lin: Client) -> None:
    cursor = (await lin.get("/api/v1/tags?limit=2")).json["next_cursor"]
    flipped = cursor[:30] + ("A" if cursor[30] != "A" else "B") + cursor[31:]
    for bad in ("x", "", "A" * 60, flipped, cursor[:-4], cursor + "AAAA", "%00" * 30, "a" * 5000):
        answer = await lin.get(f"/api/v1/tags?limit=2&cursor={bad}")
        if bad == "%00" * 30:
            assert answer.status == 422
        else:
            assert (answer.status, answer.problem) == (400, "bad-cursor"), bad


async def test_a13_a_cursor_serves_only_the_list_it_was_made_for(lin: Client) -> None:
    cursor = (await lin.get("/api/v1/tags?limit=2")).json["next_cursor"]
    assert (await lin.get(f"/api/v1/tags?limit=5&cursor={cursor}")).status == 200
    assert (await lin.get(f"/api/v1/tags?sort=title&cursor={cursor}")).problem == "bad-cursor"
    assert (await lin.get(f"/api/v1/tags?store_id={NORTH}&cursor={cursor}")).problem == "bad-cursor"
    assert (await lin.get(f"/api/v1/tags?cursor={cursor}", bearer("wu"))).problem == "bad-cursor"


@pytest.mark.parametrize("sort", ["cost", "title desc", "title;drop table tags_1", "(select 1)", "", "-title"])
async def test_a14_sort(lin: Client, sort: str) -> None:
    answer = await lin.get(f"/api/v1/tags?sort={sort.replace(' ', '%20').replace(';', '%3B')}")
    assert (answer.status, answer.errors) == (422, {"sort": "must be one of -written_at, title"})


@pytest.mark.parametrize("parameter", ["cost=7", "price=1", "user=wu", "1%3D1=1"])
async def test_a14_filter(lin: Client, parameter: str) -> None:
    assert (await lin.get(f"/api/v1/tags?{parameter}")).problem == "unknown-parameter"


async def test_a50_one_thing_and_anothers(lin: Client) -> None:
    mine = (await lin.get("/api/v1/tags?limit=1")).json["items"][0]
    answer = await lin.get(f"/api/v1/tags/{mine['tag_id']}")
    assert (answer.json["title"], answer.headers["etag"]) == (mine["title"], '"7"')
    foreign = await lin.get(f"/api/v1/tags/{mine['tag_id']}", bearer("wu", stores=(SOUTH,)))
    assert (foreign.status, foreign.problem) == (404, "not-found")


async def test_no_request_leaves_its_stores_behind(lin: Client) -> None:
    """The next on the same connection sees only his own."""
    for _ in range(5):
        assert len(await walk(lin, "", bearer("owner", stores=("*",)))) == 10
        assert await walk(lin, "", bearer("nobody", stores=())) == []


async def test_ready_when_the_database_answers(lin: Client) -> None:
    answer = await lin.get("/readyz")
    assert (answer.status, answer.json) == (200, {"status": "ready", "checks": {"running": True, "database": True}})


async def test_f10_a_database_that_is_gone_is_503(lin: Client) -> None:
    await lin.app.state.runtime.reader.close()  # type: ignore[attr-defined]
    answer = await lin.get("/api/v1/tags")
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert (await lin.get("/readyz")).status == 503
