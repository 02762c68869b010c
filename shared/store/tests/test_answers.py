"""The answer to a key is kept for a month, and no longer."""

import asyncio
from datetime import timedelta

import pytest

from shared.deciding import Folder
from shared.handling import Handler
from shared.store import answers
from shared.store.protocol import Key
from shared.store.tests.support import postgres_store, request
from shared.testing import tills
from shared.testing.servers import FreshDatabase
from shared.testing.tasks import at_work
from shared.testing.tills import OpenTill
from shared.values.ids import new_id


async def test_an_old_key_has_its_command_done_anew_and_a_younger_one_does_not(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "BATCH", 2)
    monkeypatch.setattr(answers, "LOOK", 0.01)
    keys = [Key(subject="li", route="tills", key=f"k{n}") for n in range(6)]
    leads = False
    async with postgres_store(fresh_database) as store:
        handler = Handler(store, Folder(tills.stored, [tills.aggregate]))
        await handler.start()

        async def opened(key: Key) -> str:
            return (await handler.handle(request(new_id(), OpenTill(name=new_id()), key.key))).stream

        first = [await opened(key) for key in keys]
        async with store.pool.connection() as connection:
            await connection.execute("update idempotency set recorded_at = recorded_at - %s where key <> 'k5'", [answers.KEPT])
        async with at_work(answers.tend(store, lambda: leads)):
            await asyncio.sleep(0.1)
            assert [await opened(key) for key in keys] == first, "who does not lead forgets nothing"
            leads = True
            while (await store.load([], keys)).answers.keys() > {keys[5]}:
                await asyncio.sleep(0.01)
        assert await answers.forget(store, timedelta(days=1)) == 0
        again = [await opened(key) for key in keys]
        await handler.stop()
    assert again[5] == first[5]
    assert not set(again[:5]) & set(first[:5])
