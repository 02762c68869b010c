"""The process that publishes dies or freezes: what happened is told, in order, and counted once."""

import signal
import time
from collections import Counter

import psutil

from tests.faults.record import Client, Record
from tests.faults.workload import Desk, car, stock_value
from tests.faults.world import Measured, World, ended, eventually, leads
from tests.oracle import Oracle

TAKEOVER = 6.0


def test_f03_killed_between_publish_and_mark_it_tells_twice_and_nobody_counts_twice(
    world: World, desk: Desk, oracle: Oracle, record: Record
) -> None:
    oracle.settle()
    before, told = stock_value(desk), repeats(oracle)
    client = desk.client(record, "stock")
    with world.frozen("inventory"), world.spare("inventory", "run", "relay.after_publish:3") as second:
        elsewhere = client.at(world.second_door)
        eventually(lambda: not elsewhere.attempt(car(desk, elsewhere)).accepted or second.poll() is not None, pause=0.1)
        assert ended(second) == -signal.SIGKILL
    finish(client, record)
    oracle.settle()
    assert repeats(oracle) > told
    assert stock_value(desk) == before + 150_000 * len(record)


def repeats(oracle: Oracle) -> int:
    """How many public events of inventory stand in Kafka more than once."""
    ids = Counter(dict(message.headers)["ce_id"] for message in oracle.topics()["inventory"])
    return sum(n > 1 for n in ids.values())


def test_f04_one_of_two_relays_leads_and_the_other_takes_over(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    oracle.settle()
    before, client = stock_value(desk), desk.client(record, "stock")
    ports = (world.plan.port("inventory"), world.spare_ports["inventory"])
    with world.spare("inventory", "run"):
        eventually(lambda: [leads("inventory", port) for port in ports] == [True, False])
        elsewhere = client.at(world.second_door)
        elsewhere.finish(car(desk, elsewhere))
        eventually(lambda: not unsent(oracle))
        died, first = world.kill("inventory"), epoch(oracle)
        elsewhere.finish(car(desk, elsewhere))
        assert unsent(oracle)
        eventually(lambda: not unsent(oracle), TAKEOVER + 4)
        took = time.monotonic() - died
        assert epoch(oracle) > first
        world.recovered("inventory", died)
        eventually(lambda: sum(leads("inventory", port) for port in ports) == 1)
    measured("takeover of the relay", took)
    assert took < TAKEOVER
    finish(client, record)
    oracle.settle()
    assert stock_value(desk) == before + 150_000 * len(record)


def test_f05_a_relay_that_stood_still_is_fenced_when_it_moves_again(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    oracle.settle()
    before, first, client = stock_value(desk), epoch(oracle), desk.client(record, "stock")
    with world.spare("inventory", "run", "relay.after_publish:1:stop") as stale:
        with world.frozen("inventory"):
            elsewhere = client.at(world.second_door)
            elsewhere.finish(car(desk, elsewhere))
            eventually(lambda: psutil.Process(stale.pid).status() == psutil.STATUS_STOPPED)
        eventually(lambda: not unsent(oracle))
        client.finish(car(desk, client))
        eventually(lambda: not unsent(oracle))
        stale.send_signal(signal.SIGCONT)
        eventually(lambda: b"relay fenced" in world.log("inventory").read_bytes())
        assert epoch(oracle) >= first + 2
    oracle.settle()
    assert stock_value(desk) == before + 150_000 * len(record)


def finish(client: Client, record: Record) -> None:
    """Whatever is not acknowledged yet is tried again."""
    for deed in record:
        client.finish(deed)


def unsent(oracle: Oracle) -> bool:
    """Whether public events of inventory wait."""
    return bool(oracle.rows("inventory", "select 1 from outbox limit 1"))


def epoch(oracle: Oracle) -> int:
    """How often the lease has changed hands; on a busy machine also because who leads came too late to extend it."""
    return int(oracle.rows("inventory", "select epoch from leases where name = 'relay'")[0]["epoch"])
