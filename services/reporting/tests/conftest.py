"""Reporting, as its tests tell and ask it."""

from collections.abc import AsyncIterator

import pytest

from services.reporting.tests.heads import Heads, opened
from shared.testing.servers import FreshDatabase


@pytest.fixture
async def heads(fresh_database: FreshDatabase) -> AsyncIterator[Heads]:
    """Reporting, heard nothing yet but of its stores."""
    async with opened(*await fresh_database("reporting")) as made:
        yield made
