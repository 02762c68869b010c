"""A service dies in the middle of a command: its key tells whether it happened, and it happens once."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.record import Client, Deed, Record
from tests.faults.workload import Desk, lead, purchase, receipt
from tests.faults.world import World, ended
from tests.oracle import Oracle

RETRIES = 40
AT_ONCE = 8
"""Together about a thousand for the three commands."""

commands = pytest.mark.parametrize(
    ("login", "command"),
    [("colleague", lead), ("stock", purchase), ("cashier", receipt)],
    ids=["a lead", "a numbered purchase order", "a numbered receipt"],
)


def killed(world: World, client: Client, deed: Deed, failpoint: str) -> None:
    """Tries the deed at a process that dies at the failpoint; the door says that it does not know."""
    with world.spare(deed.context, "serve", failpoint) as process:
        answer = client.at(world.second_door).attempt(deed)
        assert ended(process) == -signal.SIGKILL
    assert (answer.status, answer.problem) == (503, "/problems/unavailable")
    assert answer.retry_after is not None


def stored(oracle: Oracle, deed: Deed) -> int:
    """How many events, of any stream, the deed has led to."""
    sql = "select count(e) as n from idempotency i join events e on e.stream = i.stream and e.version <= i.version where i.key = %s"
    return int(oracle.rows(deed.context, sql, [deed.key])[0]["n"])


@commands
def test_f01_killed_before_the_commit_nothing_is_stored_and_the_retry_runs_it(
    world: World, desk: Desk, oracle: Oracle, record: Record, login: str, command: Callable[[Desk, Client], Deed]
) -> None:
    client = desk.client(record, login)
    deed = command(desk, client)
    before = position(oracle, deed)
    killed(world, client, deed, "append.before_commit")
    assert position(oracle, deed) == before
    client.finish(deed)
    assert position(oracle, deed) > before


@commands
def test_f02_killed_after_the_commit_every_retry_gets_the_first_answer(
    world: World, desk: Desk, oracle: Oracle, record: Record, login: str, command: Callable[[Desk, Client], Deed]
) -> None:
    client = desk.client(record, login)
    deed = command(desk, client)
    killed(world, client, deed, "append.after_commit")
    there = stored(oracle, deed)
    assert there > 0

    def again(n: int) -> None:
        somebody = client.at(desk.group.platform.url)
        for _ in range(RETRIES):
            somebody.finish(deed)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(again, range(AT_ONCE)))
    assert stored(oracle, deed) == there


def position(oracle: Oracle, deed: Deed) -> int:
    """Of the last event of the deed's service by its person."""
    sql = "select coalesce(max(position), 0) as last from events where convert_from(meta, 'UTF8')::json ->> 'actor' = %s"
    return int(oracle.rows(deed.context, sql, [deed.staff])[0]["last"])
