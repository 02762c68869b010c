"""F32: whatever is changed in a stored event, verify names it; what is cut off the end is missed by what was written down outside."""

import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared import operator
from shared.deciding import Batch, Folder, Order
from shared.events.chain import link
from shared.ops import metrics
from shared.ops.settings import Settings
from shared.service import Service
from shared.store.anchors import Anchors, broken, read
from shared.store.memory import MemoryStore
from shared.store.postgres import PostgresStore
from shared.store.protocol import Commit, EventRow, Kept, Store
from shared.store.tests.support import postgres_store
from shared.store.verify import verify
from shared.testing import tills
from shared.testing.servers import FreshDatabase
from shared.testing.tills import OpenTill, PutIn
from shared.values.ids import new_id

TIMES = 1_000
PARTS = ("id", "type", "type_version", "occurred_at", "meta", "data", "hash")


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with postgres_store(fresh_database) as store:
        yield store


async def fill(store: Store, streams: int = 8, events: int = 5) -> None:
    """Tills that are opened and filled, in one commit."""
    orders = [Order(stream=f"till-{new_id()}", meta=tills.meta) for _ in range(streams)]
    folder = Folder(tills.stored, [tills.aggregate])
    batch = Batch(folder, {order.stream: folder.fold(order.stream, ()) for order in orders})
    for order in orders:
        batch.record(order, batch.decide(order, OpenTill(name=order.stream)), tills.NOON)
        for amount in range(1, events):
            batch.record(order, batch.decide(order, PutIn(amount=amount)), tills.NOON)
    await store.append(Commit(events=batch.commit.events))


async def change(store: Store, *rows: tuple[Kept, Kept | None]) -> None:
    """What somebody with all rights does: puts other rows, or nothing, in the place of rows."""
    if isinstance(store, MemoryStore):
        for was, now in rows:
            history = store.data.events.setdefault(was.stream, [])
            history[:] = [row for row in history if row.version != was.version]
            if now is not None:
                theirs = store.data.events.setdefault(now.stream, [])
                theirs.append(_row(now))
                theirs.sort(key=lambda row: row.version)
        return
    assert isinstance(store, PostgresStore)
    gone = [(was.stream, was.version) for was, now in rows if now is None]
    set_to = ", ".join(f"{column} = %s" for column in Kept._fields)
    put = [(*now, was.stream, was.version) for was, now in rows if now is not None]
    async with store.pool.connection() as conn, conn.transaction():
        await conn.cursor().executemany("delete from events where stream = %s and version = %s", gone)
        await conn.cursor().executemany(f"update events set {set_to} where stream = %s and version = %s".encode(), put)


def _row(kept: Kept) -> EventRow:
    about = kept._asdict()
    about |= {"meta": kept.meta.decode("latin1"), "data": kept.data.decode("latin1"), "hash": kept.hash.hex()}
    return EventRow(**about)


def flipped(row: Kept, part: str, chance: random.Random) -> Kept:
    """The row with one bit of one part turned over."""
    value: Any = getattr(row, part)
    match value:
        case bytes():
            most = 8 if part == "hash" else 7  # the memory store keeps text
            at, bit = chance.randrange(len(value)), chance.randrange(most)
            value = value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :]
        case UUID():
            value = UUID(int=value.int ^ 1 << chance.randrange(128))
        case int():
            value ^= 1 << chance.randrange(8)
        case str():
            at = chance.randrange(len(value))
            value = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case _:
            value += timedelta(microseconds=1 << chance.randrange(40))
    return row._replace(**{part: value})


async def everything(store: Store) -> list[Kept]:
    return await store.kept("", 10_000)


