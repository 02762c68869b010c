"""Read your write across contexts: `Forecourt-Seen` waits, and tells when it was in vain."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.bus.inbox import Position, inbox
from shared.bus.protocol import Place
from shared.store.memory import MemoryStore
from shared.values.clock import utc_now
from shared.web import seen
from shared.web.problems import Problem
from shared.web.seen import Mark, StoreMarks, marks
from shared.web.tests.client import Client
from shared.web.tests.example import NORTH, running

STREAM = "order-0192f3a4-0000-7000-8000-000000000001"
TOUCH = f"/api/v1/tags/{NORTH}/touch"


@pytest.fixture
async def lin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """Lin of the north store, whose patience is short."""
    monkeypatch.setattr(seen, "WAIT", 0.2)
    monkeypatch.setattr(seen, "FRESH", 0.0)
    async with running() as client:
        yield client


async def hear(store: MemoryStore, sequence: int) -> None:
    async with store.begin() as tx:
        await inbox(tx).take("example", {}, {("orders", STREAM): sequence})


async def test_what_has_been_heard_is_not_waited_for(lin: Client) -> None:
    await hear(lin.app.state.runtime.store, 300)  # type: ignore[attr-defined]
    answer = await lin.post(TOUCH, headers={"forecourt-seen": f"orders/{STREAM}@300"})
    assert answer.status == 200
    assert "forecourt-as-of" not in answer.headers


async def test_a_command_waits_until_it_is_heard(lin: Client) -> None:
    waiting = asyncio.create_task(lin.post(TOUCH, headers={"forecourt-seen": f"orders/{STREAM}@300"}))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await hear(lin.app.state.runtime.store, 301)  # type: ignore[attr-defined]
    assert (await waiting).status == 200


async def test_a_command_that_would_decide_on_old_facts_is_refused(lin: Client) -> None:
    answer = await lin.post(TOUCH, headers={"forecourt-seen": f"orders/{STREAM}@300"})
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (409, "not-yet-seen", "1")


@pytest.mark.parametrize(("behind", "back"), [(3, "1"), (45, "5"), (600, "30")])
async def test_who_is_refused_comes_back_the_later_the_longer_nothing_has_been_heard(lin: Client, behind: int, back: str) -> None:
    async with lin.app.state.runtime.store.begin() as tx:  # type: ignore[attr-defined]
        heard = Position(5, utc_now() - timedelta(seconds=behind))
        await inbox(tx).take("example", {Place("forecourt.orders", 0): (0, heard)}, {})
    answer = await lin.post(TOUCH, headers={"forecourt-seen": f"orders/{STREAM}@300"})
    assert (answer.problem, answer.headers["retry-after"]) == ("not-yet-seen", back)


async def test_a_read_tells_what_it_is_as_of(lin: Client) -> None:
    path, header = "/api/v1/counts?day=2026-11-22", {"forecourt-seen": f"orders/{STREAM}@300"}
    assert (await lin.get(path, header)).headers["forecourt-as-of"] == "unknown"
    moment = datetime(2026, 11, 22, 9, tzinfo=UTC)
    async with lin.app.state.runtime.store.begin() as tx:  # type: ignore[attr-defined]
        await inbox(tx).take("example", {Place("forecourt.orders", 0): (0, Position(5, moment))}, {})
    assert (await lin.get(path, header)).headers["forecourt-as-of"] == moment.isoformat()


async def test_a_context_nobody_listens_to_is_not_waited_for(lin: Client) -> None:
    assert (await lin.post(TOUCH, headers={"forecourt-seen": f"finance/{STREAM}@300"})).status == 200


@pytest.mark.parametrize(
    "header", ["orders", "orders/x@y", "orders/x@-1", "Orders/x@1", "orders/x y@1", "orders/x@" + "9" * 30, ",".join(["a/b@1"] * 9)]
)
async def test_a_mark_that_is_none(lin: Client, header: str) -> None:
    answer = await lin.get("/api/v1/counts?day=2026-11-22", {"forecourt-seen": header})
    assert (answer.status, answer.problem) == (400, "bad-header")


def test_several_marks() -> None:
    assert marks(f"orders/{STREAM}@1, leads/lead-1@2", {"orders", "leads"}) == [Mark("orders", STREAM, 1), Mark("leads", "lead-1", 2)]
    with pytest.raises(Problem):
        marks("", {"orders"})


async def test_marks_are_the_consumers_own() -> None:
    store = MemoryStore()
    await hear(store, 5)
    assert await StoreMarks(store, "example").reached(Mark("orders", STREAM, 5), 0.05)
    assert not await StoreMarks(store, "another").reached(Mark("orders", STREAM, 5), 0.05)
