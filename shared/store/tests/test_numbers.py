"""Numbers of a series have no gaps, whoever asks together, is refused, leaves, or has to wait."""

import asyncio
from typing import Any

import pytest

from shared.decider import Rejected
from shared.deciding import Folder
from shared.handling import IN_LINE, Done, Handler, Number, Request
from shared.store.memory import MemoryStore
from shared.store.protocol import Store, Unavailable
from shared.store.tests.support import postgres_store, request
from shared.testing import tills
from shared.testing.servers import FreshDatabase
from shared.testing.tills import NOON, OpenTill
from shared.values.ids import new_id
from shared.waiting import Waiting


async def test_numbers_have_no_gaps_under_races_and_refusals(handler: Handler, store: Store) -> None:
    def numbered(name: str) -> Request:
        return request(new_id(), lambda n: OpenTill(name=name, number=str(n)), number=Number(series="T", day=NOON.date()))

    names = [f"t{i % 30}" for i in range(60)]
    results = await asyncio.gather(*(handler.handle(numbered(name)) for name in names), return_exceptions=True)
    won = [r for r in results if isinstance(r, Done)]
    assert len(won) == 30
    loaded = await store.load([r.stream for r in won])
    numbers = sorted(int(handler.folder.stored.decode(h[0].type, 1, h[0].data.encode()).number) for h in loaded.events.values())
    assert numbers == list(range(1, 31))


async def test_all_who_wait_for_numbers_share_a_commit_and_keep_their_order(
    handler: Handler, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, begin = list[str](), store.begin

    def counted() -> Any:
        begun.append("transaction")
        return begin()

    monkeypatch.setattr(store, "begin", counted)

    def numbered(name: str) -> Request:
        return request(new_id(), lambda n: OpenTill(name=name, number=str(n)), number=Number(series="T", day=NOON.date()))

    names = ["t0", *(f"t{n}" for n in range(20)), *(f"u{n}" for n in range(11))]
    results = await asyncio.gather(*(handler.handle(numbered(name)) for name in names), return_exceptions=True)
    assert [type(result) for result in results].count(Rejected) == 1
    begun_by_many = len(begun)
    won = await asyncio.gather(*(handler.handle(numbered(f"v{n}")) for n in range(20)))
    assert len(begun) - begun_by_many <= 2 * IN_LINE
    loaded = await store.load([done.stream for done in won])
    given = [int(handler.folder.stored.decode(h[0].type, 1, h[0].data.encode()).number) for h in loaded.events.values()]
    assert given == list(range(32, 52)), "without a gap after those before, in the order they were asked for"


async def test_a_number_is_given_to_nobody_who_has_left(handler: Handler, store: Store) -> None:
    series = Number(series="T", day=NOON.date())
    asked = [request(new_id(), lambda n, name=name: OpenTill(name=name, number=str(n)), number=series) for name in "abc"]
    first, gone, last = (asyncio.create_task(handler.handle(one)) for one in asked)
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(first, gone, last, return_exceptions=True)
    async with store.begin() as tx:
        assert await tx.number(series.series, series.day) == 3
    assert await store.holder("till", "b") is None


async def test_who_waits_for_a_number_leaves_connections_to_the_others(fresh_database: FreshDatabase) -> None:
    """Another process holds the series; many wait for it here, more than there are connections."""
    async with postgres_store(fresh_database) as store:
        handler = Handler(store, Folder(tills.stored, [tills.aggregate]))
        await handler.start()
        series = Number(series="T", day=NOON.date())
        numbered = [request(new_id(), lambda n: OpenTill(name=f"t{n}", number=str(n)), number=series) for _ in range(20)]
        async with store.begin() as elsewhere:
            await elsewhere.number(series.series, series.day)
            waiting = [asyncio.create_task(handler.handle(one)) for one in numbered]
            await asyncio.sleep(0.3)
            assert (await asyncio.wait_for(handler.handle(request(new_id(), OpenTill(name="other"))), 2)).version == 1
            assert not any(task.done() for task in waiting)
        assert {done.version for done in await asyncio.gather(*waiting)} == {1}
        await handler.stop()


async def test_a_series_that_does_not_come_free_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.handling.PATIENCE", 0.05)
    store, held = MemoryStore(), asyncio.Event()
    handler = Handler(store, Folder(tills.stored, [tills.aggregate]))

    async def slow(_: Number, waiting: list[Waiting]) -> list[Waiting]:
        await held.wait()
        for one in waiting:
            one.tell(Done(stream="till-1", version=1))
        return []

    monkeypatch.setattr(handler, "_together", slow)
    numbered = request(new_id(), lambda n: OpenTill(name="t", number=str(n)), number=Number(series="T", day=NOON.date()))
    answers = [asyncio.create_task(handler.handle(numbered)) for _ in range(IN_LINE + 1)]
    with pytest.raises(Unavailable):
        await answers[-1]
    held.set()
    assert [(await task).version for task in answers[:-1]] == [1] * IN_LINE
