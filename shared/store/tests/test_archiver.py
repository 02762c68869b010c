"""An archiver that fails is told of; deploy/local/tests/test_backup.py makes a real one fail."""

import psycopg
import pytest

from shared.bus import metrics
from shared.bus.tests.support import until
from shared.store import archiver
from shared.store.tests.support import postgres_store
from shared.testing.servers import FreshDatabase
from shared.testing.tasks import at_work


async def test_a_writer_may_ask_whether_the_archiver_fails(fresh_database: FreshDatabase) -> None:
    async with postgres_store(fresh_database) as store, store.look() as tx:
        assert await archiver.fails(tx.conn) is False


async def test_who_watches_tells_and_goes_on_when_he_cannot_look(fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[bool | Exception] = [True, psycopg.errors.InsufficientPrivilege(), psycopg.OperationalError(), False]
    seen: list[float] = []
    told = metrics.archive_failing.labels("till")._value.get

    async def fails(_: object) -> bool:
        seen.append(told())
        answer = answers.pop(0) if answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(metrics, "COUNT", 0.01)
    monkeypatch.setattr(archiver, "fails", fails)
    async with postgres_store(fresh_database) as store, at_work(archiver.watch(store, "till")):
        await until(lambda: len(seen) > 4)
    assert seen[:5] == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("mode", "archived", "failed", "fails"),
    [
        ("on", None, None, False),
        ("on", "12:00", None, False),
        ("on", None, "12:00", True),
        ("on", "12:00", "12:01", True),
        ("on", "12:01", "12:00", False),
        ("off", "12:00", "12:01", False),
    ],
)
async def test_it_fails_until_a_try_succeeds(
    mode: str, archived: str | None, failed: str | None, fails: bool, fresh_database: FreshDatabase
) -> None:
    async with postgres_store(fresh_database) as store, store.begin() as tx:
        await tx.conn.execute("create temporary table pg_stat_archiver (last_archived_time timestamptz, last_failed_time timestamptz)")
        times = [at and f"2026-03-02T{at}Z" for at in (archived, failed)]
        await tx.conn.execute("insert into pg_stat_archiver values (%s, %s)", times)
        sql = archiver.FAILS.replace("current_setting('archive_mode')", f"'{mode}'").replace("from ", "from pg_temp.")
        assert await (await tx.conn.execute(sql.encode())).fetchone() == (fails,)
