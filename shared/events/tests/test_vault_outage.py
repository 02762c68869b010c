"""The vault out of reach: masked, refused quickly, and well again by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.events.privacy import Masters, VaultUnavailable
from shared.events.vault import MemoryVault, PostgresVault
from shared.testing.servers import FreshDatabase

MASTERS = Masters.fresh()


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> str:
    """The URL of a fresh database, as the role that services have."""
    writer, _ = await fresh_database("vault")
    return writer


async def test_memory_plays_an_outage() -> None:
    vault = MemoryVault()
    token = await vault.seal("p1", "张三")
    vault.available = False
    vault.drop_cached()
    assert await vault.open(token) is None
    for failing in (
        vault.seal("p2", "x"),
        vault.forget("p1"),
        vault.link("p1", "p2"),
        vault.drop_expired(),
        vault.rewrap(),
        vault.forgotten(),
        vault.archive_fails(),
    ):
        with pytest.raises(VaultUnavailable):
            await failing
    vault.available = True
    assert await vault.open(token) == "张三"


class Door:
    """A way to the server that can be shut (connections are cut) or jammed (nothing passes)."""

    def __init__(self) -> None:
        self.shut = False
        self.passable = asyncio.Event()
        self.passable.set()
        self.writers: list[asyncio.StreamWriter] = []

    def close(self) -> None:
        self.shut = True
        for writer in self.writers:
            writer.close()


@asynccontextmanager
async def door(dsn: str) -> AsyncIterator[tuple[Door, str]]:
    """A door and the DSN that leads through it."""
    door, target = Door(), conninfo_to_dict(dsn)
    host, port = str(target["host"]), int(target.get("port") or 5432)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await door.passable.wait()
            writer.write(data)
        writer.close()

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if door.shut:
            writer.close()
            return
        inner = asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}") if host.startswith("/") else asyncio.open_connection(host, port)
        far_reader, far_writer = await inner
        door.writers += [writer, far_writer]
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

    listening = await asyncio.start_server(enter, "127.0.0.1", 0)
    async with listening:
        yield (
            door,
            make_conninfo(dsn, host="127.0.0.1", port=listening.sockets[0].getsockname()[1], sslmode="disable", gssencmode="disable"),
        )
        door.close()


@pytest.mark.parametrize("fault", ["shut", "jammed"])
async def test_an_outage_masks_refuses_quickly_and_heals(database: str, fault: str) -> None:
    async with door(database) as (way, dsn), PostgresVault(dsn, MASTERS, patience=0.5) as vault:
        await vault.migrate()
        token = await vault.seal("p1", "张三")
        if fault == "shut":
            way.close()
        else:
            way.passable.clear()
        assert await vault.open(token) == "张三"
        vault.drop_cached()
        began = time.monotonic()
        assert await vault.open(token) is None
        with pytest.raises(VaultUnavailable):
            await vault.seal("p1", "李四")
        assert await vault.open_all([token] * 3) == [None] * 3
        assert time.monotonic() - began < 1.5
        way.shut = False
        way.passable.set()
        await _eventually(lambda: vault.open(token), "张三")
        assert await vault.open(await vault.seal("p2", "李四")) == "李四"


async def test_a_vault_that_is_down_does_not_stop_the_start() -> None:
    async with PostgresVault("host=127.0.0.1 port=1 dbname=x", MASTERS, patience=0.5) as vault:
        assert await vault.open("~p1." + "A" * 80) is None
        with pytest.raises(VaultUnavailable):
            await vault.migrate()


async def _eventually(read: Callable[[], Any], wanted: object) -> None:
    for _ in range(100):
        if await read() == wanted:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{wanted!r} never came back")
