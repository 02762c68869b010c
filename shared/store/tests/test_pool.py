"""PostgreSQL is killed under a pool: callers are told soon, and nobody has to do anything when it is back."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg_pool import PoolTimeout

from deploy.local import postgres
from deploy.local.process import Server, free_port
from shared.store.pool import PATIENCE, SILENCE, Pool
from shared.store.postgres import PostgresStore
from shared.store.protocol import Unavailable


@pytest.fixture
async def server(served_folder: Path) -> AsyncIterator[Server]:
    made = postgres.start(served_folder / "postgres", free_port(), "abc")
    made.wait()
    yield made
    made.stop()


async def ask(pool: Pool, takes: float = 0) -> float:
    """Seconds until the database, or the pool, has refused; 0 for an answer."""
    began = time.monotonic()
    try:
        async with pool.connection() as connection:
            await connection.execute("select pg_sleep(%s)", [takes])
    except (psycopg.OperationalError, PoolTimeout):
        return time.monotonic() - began
    return 0.0


async def test_a_dead_database_is_said_at_once_and_found_again(server: Server) -> None:
    async with Pool(server.url, "test") as pool:
        assert await ask(pool) == 0
        server.kill9()
        waits = [await ask(pool) for _ in range(12)]
        assert max(waits) < PATIENCE + 0.5
        assert max(waits[3:]) < 0.5
        server.start()
        server.wait()
        until = time.monotonic() + 5
        while await ask(pool):
            assert time.monotonic() < until


async def test_nobody_is_given_a_connection_that_has_outlived_its_server(server: Server) -> None:
    """Three idle ones, whose server was killed and is back: the next callers notice nothing."""
    async with Pool(server.url, "test") as pool:
        assert await asyncio.gather(*(ask(pool, 0.2) for _ in range(3))) == [0, 0, 0]
        server.kill9()
        server.start()
        server.wait()
        assert [await ask(pool) for _ in range(6)] == [0] * 6


async def test_nor_one_that_the_server_has_ended(server: Server) -> None:
    async with Pool(server.url, "test") as pool:
        assert await ask(pool) == 0
        with psycopg.connect(server.url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test'")
        await asyncio.sleep(0.2)
        assert await ask(pool) == 0


async def test_a_process_that_stood_still_within_a_transaction_is_told_that_nobody_answers(server: Server) -> None:
    async with Pool(server.url, "test") as pool:
        store = PostgresStore(pool)
        with pytest.raises(Unavailable):
            async with store.begin() as tx:
                await tx.conn.execute("set idle_in_transaction_session_timeout = '100ms'")
                await asyncio.sleep(0.5)
                await tx.conn.execute("select 1")


async def test_a_frozen_database_is_given_up_and_found_again_when_it_moves(server: Server) -> None:
    async with Pool(server.url, "test") as pool:
        assert await ask(pool) == 0
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        for process in family:
            process.suspend()
        try:
            waits = [await ask(pool) for _ in range(3)]
            assert SILENCE <= waits[0] < 5
            assert waits[1] < 5
            assert waits[2] < PATIENCE + 0.5
        finally:
            for process in family:
                process.resume()
        until = time.monotonic() + 10
        while await ask(pool):
            assert time.monotonic() < until


async def test_a_connection_waits_for_no_lock_longer_than_five_seconds(server: Server) -> None:
    async with Pool(server.url, "test") as pool, pool.connection() as connection:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            found = await (await connection.execute("select current_setting(%s)", [name])).fetchone()
            assert found == ("5s",)
