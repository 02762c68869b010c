"""Servers that do not die but stop answering, are too slow, or have nothing left to give: everybody is told soon, and nothing else stops."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.request import urlopen

from tests.faults.record import Record
from tests.faults.workload import Desk, Workload, lead
from tests.faults.world import Measured, World, answers, eventually
from tests.oracle import Oracle

STANDS = 8.0
"""Seconds a server stands still."""
TOLD_WITHIN = 5.0
"""Seconds in which a person hears that something does not answer."""
PASSES_ON = 2.0
"""Seconds for which twenty at once may stand in line before and after that."""
WRONG = {"grant_type": "password", "username": "nobody.f13", "password": "Wrong-Pass-1"}


def test_f09_without_kafka_everybody_works_on_and_the_wait_is_shown(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    oracle.settle()
    work = Workload(desk, record)
    with work.running(), world.frozen("kafka"):
        began = time.monotonic()
        eventually(lambda: oldest(world, "inventory") > STANDS / 2, 3 * STANDS)
        assert work.went_on(began)
        assert {answer.status for answer in record.answers(began)} <= {200, 201}
        assert world.ready("inventory")
    measured("Kafka back to all told and heard", oracle.settle())


def oldest(world: World, context: str) -> float:
    """Seconds that the oldest public event of a service waits, as its metric says."""
    with urlopen(f"http://127.0.0.1:{world.plan.port(context)}/metrics", timeout=5) as response:
        lines = response.read().decode().splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("forecourt_outbox_oldest_seconds{")), 0.0)


def test_f11_when_postgresql_hangs_everybody_is_told_and_services_say_that_they_are_not_ready(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    work = Workload(desk, record)
    with work.running():
        eventually(lambda: work.went_on(0.0))
        with world.frozen("postgres"):
            began = time.monotonic()
            eventually(lambda: not world.ready("leads"))
            while time.monotonic() < began + STANDS:
                assert answers(world.plan.port("leads"), "/livez")
                assert answers(world.plan.gateway, "/livez")
                time.sleep(0.5)
            told = [answer for answer in record.answers(began) if not answer.accepted]
        moves = time.monotonic()
        eventually(lambda: work.went_on(moves), 60)
    assert {answer.status for answer in told} <= {409, 503}
    assert told
    measured("slowest answer while PostgreSQL hangs", max(answer.took for answer in told))
    assert max(answer.took for answer in told) < TOLD_WITHIN
    oracle.settle()


def test_f12_when_every_connection_waits_people_are_told_and_the_relay_goes_on_afterwards(
    world: World, desk: Desk, oracle: Oracle, record: Record
) -> None:
    clients = [desk.client(record, "colleague") for _ in range(20)]
    deeds = [lead(desk, client) for client in clients]
    with locked(world, "leads", "events, outbox"), ThreadPoolExecutor(len(clients)) as pool:
        told = list(pool.map(lambda client, deed: client.attempt(deed), clients, deeds))
        assert answers(world.plan.port("leads"), "/livez")
    assert {answer.status for answer in told} <= {409, 503}
    assert all(answer.retry_after for answer in told)
    assert max(answer.took for answer in told) < TOLD_WITHIN + PASSES_ON
    for client, deed in zip(clients, deeds, strict=True):
        client.finish(deed)
    eventually(lambda: not oracle.rows("leads", "select 1 from outbox limit 1"))


@contextmanager
def locked(world: World, context: str, tables: str) -> Iterator[None]:
    """Somebody holds these tables, and does nothing."""
    with world.database(context) as database, database.transaction():
        database.execute(f"lock table {tables} in access exclusive mode".encode())
        yield


def test_f13_without_redis_nobody_is_refused_and_the_login_limit_holds(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    door, work = desk.group.people["sales"].http, Workload(desk, record)
    with work.running():
        with world.frozen("redis"):
            began = time.monotonic()
            tries = [door.post("/auth/token", data=WRONG).status_code for _ in range(6)]
            eventually(lambda: work.went_on(began))
        died = world.kill("redis")
        eventually(lambda: work.went_on(died))
        back = died + world.recovered("redis", died)
        eventually(lambda: work.went_on(back))
    assert tries == [401] * 5 + [429]
    told = record.answers(began)
    assert {answer.status for answer in told} <= {200, 201}
    assert max(answer.took for answer in told) < TOLD_WITHIN
