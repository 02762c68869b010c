"""Kafka, PostgreSQL, the vault and the services themselves are killed under load: nothing acknowledged is lost, nothing happens twice."""

import time

from tests.faults.record import Answer, Record
from tests.faults.workload import Desk, Workload
from tests.faults.world import Measured, World, eventually
from tests.oracle import Oracle

AT_ONCE = 3.0
"""Seconds a person waits for the word that nothing can be done now: a free connection is waited for once at the door and once behind it."""
HEALED = 10.0
READY = 5.0


def test_f01_to_f06_services_killed_one_after_the_other_under_load(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    work, took = Workload(desk, record), {}
    with work.running():
        for service in ("leads", "inventory", "finance", "reporting", "gateway"):
            died = world.kill(service)
            took[service] = world.recovered(service, died)
            measured(f"{service} killed to ready", took[service])
            eventually(lambda since=died: work.went_on(since), 60)  # type: ignore[misc]
    assert max(took.values()) < READY
    measured("all settled after services were killed", oracle.settle())


def test_f08_kafka_killed_and_restarted_loses_nothing_and_refuses_nothing(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    work = Workload(desk, record)
    with work.running():
        eventually(lambda: work.went_on(0.0))
        died = world.kill("kafka")
        eventually(lambda: work.went_on(died), 60)
    back = world.recovered("kafka", died, 120)
    measured("Kafka killed to back", back)
    told = {answer.status for answer in record.answers(died)}
    assert 201 in told
    assert told <= {200, 201}
    oracle.settle()
    measured("Kafka back to drained and heard", time.monotonic() - died - back)


def test_f10_postgresql_killed_says_so_at_once_and_everything_heals_alone(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    with world.database("leads") as database:
        database.execute("checkpoint")
    work = Workload(desk, record)
    with work.running():
        eventually(lambda: work.went_on(0.0))
        died = world.kill("postgres")
        eventually(lambda: work.went_on(died), 60)
    told = record.answers(died)
    refused = [answer for answer in told if answer.status == 503]
    first = next(answer for answer in told if answer.accepted and answer.at - answer.took > died)
    measured("PostgreSQL killed to first accepted command", first.at - died)
    slowest = max((answer.took for answer in refused), default=0.0)  # nobody, where PostgreSQL is back before anyone gives up
    measured("slowest 503 meanwhile", slowest)
    assert 0 not in {answer.status for answer in told}
    assert all(answer.retry_after for answer in refused)
    assert slowest < AT_ONCE
    assert first.at - died < HEALED
    measured("all settled after PostgreSQL was killed", oracle.settle())


def test_f33_the_vault_killed_and_frozen_refuses_only_what_is_personal(
    world: World, desk: Desk, oracle: Oracle, record: Record, measured: Measured
) -> None:
    work = Workload(desk, record)
    with work.running():
        eventually(lambda: work.went_on(0.0))
        died = world.kill("vault")
        eventually(lambda: work.went_on(died), 60)
        with world.frozen("vault"):
            stood = time.monotonic()
            eventually(lambda: refused_leads(record, stood), 30)
        again = time.monotonic()
        eventually(lambda: work.went_on(again), 60)
    first = min(deed.done.at for deed in record.accepted("leads") if deed.done and deed.done.at - deed.done.took > died)
    measured("the vault killed to first accepted lead", first - died)
    assert first - died < HEALED
    others = [answer for deed in record if deed.context != "leads" for answer in deed.answers if answer.at > died]
    assert {answer.status for answer in others} <= {200, 201}
    refused = refused_leads(record, stood)
    assert all(answer.retry_after and answer.took < AT_ONCE for answer in refused)
    measured("slowest 503 while the vault stood still", max(answer.took for answer in refused))
    oracle.settle()


def refused_leads(record: Record, since: float) -> list[Answer]:
    """Tries to keep somebody's name that were told to come again."""
    return [answer for deed in record if deed.context == "leads" for answer in deed.answers if answer.status == 503 and answer.at > since]
