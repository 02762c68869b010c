"""How chaos knows that what it killed is succeeded, whom it strikes, and what it does not let pass."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from shared.bus.tests.support import fresh_store, holder, opened
from shared.testing.servers import Servers
from tests.chaos.links import Links
from tests.chaos.plant import Works
from tests.chaos.strikes import KINDS, LONG, STOPPED, WELL, Healed, Outage, Saboteur
from tests.faults.record import Answer, Deed, Record

LEASE = 1.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was struck before."""
    monkeypatch.setattr("tests.chaos.strikes.OVER", 0.0)


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


# --- whom it strikes ---------------------------------------------------------------------------------------------


def saboteur(record: Record | None = None, seed: int = 1) -> Saboteur:
    """One of a plant that does not run."""
    works = Works(folder=Path("/nowhere"), cache=Path("/nowhere"))
    return Saboteur(cast(Any, SimpleNamespace()), works, Links(works.ways()), Record() if record is None else record, random.Random(seed))


def strikes(seed: int, kills: int) -> list[tuple[str, str, bool]]:
    """What is done to whom, in order, and whether it is watched as what is done to the vault is."""
    found = []
    for strike in cast(list[partial[Any]], saboteur(seed=seed).schedule(kills)):
        watched = strike.func.__name__ == "beside_the_vault"
        inner = strike.args[0] if watched else strike
        found.append((inner.func.__name__, inner.args[0], watched))
    return found


def kind(name: str) -> str:
    context, part, *_ = [*name.split("-"), ""]
    return "gateway" if name.startswith("gateway-serve") else part or context.rstrip("123")


@pytest.mark.parametrize("seed", range(20))
def test_the_short_form_kills_every_kind_and_tells_some_to_stop(seed: int) -> None:
    found = strikes(seed, 12)
    assert {kind(name) for what, name, _ in found if what == "kill"} == set(KINDS)
    stopped = [kind(name) for what, name, _ in found if what == "tell_to_stop"]
    assert len(stopped) == 4
    assert set(stopped) <= set(STOPPED)
    assert len(found) == 24


def test_a_long_form_stops_freezes_and_cuts_off_every_kind() -> None:
    found = strikes(1, 200)
    assert {kind(name) for what, name, _ in found if what == "tell_to_stop"} == set(STOPPED)
    assert {kind(name) for what, name, _ in found if what == "freeze"} == set(KINDS)
    assert {name.partition("/")[0] for what, name, _ in found if what == "break_wire"} == {"postgres", "kafka", "redis", "vault", "http"}


def test_nobody_is_told_to_stop_just_after_one_of_his_kind_was_killed() -> None:
    found = strikes(1, 200)
    for (_, killed, _), (what, name, _) in pairwise(found):
        assert what != "tell_to_stop" or kind(name) != kind(killed)


def test_whatever_is_done_to_the_vault_is_watched_and_nothing_else_is() -> None:
    for _, name, watched in strikes(1, 200):
        assert watched == name.startswith("vault")


