"""The servers that tests get are the real ones, set up as in production."""

import time
from pathlib import Path

import psycopg
import pytest
import redis.asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.setup import at
from shared.testing.servers import FreshDatabase, FreshTopics, Servers


async def test_fresh_database_is_set_up_as_in_production(fresh_database: FreshDatabase) -> None:
    writer, reader = await fresh_database("orders")
    async with await psycopg.AsyncConnection.connect(writer, autocommit=True) as conn:
        await conn.execute("create table cars (vin text); insert into cars values ('V'); grant select on cars to orders_reader")
        rows = await conn.execute("select proname from pg_proc where proleakproof and proname in ('arraycontains', 'arrayoverlap')")
        assert len(await rows.fetchall()) == 2
        extensions = await (await conn.execute("select extname from pg_extension")).fetchall()
        assert {"btree_gist", "pg_trgm"} <= {row[0] for row in extensions}
    async with await psycopg.AsyncConnection.connect(reader, autocommit=True) as conn:
        assert await (await conn.execute("select * from cars")).fetchall() == [("V",)]
        for forbidden in ("insert into cars values ('W')", "create table mine ()", "create temp table mine ()", "set role orders_writer"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(forbidden)


async def test_databases_know_nothing_of_each_other(fresh_database: FreshDatabase) -> None:
    orders, _ = await fresh_database("orders")
    finance, _ = await fresh_database("finance")
    again, _ = await fresh_database("orders")
    assert len({orders, finance, again}) == 3
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        await psycopg.AsyncConnection.connect(at(orders, finance.rsplit("/", 1)[1]))


async def test_a_writer_sees_how_long_other_transactions_run(fresh_database: FreshDatabase) -> None:
    writer, reader = await fresh_database("orders")
    async with await psycopg.AsyncConnection.connect(reader) as other, await psycopg.AsyncConnection.connect(writer) as conn:
        await other.execute("select 1")
        found = await conn.execute("select xact_start from pg_stat_activity where pid = %s", (other.info.backend_pid,))
        row = await found.fetchone()
        assert row is not None
        assert row[0] is not None


async def test_a_further_database_is_quick(fresh_database: FreshDatabase) -> None:
    await fresh_database("orders")
    began = time.perf_counter()
    await fresh_database("orders")
    assert time.perf_counter() - began < 1


async def test_topics_of_their_own(kafka: str, fresh_topics: FreshTopics) -> None:
    one, other = await fresh_topics("orders"), await fresh_topics("orders")
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(f"{one}.orders", bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with producer, consumer:
        assert len(await producer.partitions_for(f"{one}.orders")) == 6
        await producer.send_and_wait(f"{other}.orders", b"not mine")
        await producer.send_and_wait(f"{one}.orders", b"mine")
        assert (await consumer.getone()).value == b"mine"


async def test_redis(redis_url: str) -> None:
    async with redis.asyncio.from_url(redis_url) as client:
        assert await client.set("a", 1)
        assert await client.get("a") == b"1"


def test_given_servers_are_used_as_they_are() -> None:
    given = Servers({"FORECOURT_TEST_KAFKA": "kafka:9092", "FORECOURT_TEST_REDIS": "redis://elsewhere:6379/0"})
    assert (given.kafka, given.redis) == ("kafka:9092", "redis://elsewhere:6379/0")
    given.stop()


def test_nothing_is_left_behind() -> None:
    own = Servers({})
    folder, url = own.folder, own.redis
    assert isinstance(folder, Path)
    own.stop()
    assert not folder.exists()
    with pytest.raises(redis.exceptions.ConnectionError):
        redis.Redis.from_url(url).ping()
