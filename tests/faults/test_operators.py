"""An operator's work dies half way: nothing that people see has changed or stands still, and doing it again ends well."""

import signal

import pytest

from tests.faults.record import Record
from tests.faults.workload import Desk, car, stock_value
from tests.faults.world import World, ended, eventually, leads
from tests.oracle import Oracle

HALF = "select 1 from pg_namespace where nspname = 'rebuilding'"
OPEN = "select 1 from republications where done_at is null"


@pytest.mark.parametrize("point", ["rebuild.built", "rebuild.before_commit", "rebuild.after_commit"])
def test_f28_a_rebuild_that_dies_changes_nothing_and_is_begun_again(
    world: World, desk: Desk, oracle: Oracle, record: Record, point: str
) -> None:
    client = desk.client(record, "stock")
    client.finish(car(desk, client))
    died = world.operate("inventory", "rebuild", "stock", failpoint=point)
    assert abs(died.returncode) == signal.SIGKILL, died.stdout + died.stderr
    assert oracle.rows("inventory", HALF)
    client.finish(car(desk, client))
    again = world.operate("inventory", "rebuild", "stock")
    assert again.returncode == 0, again.stdout + again.stderr
    assert not oracle.rows("inventory", HALF)


@pytest.mark.parametrize("point", ["republish.before_keep:2", "republish.after_keep:2"])
def test_who_dies_telling_everything_again_has_it_told_by_the_next_and_nobody_counts_twice(
    world: World, desk: Desk, oracle: Oracle, record: Record, point: str
) -> None:
    oracle.settle()
    before, client = stock_value(desk), desk.client(record, "stock")
    with world.frozen("inventory"), world.spare("inventory", "run", point) as teller:
        eventually(lambda: leads("inventory", world.spare_ports["inventory"]))
        asked = world.operate("inventory", "republish")
        assert ended(teller) == -signal.SIGKILL
        assert asked.returncode == 0, asked.stdout + asked.stderr
        assert not oracle.rows("inventory", OPEN), "the operator's own process went on with it"
    client.finish(car(desk, client))
    oracle.settle()
    assert stock_value(desk) == before + 150_000