@pytest.mark.parametrize("obeys", [True, False])
async def test_who_is_told_to_stop_is_waited_for(obeys: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not obey is noticed as late."""
    ignores = "" if obeys else "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    script = f"import signal, time; {ignores}print('here', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)  # noqa: ASYNC220
    made = saboteur()
    victim = psutil.Process(process.pid)
    monkeypatch.setattr("tests.chaos.strikes.COMES_BACK", 30.0 if obeys else 0.5)
    monkeypatch.setattr("tests.chaos.strikes.GRACE", 30.0 if obeys else 0.4)
    monkeypatch.setattr(made, "process", lambda name: victim)

    async def back(name: str) -> None:
        assert not obeys or not victim.is_running()

    monkeypatch.setattr(made, "_ready", back)
    try:
        assert process.stdout
        process.stdout.readline()
        reaping = asyncio.create_task(asyncio.to_thread(process.wait))
        await made.tell_to_stop("leads-serve-1")
    finally:
        process.kill()
        await reaping
    assert process.returncode == -(signal.SIGTERM if obeys else signal.SIGKILL)
    assert made.struck == ["SIGTERM leads-serve-1"]
    assert [one.what for one in made.healed] == ["service told to stop", "service back after a stop"]
    assert bool(made.late()) is not obeys


# --- what it does not let pass -----------------------------------------------------------------------------------


def deed(path: str, status: int, at: float) -> Deed:
    """A command and its one answer, which came at once."""
    made = Deed(context="leads", staff="li", path=path)
    made.answers.append(Answer(at=at, took=0.0, status=status, problem="/problems/unavailable" if status == 503 else ""))
    return made


async def test_without_the_vault_only_what_needs_it_may_be_refused() -> None:
    record = Record()
    record.add(deed("/transfers", 201, time.monotonic()))
    made = saboteur(record)

    async def strike() -> None:
        for path in ("/leads", "/customers", "/complaints", "/orders/o1/sign", "/orders/o1/submit", "/purchase-orders"):
            record.add(deed(path, 503, time.monotonic()))
        record.add(deed("/transfers", 201, time.monotonic()))

    await made.beside_the_vault(strike)
    expected = ["503 /problems/unavailable to /orders/o1/submit", "503 /problems/unavailable to /purchase-orders"]
    assert made.needless == Counter(expected)
    assert made.late() == [f"1 × refused while the vault was away: {what}" for what in expected]


async def test_where_all_was_not_well_before_nothing_is_laid_at_the_vaults_door(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()
    monkeypatch.setattr("tests.chaos.strikes.COMES_BACK", WELL / 10)
    made = saboteur(record)

    async def strike() -> None:
        record.add(deed("/transfers", 503, time.monotonic()))

    record.add(deed("/transfers", 503, time.monotonic()))
    await made.beside_the_vault(strike)
    assert made.late() == []


async def test_the_vault_is_back_when_something_personal_is_accepted() -> None:
    record = Record()
    made, since = saboteur(record), time.monotonic()
    record.add(deed("/transfers", 201, since + 1))
    record.add(deed("/leads", 201, since - 1))
    assert await made._accepted(since, sealed=False)
    assert not await made._accepted(since, sealed=True)
    record.add(deed("/leads", 201, since + 1))
    assert await made._accepted(since, sealed=True)


@pytest.mark.parametrize(("tries", "late"), [([], False), ([(0.3, 201)], False), ([(0.05, 503)], True), ([(0.05, 503), (0.3, 201)], True)])
async def test_a_killed_vault_is_late_for_whom_it_kept_waiting(
    tries: list[tuple[float, int]], late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks first long after the kill has not waited since then; where nobody asks nothing is known."""
    monkeypatch.setattr("tests.chaos.strikes.COMES_BACK", 0.5)
    monkeypatch.setattr("tests.chaos.strikes.DATABASE", 0.2)
    record = Record()
    made, now = saboteur(record), time.monotonic()

    async def victim(name: str) -> Any:
        return SimpleNamespace(kill=lambda: None)

    async def accepted(since: float, *, sealed: bool) -> bool:
        return any(status == 201 and time.monotonic() > now + after for after, status in tries)

    monkeypatch.setattr(made, "victim", victim)
    monkeypatch.setattr(made, "_accepted", accepted)
    for after, status in tries:
        record.add(deed("/leads", status, now + after))
    await made.kill("vault")
    assert bool(made.late()) is late


@pytest.mark.parametrize(
    ("outage", "words"),
    [
        (Outage(seconds=LONG, relay=10.0, consumer=4.0), []),
        (Outage(seconds=LONG - 1, relay=1.0, consumer=1.0), []),
        (Outage(seconds=LONG, relay=9.9, consumer=4.0), ["the slowest relay told 9.9 × as fast as events arrived, goal 10 ×"]),
        (
            Outage(seconds=300.0, relay=50.0, consumer=3.9, slowest="finance"),
            ["the slowest consumer, finance, heard 3.9 × as fast as events arrived, goal 4 ×"],
        ),
    ],
)
def test_a_backlog_that_goes_down_slowly_after_a_long_absence_of_kafka_fails_the_run(outage: Outage, words: list[str]) -> None:
    made = saboteur()
    made.outage = outage
    assert made.late() == words


def test_what_comes_back_later_than_its_goal_and_what_was_refused_for_want_of_kafka_fail_the_run() -> None:
    made = saboteur()
    made.healed = [Healed("service killed", 5.1, 5.0), Healed("Kafka killed", 15.0), Healed("PostgreSQL killed", 9.9, 10.0)]
    made.outage.refused["503 /problems/unavailable to /leads"] += 2
    assert made.late() == [
        "service killed: 5.1 s, goal 5.0 s",
        "2 × refused while Kafka was away: 503 /problems/unavailable to /leads",
    ]