async def test_a_flipped_bit_is_named_a_thousand_times(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in each of a thousand streams, in any part of any row."""
    monkeypatch.setattr("shared.store.verify.FAULTS", TIMES + 1)
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    await fill(store, streams=TIMES)
    assert await verify(store) == (TIMES * 5, [])
    streams = {stream: list(rows) for stream, rows in groupby(await everything(store), attrgetter("stream"))}
    chosen = [chance.choice(rows) for rows in streams.values()]
    await change(store, *((row, flipped(row, chance.choice(PARTS), chance)) for row in chosen))
    assert await verify(store) == (TIMES * 5, [f"{row.stream}@{row.version} is not what was stored" for row in chosen])


async def test_a_row_that_is_moved_copied_or_taken_out_is_named(store: Store) -> None:
    for change_at, told in (
        (lambda rows, other: (rows[1], None), "@2 is missing"),
        (lambda rows, other: (rows[0], None), "@1 is missing"),
        (lambda rows, other: (rows[1], rows[1]._replace(version=9)), "@2 is missing"),
        (lambda rows, other: (rows[1], other[1]._replace(stream=rows[0].stream)), "@2 is not what was stored"),
        (lambda rows, other: (rows[2], rows[1]._replace(version=3)), "@3 is not what was stored"),
        (lambda rows, other: (rows[4], rows[4]._replace(stream=rows[0].stream + "x")), "x@1 is missing"),
    ):
        await fill(store, streams=1)
        await fill(store, streams=1)
        there = [list(rows) for _, rows in groupby(await everything(store), attrgetter("stream"))]
        rows, other = there[-2:]
        await change(store, change_at(rows, other))
        assert [fault for fault in (await verify(store))[1] if rows[0].stream in fault] == [rows[0].stream + told]


async def test_a_tail_cut_off_is_missed_by_the_anchors(store: Store, tmp_path: Path) -> None:
    anchors = Anchors(store, "testing", tmp_path, lambda: True)
    await fill(store, streams=30)
    await anchors.write()
    await fill(store, streams=20)
    await anchors.write()
    written = {row.stream for row in await everything(store)}
    await fill(store, streams=10)
    lines = read(anchors.file)
    assert [line.events for line in lines] == [150, 100] and await verify(store, lines) == (300, [])
    chance = random.Random(1)
    cut = {stream: chance.randrange(1, 6) for stream in chance.sample(sorted(written), 12)}
    await change(store, *((row, None) for row in await everything(store) if row.version > 5 - cut.get(row.stream, 0)))
    gone = sum(cut.values())
    assert await verify(store) == (300 - gone, [])
    _, faults = await verify(store, lines)
    assert sum(int(found) for fault in faults for found in re.findall(r"(\d+) are gone", fault)) == gone
    assert len(faults) == 2


async def test_a_chain_computed_anew_does_not_fit_what_was_written_down(store: Store, tmp_path: Path) -> None:
    await fill(store, streams=1)
    anchors = Anchors(store, "testing", tmp_path, lambda: True)
    await anchors.write()
    (last,) = [row for row in await everything(store) if row.version == 5]
    before = next(row for row in await everything(store) if row.version == 4).hash
    forged = last._replace(data=b'{"amount":1}')
    forged = forged._replace(hash=link(before, *forged[:-3], forged.meta, forged.data))
    await change(store, (last, forged))
    assert await verify(store) == (5, [])
    assert "changed" in (await verify(store, read(anchors.file)))[1][0]


async def test_lines_are_written_once_an_hour_and_seal_each_other(tmp_path: Path) -> None:
    store = MemoryStore()
    anchors = Anchors(store, "testing", tmp_path / "new", lambda: True)
    assert await anchors.write(timedelta(hours=1))
    assert await anchors.write(timedelta(hours=1)) is None
    for _ in range(3):
        await fill(store, streams=1)
        assert await anchors.write()
    lines = read(anchors.file)
    assert [line.events for line in lines] == [0, 5, 5, 5] and broken(lines) == []
    assert "line 2" in broken([lines[0], replace(lines[1], events=4), *lines[2:]])[0]
    assert "line 2" in broken([lines[0], *lines[2:]])[0]
    anchors.file.write_bytes(anchors.file.read_bytes() + b"{")
    with pytest.raises(ValueError, match="as it was written"):
        read(anchors.file)


async def test_what_was_never_written_down_is_told(tmp_path: Path) -> None:
    store, told = MemoryStore(), 'forecourt_anchored_timestamp_seconds{context="sealed"} '
    (tmp_path / "closed").touch()
    closed = Anchors(store, "sealed", tmp_path / "closed", lambda: True)
    with pytest.raises(FileExistsError):
        await closed.write()
    assert told + "0.0" in metrics.render().decode()
    await Anchors(store, "sealed", tmp_path, lambda: True).write()
    assert told + "1." in metrics.render().decode()


async def test_an_operator_is_told(fresh_database: FreshDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = Service(context="testing", stored=tills.stored, aggregates=(tills.aggregate,))
    async with postgres_store(fresh_database) as store:
        settings = Settings.model_construct(writer_url=str(store.pool.conninfo), anchors=tmp_path)
        await fill(store, streams=2)
        assert await operator.verify_store(service, settings) == 0
        assert "10 events, no anchors" in capsys.readouterr().out
        await Anchors(store, "testing", tmp_path, lambda: True).write()
        assert await operator.verify_store(service, settings) == 0
        assert "all is as it was" in capsys.readouterr().out
        async with store.pool.connection() as conn:
            await conn.execute("update events set data = convert_to('{\"amount\":100}', 'UTF8') where version = 3")
        assert await operator.verify_store(service, settings) == 1
        assert capsys.readouterr().out.count("@3 is not what was stored") == 2


async def test_events_stored_before_there_were_hashes_get_theirs(fresh_database: FreshDatabase) -> None:
    async with postgres_store(fresh_database) as store:
        await fill(store)
        await fill(store)
        before = await everything(store)
        async with store.pool.connection() as conn:
            await conn.execute("alter table events drop column hash")
            await conn.execute((Path(__file__).parents[1] / "sql" / "005_chain.sql").read_bytes())
        assert await everything(store) == before
        assert await verify(store) == (80, [])
