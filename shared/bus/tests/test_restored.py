"""A store is brought back to an earlier moment while Kafka is ahead of it (F31): nobody skips, nobody believes what never was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from shared.bus.consumer import Consumer
from shared.bus.heard import Effect, Heard
from shared.bus.memory import MemoryBus
from shared.bus.relay import Relay
from shared.bus.republish import Republisher
from shared.bus.tests.support import Shelf, holder, opened, shelf, shelves, until
from shared.deciding import Folder, Order
from shared.events.registry import Registry
from shared.handling import Handler, Request
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.protocol import Republication
from shared.store.restored import begin_anew
from shared.testing import tills
from shared.testing.servers import Servers
from shared.testing.tasks import at_work
from shared.testing.tills import OpenTill, PutIn
from shared.views.table import Change

FOLDER = Folder(tills.stored, [tills.aggregate])


@dataclass
class Pair:
    """URLs of the store that tells and of the one that hears, as they stand and as they stood at the moment to go back to."""

    tells: str
    hears: str
    told_then: str = ""
    heard_then: str = ""


async def database(servers: Servers, name: str) -> str:
    writer, reader = await servers.fresh_database(name)
    await migrate(writer, urlsplit(reader).username or "", [shelves, tills.tills])
    return writer


def copy(servers: Servers, url: str) -> str:
    """The database as it stands now, as a backup would bring it back."""
    there = urlsplit(url)
    name, owner = there.path[1:], there.username
    made = f"{name}_{uuid4().hex[:6]}"
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(f"create database {made} template {name} owner {owner}".encode())
    servers._databases.append(made)
    return urlunsplit(there._replace(path=f"/{made}"))


async def put_in(url: str, *amounts: int) -> None:
    """Commands to the till; its public events wait in the outbox."""
    async with opened(url) as store:
        handler = Handler(store, FOLDER)
        await handler.start()
        try:
            for command in (OpenTill(name="front"), *(PutIn(amount=amount) for amount in amounts)):
                if not isinstance(command, OpenTill) or amounts[0] == 1:
                    await handler.handle(Request(order=Order(stream="till-1", meta=tills.meta), command=command))
        finally:
            await handler.stop()


async def relay(url: str, bus: MemoryBus) -> None:
    async with opened(url) as store:
        leader = Relay(store, bus, "testing", holder(1), again=Republisher(store, FOLDER))
        assert await leader.take_lease()
        while await leader.publish_once():
            pass
        await store.lead("relay", holder(1), 0)


def listen(heard: Heard) -> list[Effect]:
    return [Change(shelves, (heard.stream,), lambda row: Shelf(heard.stream, [*(row.numbers if row else []), heard.event.amount]))]


def ear(store: PostgresStore, bus: MemoryBus) -> Consumer:
    handler = Handler(store, Folder(Registry("stock", {}), ()))
    return Consumer("stock", store, bus, ["testing"], listen, handler.apply, pause=0.001)


@asynccontextmanager
async def hearing(url: str, bus: MemoryBus) -> AsyncIterator[Consumer]:
    """A consumer at work; it ends with the block, or by itself when it has stopped itself."""
    async with opened(url) as store:
        one = ear(store, bus)
        async with at_work(one.run()):
            yield one


async def heard(url: str) -> list[int]:
    async with opened(url) as store:
        return await shelf(store, "till-1")


async def hear(url: str, bus: MemoryBus, amounts: list[int]) -> None:
    async with hearing(url, bus), opened(url) as store:

        async def so_far() -> bool:
            return await shelf(store, "till-1") == amounts

        await until(so_far)


@pytest.fixture
async def pair(servers: Servers) -> AsyncIterator[tuple[Pair, MemoryBus]]:
    """1 and 2 were told and heard, 3 was told and not heard: that moment is kept. Then 4 was told, and all of it heard."""
    bus = MemoryBus(partitions=1)
    made = Pair(await database(servers, "testing"), await database(servers, "stock"))
    await put_in(made.tells, 1, 2)
    await relay(made.tells, bus)
    await hear(made.hears, bus, [1, 2])
    await put_in(made.tells, 3)
    await relay(made.tells, bus)
    made.told_then, made.heard_then = copy(servers, made.tells), copy(servers, made.hears)
    await put_in(made.tells, 4)
    await relay(made.tells, bus)
    await hear(made.hears, bus, [1, 2, 3, 4])
    yield made, bus
    await servers.drop_databases()


async def test_f31_who_was_not_brought_back_stops_at_the_first_word_of_the_restored_store(pair: tuple[Pair, MemoryBus]) -> None:
    """Without a new lineage its 5 would be taken for the lost 4 and dropped."""
    made, bus = pair
    begin_anew({"testing": made.told_then})
    await put_in(made.told_then, 5)
    await relay(made.told_then, bus)
    async with hearing(made.hears, bus) as stopped:
        await until(lambda: stopped.alarm)
        assert "speaks from store" in (stopped.alarm or "")
    assert await heard(made.hears) == [1, 2, 3, 4]


async def test_f31_who_was_brought_back_too_believes_nothing_of_the_lost_time(pair: tuple[Pair, MemoryBus]) -> None:
    """Kafka was left as it was: it still holds 3, and 4, which never happened."""
    made, bus = pair
    begin_anew({"testing": made.told_then, "stock": made.heard_then})
    async with hearing(made.heard_then, bus) as stopped:
        await until(lambda: stopped.alarm)
        assert "speaks from store" in (stopped.alarm or "")
    assert await heard(made.heard_then) == [1, 2]


async def test_f31_on_a_new_kafka_everything_is_told_again_and_counts_once(pair: tuple[Pair, MemoryBus]) -> None:
    """3 had left the store and not arrived: it is in no table but that of events."""
    made, _ = pair
    begin_anew({"testing": made.told_then, "stock": made.heard_then})
    await put_in(made.told_then, 5)
    bus = MemoryBus(partitions=1)
    await relay(made.told_then, bus)
    await hear(made.heard_then, bus, [1, 2, 3, 5])


async def test_what_was_just_being_told_again_begins_once_more(pair: tuple[Pair, MemoryBus]) -> None:
    """The moment to go back to lies in a republication that had come past the till: it was for a Kafka that is gone."""
    made, _ = pair
    async with opened(made.told_then) as store:
        id = await store.republish()
        await store.republished(Republication(id=id, starts={0: 9}, after="till-9"))
    begin_anew({"testing": made.told_then, "stock": made.heard_then})
    bus = MemoryBus(partitions=1)
    await relay(made.told_then, bus)
    await hear(made.heard_then, bus, [1, 2, 3])
