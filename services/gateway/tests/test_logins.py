"""Passwords are hashed a few at a time, and wrong ones counted; a try that nobody had time for is none."""

import asyncio
from datetime import UTC, datetime

import pytest
from psycopg_pool import AsyncConnectionPool

from services.gateway.app import service
from services.gateway.logins import QUEUE, TRIES, Attempts, Busy, Passwords, TooManyTries
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.testing.servers import FreshDatabase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_a41_tries_are_counted_and_what_was_not_judged_is_taken_back(fresh_database: FreshDatabase) -> None:
    writer_url, _ = await fresh_database("gateway")
    await migrate(writer_url, "gateway_reader", service.all_tables())
    async with AsyncConnectionPool(writer_url, kwargs={"autocommit": True}, open=False, min_size=1, max_size=2) as writer:
        store = PostgresStore(writer)
        await store.open()
        attempts = Attempts(store)
        made = [await attempts.enter("lin", "10.0.0.1", NOON) for _ in range(TRIES)]
        with pytest.raises(TooManyTries):
            await attempts.enter("lin", "10.0.0.2", NOON)
        await attempts.unjudged(made[0])
        await attempts.enter("lin", "10.0.0.2", NOON)
        await attempts.succeeded("lin", NOON)
        await attempts.enter("lin", "10.0.0.2", NOON)


async def test_a45_more_logins_than_the_queue_holds_are_told_to_come_again() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("correct horse battery staple")
    async with passwords._slot(), passwords._slot():
        waiting = [asyncio.create_task(passwords.matches("wrong", hashed)) for _ in range(QUEUE - 2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await passwords.matches("wrong", hashed)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert passwords._waiting == 0, "who has left does not wait"
    assert await passwords.matches("correct horse battery staple", hashed)
