"""The disk under PostgreSQL is full: people are told, reads go on, nothing acknowledged is lost, and with room again all goes on."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from uuid import uuid4

import psycopg
import pytest

from deploy.local import postgres
from deploy.local.process import Server, free_port
from deploy.local.setup import prepare
from shared.bus.tests.support import row
from shared.store.migrate import migrate
from shared.store.pool import Pool
from shared.store.postgres import PostgresStore
from shared.store.protocol import Commit, Unavailable

DISK = "96m"
PASSWORD = "abc"
EVENTS = 40
"""Per commit; each of a kilobyte and more."""


@pytest.fixture
def full_disk(served_folder: Path) -> Iterator[tuple[Server, Path]]:
    """PostgreSQL on a disk of its own that is soon full; a file that can be deleted makes room."""
    mount, unmount, copy = which("mount"), which("umount"), which("cp")
    assert mount
    assert unmount
    assert copy
    place = served_folder / "disk"
    place.mkdir(mode=0o755)
    made = postgres.start(served_folder / "postgres", free_port(), PASSWORD, served_folder / "log")
    made.wait()
    made.stop()
    subprocess.run([mount, "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", place], check=True)
    try:
        subprocess.run([copy, "-a", served_folder / "postgres", place], check=True)
        server = postgres.start(place / "postgres", free_port(), PASSWORD, served_folder / "log")
        server.wait()
        try:
            yield server, place
        finally:
            server.kill9()
    finally:
        subprocess.run([unmount, place], check=True)


@pytest.mark.slow
async def test_f19_a_full_disk_refuses_and_loses_nothing(full_disk: tuple[Server, Path]) -> None:
    server, place = full_disk
    with psycopg.connect(server.url, autocommit=True) as superuser:
        prepare(superuser)
        superuser.execute("create role orders_reader login")
    await migrate(server.url, "orders_reader", [])
    ballast = place / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(12_000_000))
    async with Pool(server.url, "orders-writer") as pool:
        store = PostgresStore(pool)
        kept: list[str] = []
        with pytest.raises(Unavailable):
            for _ in range(20_000):
                kept += await some(store)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await some(store)
        assert await stored(pool) >= set(kept)
        ballast.unlink()
        until = asyncio.get_running_loop().time() + 60
        while True:
            try:
                kept += await some(store)
                break
            except Unavailable:
                assert asyncio.get_running_loop().time() < until, "it does not heal"
                await asyncio.sleep(0.2)
        assert await stored(pool) >= set(kept)


async def some(store: PostgresStore) -> list[str]:
    """A commit that takes room; its streams once it is acknowledged."""
    streams = [f"order-{uuid4()}" for _ in range(EVENTS)]
    rows = [row(stream + "x" * 1000, 1) for stream in streams]
    await store.append(Commit(outbox=rows))
    return streams


async def stored(pool: Pool) -> set[str]:
    """The streams that are there."""
    async with pool.connection() as connection:
        found = await (await connection.execute("select left(stream, 42) from outbox")).fetchall()
    return {one[0] for one in found}
