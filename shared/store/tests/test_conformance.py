"""What every store promises; memory and PostgreSQL keep it alike."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.bus.heard import Effect, Heard, Send
from shared.decider import Rejected
from shared.deciding import Folder, NotFound, VersionConflict
from shared.events.envelope import Recorded
from shared.handling import LONG, Done, Handler, KeyReused
from shared.processes.timers import Timers
from shared.store.memory import MemoryStore
from shared.store.postgres import PostgresStore
from shared.store.protocol import Commit, EventRow, Republication, Store, Taken, TimerRow
from shared.store.tests.support import opened, request
from shared.store.verify import verify
from shared.testing import tills
from shared.testing.tills import NOON, CloseTill, OpenTill, PutIn
from shared.values.clock import utc_now
from shared.values.ids import new_id


class Folding(Folder):
    """Counts the events it reads."""

    folded = 0

    def recorded(self, row: EventRow) -> Recorded[Any]:
        self.folded += 1
        return super().recorded(row)


async def test_a_command_is_appended_with_view_and_outbox(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    done = await handler.handle(request(id, PutIn(amount=7)))
    assert done == Done(stream=f"till-{id}", version=2, seen=f"testing/till-{id}@200")
    history = (await store.load([f"till-{id}"])).events[f"till-{id}"]
    assert [(row.type, row.version) for row in history] == [("TillOpened", 1), ("Filled", 2)]
    assert all(row.recorded_at for row in history)
    (row,) = (await store.rows(tills.tills, [(id,)])).values()
    assert (row.total, row.open) == (7, True)
    (public,) = await store.waiting(10)
    assert (public.stream, public.sequence, public.type, public.data) == (
        f"till-{id}",
        200,
        "testing.TillFilled.v1",
        '{"amount":7,"total":7}',
    )


async def test_a_key_is_answered_once(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    first = await handler.handle(request(id, PutIn(amount=7), "k1", expected=1))
    again = await handler.handle(request(id, PutIn(amount=7), "k1", expected=1))
    assert again == replace(first, repeated=True)
    created = new_id(), new_id()
    one = await handler.handle(request(created[0], OpenTill(name="new"), "k2", status=201))
    two = await handler.handle(request(created[1], OpenTill(name="new"), "k2", status=201))
    assert two.stream == one.stream and two.status == 201
    with pytest.raises(KeyReused):
        await handler.handle(request(id, PutIn(amount=8), "k1", body_hash="other"))
    assert len((await store.load([f"till-{id}"])).events[f"till-{id}"]) == 2


async def test_a_hundred_copies_have_one_effect(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    await asyncio.gather(*(handler.handle(request(id, PutIn(amount=7), "k")) for _ in range(100)))
    assert len((await store.load([f"till-{id}"])).events[f"till-{id}"]) == 2


async def test_a_rejected_command_leaves_nothing(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    with pytest.raises(Rejected):
        await handler.handle(request(id, PutIn(amount=-1), "k1"))
    done = await handler.handle(request(id, PutIn(amount=1), "k1"))
    assert done.version == 2 and not done.repeated


async def test_a_stale_version_or_a_foreign_store_changes_nothing(handler: Handler) -> None:
    id = await opened(handler)
    with pytest.raises(VersionConflict):
        await handler.handle(request(id, PutIn(amount=1), expected=3))
    with pytest.raises(NotFound):
        await handler.handle(request(id, PutIn(amount=1), stores=frozenset({"s2"})))
    with pytest.raises(NotFound):
        await handler.handle(request(new_id(), PutIn(amount=1), must_exist=True))
    assert (await handler.handle(request(id, PutIn(amount=1), expected=1, stores=frozenset({"s1"})))).version == 2


async def test_a_claim_has_one_holder_until_released(handler: Handler, store: Store) -> None:
    results = await asyncio.gather(*(handler.handle(request(new_id(), OpenTill(name="one"))) for _ in range(50)), return_exceptions=True)
    won = [r for r in results if isinstance(r, Done)]
    assert len(won) == 1 and all(isinstance(r, Done) or (isinstance(r, Rejected) and r.problem == "till-taken") for r in results)
    assert await store.holder("till", "one") == won[0].stream
    await handler.handle(request(won[0].id, CloseTill()))
    assert await store.holder("till", "one") is None
    await handler.handle(request(new_id(), OpenTill(name="one")))
    assert (await store.tallies("tills", ["all", "none"])) == {"all": 2, "none": 0}


def heard(*sends: Send) -> tuple[Heard, list[Effect]]:
    """An event that leads to these commands."""
    about = {"type": "testing.TillFilled.v1", "source": "testing", "stream": "x-1", "sequence": 100, "event": None, "data": b"{}"}
    moments = {"occurred_at": NOON, "recorded_at": NOON, "store_id": "s1", "actor": "li", "correlation_id": "c", "lineage": "l"}
    return Heard(id=uuid4(), **about, **moments), list(sends)  # type: ignore[arg-type]


async def test_one_commands_failure_is_not_its_neighbours(handler: Handler) -> None:
    unsealable = request(new_id(), OpenTill(name="\ud800"))
    requests = [request(new_id(), OpenTill(name=f"n{n}")) for n in range(6)]
    results = await asyncio.gather(*(handler.handle(r) for r in [*requests, unsealable]), return_exceptions=True)
    assert [type(result) for result in results[:-1]] == [Done] * 6
    assert isinstance(results[-1], UnicodeEncodeError)


async def test_what_is_taken_and_released_in_one_batch_is_free(handler: Handler, store: Store) -> None:
    stream = f"till-{new_id()}"
    async with store.begin() as tx:
        await handler.apply(tx, [heard(Send(to=stream, command=OpenTill(name="brief")), Send(to=stream, command=CloseTill()))])
    assert await store.holder("till", "brief") is None
    await opened(handler, "brief")


async def test_a_refusal_of_what_follows_is_kept(handler: Handler, store: Store) -> None:
    stream = f"till-{new_id()}"
    async with store.begin() as tx:
        await handler.apply(tx, [heard(Send(to=stream, command=PutIn(amount=1)))], "testing")
    if isinstance(store, MemoryStore):
        kept = [(row.consumer, row.stream, row.problem) for row in store.data.refusals]
    else:
        assert isinstance(store, PostgresStore)
        async with store.pool.connection() as conn:
            kept = await (await conn.execute("select consumer, stream, problem from refusals")).fetchall()
    assert kept == [("testing", stream, "illegal-transition")]


async def test_a_claim_found_taken_is_a_refusal_the_next_time(handler: Handler, store: Store) -> None:
    await opened(handler, "one")
    second = heard(Send(to=f"till-{new_id()}", command=OpenTill(name="one")))
    with pytest.raises(Taken):
        async with store.begin() as tx:
            await handler.apply(tx, [second])
    async with store.begin() as tx:
        await handler.apply(tx, [second])
    assert len((await store.load([second[1][0].to])).events[second[1][0].to]) == 0  # type: ignore[union-attr]


async def test_what_was_taken_once_does_not_refuse_another_of_the_same_name(handler: Handler, store: Store) -> None:
    """Keys of timers come again: whoever waits for a free place asks under the same key the next time."""
    id = await opened(handler, "one")
    data, meta = (msgspec.json.encode(one).decode() for one in (OpenTill(name="one"), tills.meta))
    timer = TimerRow(key="again", due_at=NOON, stream=f"till-{new_id()}", type="OpenTill", data=data, meta=meta)
    with pytest.raises(Taken):
        async with store.begin() as tx:
            await handler.fire(tx, [timer])
    async with store.begin() as tx:
        await handler.fire(tx, [timer])
    assert await store.holder("till", "one") == f"till-{id}", "refused the second time"
    await handler.handle(request(id, CloseTill()))
    async with store.begin() as tx:
        await handler.fire(tx, [timer])
    assert await store.holder("till", "one") == timer.stream


async def test_relay_and_timers_are_woken_after_the_commit_by_what_is_theirs(handler: Handler, store: Store) -> None:
    told, scheduled = handler.told.listen(), handler.scheduled.listen()
    stream = f"till-{new_id()}"
    async with store.begin() as tx:
        await handler.apply(tx, [heard(Send(to=stream, command=OpenTill(name="late")))])
        assert not scheduled.is_set()
    assert (told.is_set(), scheduled.is_set()) == (False, True)
    scheduled.clear()
    async with store.begin() as tx:
        await handler.apply(tx, [heard(Send(to=stream, command=PutIn(amount=1)))])
        assert not told.is_set()
    assert (told.is_set(), scheduled.is_set()) == (True, False)
    await handler.handle(request(new_id(), OpenTill(name="early", at=NOON - timedelta(minutes=1))))
    assert not scheduled.is_set()


async def test_what_a_consumer_has_written_need_not_be_loaded_for_the_next_command(
    handler: Handler, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await opened(handler)
    async with store.begin() as tx:
        await handler.apply(tx, [heard(Send(to=f"till-{id}", command=PutIn(amount=1)))])
    with monkeypatch.context() as patch:
        patch.setattr(store, "load", None)
        assert (await handler.handle(request(id, PutIn(amount=2)))).version == 3
    assert (await store.rows(tills.tills, [(id,)]))[(id,)].total == 3


async def test_a_timer_fires_once(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    timers = Timers(store, handler)
    assert await timers.fire(10) == 1
    assert await timers.fire(10) == 0
    history = (await store.load([f"till-{id}"])).events[f"till-{id}"]
    assert [row.type for row in history] == ["TillOpened", "TillClosed"]
    closed_by_hand = await opened(handler, "other")
    await handler.handle(request(closed_by_hand, CloseTill()))
    assert await timers.fire(10) == 0


async def test_of_a_stream_that_is_known_only_what_followed_is_read(handler: Handler, store: Store) -> None:
    known, other = f"till-{await opened(handler)}", f"till-{await opened(handler, 'other')}"
    for stream in (known, known, other):
        await handler.handle(request(stream.removeprefix("till-"), PutIn(amount=1)))
    loaded = await store.load([known, other, "till-nobody"], known={known: 2})
    assert {stream: [row.version for row in rows] for stream, rows in loaded.events.items()} == {
        known: [3],
        other: [1, 2],
        "till-nobody": [],
    }


async def test_a_long_stream_is_not_read_from_its_beginning_for_each_event(handler: Handler, store: Store) -> None:
    """What everything goes through, such as the count of a model in a store: only what others wrote since is read."""
    here, there = Folding(tills.stored, [tills.aggregate]), Handler(store, Folder(tills.stored, [tills.aggregate]))
    listening = Handler(store, here)
    id = await opened(handler)

    async def hear(handler: Handler) -> None:
        async with store.begin() as tx:
            await handler.apply(tx, [heard(Send(to=f"till-{id}", command=PutIn(amount=1)))])

    for _ in range(LONG):
        await hear(listening)
    for _ in range(3):
        await hear(there)
    before = here.folded
    await hear(listening)
    assert here.folded - before == 3
    (row,) = (await store.rows(tills.tills, [(id,)])).values()
    assert row.total == LONG + 4


async def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.begin() as tx:
            assert await tx.number("X", NOON.date()) == 1
            1 / 0  # noqa: B018
    async with store.begin() as tx:
        assert await tx.number("X", NOON.date()) == 1


async def test_of_two_who_write_the_first_version_of_a_row_the_second_sees_what_the_first_wrote(store: Store) -> None:
    async def put_in(amount: int) -> None:
        async with store.begin() as tx:
            before = (await tx.lock(tills.tills, [("t1",)])).get(("t1",))
            await asyncio.sleep(0.05)
            row = tills.TillRow(till_id="t1", store_id="s1", name="front", total=amount + (before.total if before else 0), open=True)
            await tx.append(Commit(puts={tills.tills: {("t1",): row}}))

    await asyncio.gather(put_in(1), put_in(10), put_in(100))
    assert (await store.rows(tills.tills, [("t1",)]))["t1",].total == 111


async def test_a_lease_has_one_holder_and_fences_the_other(store: Store) -> None:
    one, two = uuid4(), uuid4()
    epoch = await store.lead("relay", one, 0.2)
    assert epoch is not None and await store.lead("relay", two, 5) is None
    assert await store.lead("relay", one, 0.2) == epoch
    await asyncio.sleep(0.3)
    newer = await store.lead("relay", two, 5)
    assert newer == epoch + 1
    assert not await store.sent([1], "relay", epoch)
    assert await store.sent([1], "relay", newer)


async def test_the_watermark_never_passes_an_unpublished_event(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    await handler.handle(request(id, PutIn(amount=7)))
    (row,) = await store.waiting(10)
    assert row.recorded_at is not None and (await store.watermark()).at <= row.recorded_at
    epoch = await store.lead("relay", uuid4(), 5)
    assert epoch and await store.sent([row.position], "relay", epoch)
    assert (await store.watermark()).at > row.recorded_at - timedelta(seconds=1)


async def test_streams_are_named_in_order_and_a_republication_never_goes_back(handler: Handler, store: Store) -> None:
    names = sorted([f"till-{await opened(handler, f'n{n}')}" for n in range(5)])
    assert await store.streams("", 3) == names[:3]
    assert await store.streams(names[2], 9) == names[3:]
    assert await store.republication() is None
    first, second = await store.republish(), await store.republish()
    begun = Republication(id=first, starts={0: 7, 3: 0}, after="b")
    await store.republished(begun)
    await store.republished(Republication(id=first, starts={0: 99}, after="a"))
    assert await store.republication() == await store.republication(first) == begun
    await store.republished(replace(begun, done=True, failed="why"))
    await store.republished(begun)
    assert await store.republication(first) == replace(begun, done=True, failed="why")
    assert await store.republication() == Republication(id=second)


async def test_the_chain_holds_whoever_appends(handler: Handler, store: Store) -> None:
    """Commands in shared commits on remembered states, what follows from events, and timers."""
    ids = [await opened(handler, f"n{n}") for n in range(4)]
    await asyncio.gather(*(handler.handle(request(id, PutIn(amount=n))) for n in range(1, 6) for id in ids))
    async with store.begin() as tx:
        await handler.apply(tx, [heard(Send(to=f"till-{ids[0]}", command=PutIn(amount=9)))])
    await handler.handle(request(ids[0], PutIn(amount=10)))
    assert await Timers(store, handler).fire(10) == 4
    assert await verify(store) == (4 * 7 + 2, [])


async def test_sections_follow_one_another_and_leave_nothing_out(handler: Handler, store: Store) -> None:
    for n in range(5):
        id = await opened(handler, f"n{n}")
        await handler.handle(request(id, PutIn(amount=n + 1)))
    sections = [await store.section(0, most=3)]
    while sections[-1].events:
        sections.append(await store.section(sections[-1].until, most=3))
    whole = await store.section(0)
    assert len(sections) > 3 and max(section.events for section in sections) <= 3
    assert sum(section.events for section in sections) == whole.events == 10
    assert await store.section(0, sections[0].until) == sections[0], "what was written down is found again"


async def test_a_timer_that_cannot_be_handled_is_counted_until_it_is_set_anew(handler: Handler, store: Store) -> None:
    id = await opened(handler)
    assert await store.failing(1) == []
    async with store.begin() as tx:
        (due,) = [timer for timer in await tx.fired(10, NOON + timedelta(days=36_500)) if timer.stream == f"till-{id}"]
    await store.append(Commit(timers=[replace(due, due_at=NOON)]))
    for n, by in ((1, timedelta(0)), (2, timedelta(seconds=30)), (3, timedelta(seconds=30))):
        async with store.begin() as tx:
            await tx.postpone(f"till-{id}/close", by, f"why {n}")
    (timer,) = await store.failing(2)
    assert (timer.key, timer.tries, timer.cause) == (f"till-{id}/close", 2, "why 2"), "a timer that is not due was postponed"
    assert utc_now() < timer.due_at < utc_now() + timedelta(seconds=31)
    assert await store.failing(3) == []
    await store.append(Commit(timers=[replace(timer, tries=0, cause="")]))
    assert await store.failing(1) == []
