"""A migration is killed at every step: the next one goes on from there, and ends where an undisturbed one does."""

import asyncio
import os
import signal
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

import psycopg

from services.orders.app import service
from shared.store.migrate import migrate
from shared.testing.servers import FreshDatabase

_clean = get_context("forkserver")
_clean.set_forkserver_preload(["services.orders.app"])
_SHAPE = """select table_name, column_name, data_type, column_default, is_nullable from information_schema.columns where table_schema = 'public'
    union all select tablename, indexname, indexdef, '', '' from pg_indexes where schemaname = 'public'
    union all select tablename, policyname, qual, '', '' from pg_policies
    union all select table_name, grantee, privilege_type, '', '' from information_schema.role_table_grants where table_schema = 'public'
    order by 1, 2, 3"""


def shape(url: str) -> list[tuple[Any, ...]]:
    """Columns, indexes, policies and rights of a database."""
    with psycopg.connect(url) as connection:
        return connection.execute(_SHAPE).fetchall()


def run(url: str, reader: str, failpoint: str) -> None:
    """One migration, in a process of its own."""
    os.environ["FORECOURT_FAILPOINT"] = failpoint
    asyncio.run(migrate(url, reader, service.all_tables()))


def attempt(url: str, reader: str, failpoint: str = "") -> int | None:
    """Its exit code."""
    process = _clean.Process(target=run, args=(url, reader, failpoint))
    process.start()
    process.join(30)
    return process.exitcode


async def test_f25_a_migration_killed_at_any_step_is_finished_by_the_next(fresh_database: FreshDatabase) -> None:
    (whole, reader), (halves, _) = await fresh_database("orders"), await fresh_database("orders")
    role = urlsplit(reader).username or ""
    assert attempt(whole, role) == 0
    kills = 0
    while (code := attempt(halves, role, "migrate.step:2")) != 0:
        assert code == -signal.SIGKILL
        kills += 1
        assert kills < 50
    assert kills >= len(service.all_tables()) // 2
    assert attempt(halves, role) == 0
    assert shape(halves) == shape(whole)
