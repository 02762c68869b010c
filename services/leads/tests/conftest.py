"""A showroom for each test that asks for one."""

from collections.abc import AsyncIterator

import pytest

from services.leads.tests.showroom import Showroom, opened
from shared.testing.servers import FreshDatabase


@pytest.fixture
async def showroom(fresh_database: FreshDatabase) -> AsyncIterator[Showroom]:
    """The service on a database of its own."""
    async with opened(*await fresh_database("leads")) as made:
        yield made
