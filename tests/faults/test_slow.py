"""A consumer that cannot keep up, and one whose colleagues come and go: nothing is lost, doubled, or waited for without end."""

import signal
import time
from contextlib import ExitStack

import pytest

from tests.faults.record import Record
from tests.faults.workload import Desk, Workload, car, stock_value
from tests.faults.world import World, eventually, metrics
from tests.oracle import Oracle

SLOW = """create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return new; end $$;
    create trigger slow before insert on cars_1 for each row execute function slow()"""
CARS = 8
MEMBERS = 5
ROUNDS = 3
LAG = 'forecourt_consumer_lag{consumer="finance",partition='


def test_f22_a_slow_consumer_goes_on_and_readers_are_told_as_of_when(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    oracle.settle()
    before, client, accountant = stock_value(desk), desk.client(record, "stock"), desk.group.people["accountant"]
    with world.database("finance") as database:
        database.execute(SLOW)
        try:
            for _ in range(CARS):
                last = client.finish(car(desk, client))
            began = time.monotonic()
            answer = accountant.http.get("/ledger/cars", headers={"forecourt-seen": f"inventory/stay-{last.id}@100"})
            assert answer.status_code == 200
            assert "forecourt-as-of" in answer.headers
            eventually(lambda: lag(world) > 0, CARS, pause=0.2)
            assert time.monotonic() - began < 5
            eventually(lambda: stock_value(desk) == before + 150_000 * CARS, 60, pause=0.2)
            assert world.ready("finance")
        finally:
            database.execute("drop function slow cascade")
    eventually(lambda: lag(world) == 0, pause=0.2)
    assert not oracle.rows("finance", "select 1 from parked")


def lag(world: World) -> float:
    """Messages of inventory that finance has not taken, as finance says."""
    told = (line for line in metrics(world.plan.port("finance")) if line.startswith(LAG))
    return sum(float(line.rpartition(" ")[2]) for line in told)


@pytest.mark.slow
def test_f23_members_that_come_and_go_lose_and_double_nothing(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    oracle.settle()
    before, work = stock_value(desk), Workload(desk, record)
    with work.running():
        for _ in range(ROUNDS):
            with ExitStack() as members:
                for n in range(MEMBERS):
                    member = members.enter_context(world.spare("finance", "work"))
                    time.sleep(2)
                    if n % 2:
                        member.send_signal(signal.SIGTERM)
    oracle.settle()
    cars = sum(deed.path == "/vehicles" for deed in record.accepted("inventory"))
    assert stock_value(desk) == before + 150_000 * cars
