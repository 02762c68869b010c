"""A store of each kind, and what decides commands on it."""

from collections.abc import AsyncIterator

import pytest

from shared.deciding import Folder
from shared.handling import Handler
from shared.store.memory import MemoryStore
from shared.store.protocol import Store
from shared.store.tests.support import postgres_store
from shared.testing import tills
from shared.testing.overlapping import OverlappingStore
from shared.testing.servers import FreshDatabase


@pytest.fixture(params=["memory", "overlapping", "postgres"])
async def store(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[Store]:
    if request.param != "postgres":
        yield MemoryStore() if request.param == "memory" else OverlappingStore()
        return
    async with postgres_store(fresh_database) as store:
        yield store


@pytest.fixture
async def handler(store: Store) -> AsyncIterator[Handler]:
    made = Handler(store, Folder(tills.stored, [tills.aggregate]))
    await made.start()
    yield made
    await made.stop()
