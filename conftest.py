"""Fixtures for every test: real servers, started only when a test asks for them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio
from hypothesis import settings

from shared.testing.servers import FreshDatabase, FreshTopics, Servers, open_folder


def pytest_configure(config: pytest.Config) -> None:
    """`make test` leaves out what needs the real files; `make test-data` runs it."""
    config.addinivalue_line("markers", "data: the test reads the real files in the folder that FORECOURT_DATA names")
    settings.register_profile("untimed", deadline=None)  # else a busy machine fails a property that holds
    settings.load_profile("untimed")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The session's servers; PostgreSQL, Kafka and Redis start at their first use."""
    made = Servers()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def served_folder() -> Iterator[Path]:
    """Where a server that runs as `nobody` can keep its data."""
    with open_folder() as made:
        yield made


@pytest.fixture
async def fresh_database(servers: Servers) -> AsyncIterator[FreshDatabase]:
    """`writer_url, reader_url = await fresh_database("orders")`; dropped when the test ends."""
    yield servers.fresh_database
    await servers.drop_databases()


@pytest.fixture
def kafka(servers: Servers) -> str:
    """Bootstrap servers of a real Kafka."""
    return servers.kafka


@pytest.fixture
def fresh_topics(servers: Servers) -> FreshTopics:
    """`prefix = await fresh_topics("orders", "inventory")`: topics nobody else has."""
    return servers.fresh_topics


@pytest.fixture
async def redis_url(servers: Servers) -> str:
    """A real Redis, emptied."""
    async with redis.asyncio.from_url(servers.redis) as client:
        await client.flushdb()
    return servers.redis
