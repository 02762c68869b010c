"""A process whose clock is wrong: it neither leads nor wakes anybody early, and what it writes keeps its order."""

import time

import pytest

from tests.faults.record import Record
from tests.faults.workload import Desk, lead
from tests.faults.world import AHEAD, World, eventually
from tests.oracle import Oracle

WRONG = (2 * 3600.0, -3600.0)
"""Ahead and behind by more than the half hour in which a lead must be contacted."""
_TIMERS = "select key from timers where stream = %s and key like '%%/first/%%' order by key"


@pytest.mark.parametrize("seconds", WRONG)
def test_f18_a_process_ahead_or_behind_takes_no_lease_and_fires_no_timer_early(
    world: World, desk: Desk, oracle: Oracle, record: Record, seconds: float
) -> None:
    client = desk.client(record, "colleague")
    stream = f"lead-{client.finish(lead(desk, client)).id}"
    due = eventually(lambda: oracle.rows("leads", _TIMERS, [stream]))
    before = epoch(oracle)
    with world.spare("leads", "run", otherwise=AHEAD.format(seconds=seconds)):
        elsewhere = client.at(world.second_door)
        for _ in range(5):
            elsewhere.finish(lead(desk, elsewhere))
            client.finish(lead(desk, client))
        ends = time.monotonic() + 2.0
        while time.monotonic() < ends:
            assert oracle.rows("leads", _TIMERS, [stream]) == due
            assert epoch(oracle) == before
            time.sleep(0.1)


def epoch(oracle: Oracle) -> int:
    """How often the relay's lease has changed hands."""
    return int(oracle.rows("leads", "select epoch from leases where name = 'relay'")[0]["epoch"])
