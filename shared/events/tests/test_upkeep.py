"""What the vault needs done is done by itself, or by one command."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from shared.bus import metrics
from shared.bus.tests.support import until
from shared.events.privacy import Masters, Vault
from shared.events.upkeep import rewrap, tend
from shared.events.vault import MemoryVault, PostgresVault
from shared.runtime import rewrap_keys
from shared.testing.servers import FreshDatabase

MASTERS = Masters.fresh()


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> str:
    """The URL of an empty vault."""
    writer, _ = await fresh_database("vault")
    async with PostgresVault(writer, MASTERS) as vault:
        await vault.migrate()
    return writer


@asynccontextmanager
async def tended(vault: Vault) -> AsyncIterator[None]:
    task = asyncio.create_task(tend(vault, turn=0.02))
    try:
        yield
    finally:
        task.cancel()


async def keys(vault: MemoryVault, n: int) -> None:
    async with asyncio.timeout(5):
        while len(vault._rows) != n:
            await asyncio.sleep(0.01)


class Unkept(MemoryVault):
    """Its log gets nowhere, for a while."""

    fails = True

    async def archive_fails(self) -> bool:
        return self.fails


async def test_a_vault_whose_log_is_not_kept_is_told_of() -> None:
    vault, told = Unkept(MASTERS), metrics.archive_failing.labels("vault")._value.get
    async with tended(vault):
        await until(lambda: told() == 1)
        vault.fails = False
        await until(lambda: told() == 0)


async def test_expired_keys_go_by_themselves_and_an_outage_only_delays_it() -> None:
    vault = MemoryVault(MASTERS)
    await vault.seal("p1", "张三", "retention:2020")
    await vault.seal("p1", "张三", "retention:2056")
    async with tended(vault):
        await keys(vault, 1)
        await vault.seal("p2", "李四", "retention:2021")
        vault.available = False
        await asyncio.sleep(0.1)
        assert len(vault._rows) == 2
        vault.available = True
        await keys(vault, 1)
    assert [purpose for _, purpose in vault._rows] == ["retention:2056"]


async def test_several_processes_may_tend_one_vault_and_it_says_when(database: str) -> None:
    async with PostgresVault(database, MASTERS) as one, PostgresVault(database, MASTERS) as two:
        await one.seal("p1", "张三", "retention:2020")
        before = datetime.now(UTC)
        assert sum(await asyncio.gather(one.drop_expired(), two.drop_expired(), one.drop_expired())) == 1
    async with await psycopg.AsyncConnection.connect(database) as connection:
        [(at,)] = await (await connection.execute("select at from tended")).fetchall()
    assert at > before


async def test_all_keys_move_to_a_new_master() -> None:
    vault = MemoryVault(MASTERS)
    tokens = [await vault.seal(f"p{n}", str(n)) for n in range(1200)]
    new = os.urandom(32)
    vault._masters = Masters.of(new, MASTERS.keys[MASTERS.current], index=MASTERS.index)
    assert await vault.behind() == 1200
    assert await rewrap(vault) == (1200, 0)
    assert await rewrap(vault) == (0, 0)
    vault._masters = Masters.of(new, index=MASTERS.index)
    vault.drop_cached()
    assert await vault.open_all(tokens) == [str(n) for n in range(1200)]


async def test_the_command_says_whether_the_old_master_may_go(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with PostgresVault(database, MASTERS) as vault:
        for n in range(3):
            await vault.seal(f"p{n}", str(n))
    new, old = (base64.b64encode(key).decode() for key in (os.urandom(32), MASTERS.keys[MASTERS.current]))
    settings: Any = SimpleNamespace(vault_url=database, index_key="i" * 40)
    settings.vault_master_key = new
    assert await rewrap_keys(settings) == 1
    assert "0 keys wrapped anew; 3 are still under another" in capsys.readouterr().out
    settings.vault_master_key = f"{new},{old}"
    assert await rewrap_keys(settings) == 0
    assert "3 keys wrapped anew; 0 are still under another" in capsys.readouterr().out
