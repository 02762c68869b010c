"""The service that its API's tests ask."""

from collections.abc import AsyncIterator

import pytest

from services.orders.tests.running import Running, running
from shared.testing.servers import FreshDatabase


@pytest.fixture
async def orders(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made
