"""How chaos knows that what it killed is succeeded."""

import asyncio
import random
import time
from types import SimpleNamespace
from typing import Any, cast

from shared.bus.tests.support import fresh_store, holder, opened
from shared.testing.servers import Servers
from tests.chaos.strikes import Saboteur
from tests.faults.record import Record

LEASE = 1.0


def watching(url: str) -> Saboteur:
    """A saboteur who can see one database."""
    plan = SimpleNamespace(database=lambda context, role, secrets: url)
    return Saboteur(cast(Any, SimpleNamespace(secrets={})), cast(Any, plan), cast(Any, None), Record(), random.Random(1))


async def test_a_follower_killed_is_no_reason_to_wait_for_a_new_leader(servers: Servers) -> None:
    """Of two workers the one that does not relay dies: the other renews its lease as before."""
    url = await fresh_store(servers, "till")
    async with opened(url) as store:
        await store.lead("relay", holder(1), LEASE)
        looking = asyncio.create_task(watching(url)._led("till"))
        await asyncio.sleep(0.3)
        assert not looking.done()
        await store.lead("relay", holder(1), LEASE)
        await asyncio.wait_for(looking, LEASE / 2)


async def test_a_leader_killed_is_succeeded_when_another_leads(servers: Servers) -> None:
    url = await fresh_store(servers, "till")
    async with opened(url) as store:
        await store.lead("relay", holder(1), LEASE)
        began = time.monotonic()
        looking = asyncio.create_task(watching(url)._led("till"))
        while await store.lead("relay", holder(2), LEASE) is None:
            assert not looking.done()
            await asyncio.sleep(0.05)
        await asyncio.wait_for(looking, LEASE / 2)
        assert time.monotonic() - began >= LEASE / 2
