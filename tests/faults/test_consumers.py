"""Who hears events dies, chokes on one, or hears everything again: the books stay right."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from typing import Any
from urllib.request import urlopen

from deploy.local.plan import PREFIX, SERVICES
from shared.bus.kafka import KafkaBus
from shared.bus.protocol import topic_of
from shared.testing.platform import ROOT
from tests.faults.record import Client, Record
from tests.faults.workload import COST, Desk, car, stock_value
from tests.faults.world import World, ended, eventually
from tests.oracle import Oracle

TIMES = 2


def test_f06_killed_around_their_commit_consumers_take_each_event_once(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    oracle.settle()
    before, client = stock_value(desk), desk.client(record, "stock")
    with (
        world.frozen("finance"),
        world.spare("finance", "work", "consumer.before_commit:4") as early,
        world.spare("finance", "work", "consumer.after_commit:4") as late,
    ):
        eventually(lambda: client.finish(car(desk, client)) and early.poll() is not None and late.poll() is not None, 60, pause=0.05)
        assert (ended(early), ended(late)) == (-signal.SIGKILL, -signal.SIGKILL)
    oracle.settle()
    assert stock_value(desk) == before + 150_000 * len(record)


def test_f07_a_poisonous_event_parks_its_stream_until_an_operator_has_it_tried_again(
    world: World, desk: Desk, oracle: Oracle, record: Record
) -> None:
    oracle.settle()
    before, client, bad = stock_value(desk), desk.client(record, "stock"), desk.vin()
    with world.database("finance") as database:
        database.execute(POISON.format(vin=bad))
        try:
            stay = client.finish(car(desk, client, bad)).id
            client.finish(client.begin("inventory", f"/vehicles/{bad}/costs", {"kind": "freight", "supplier": "Swift", "amount": COST}))
            for _ in range(3):
                client.finish(car(desk, client))
            eventually(lambda: len(parked(oracle)) == 2 and stock_value(desk) == before + 3 * 150_000)
            assert [row["stream"] for row in parked(oracle)] == [f"stay-{stay}"] * 2
            assert "this car is poison" in parked(oracle)[0]["cause"]
            assert world.ready("finance")
        finally:
            database.execute("drop function poison cascade")
    assert "this car is poison" in operator(world, "finance")
    oracle.settle()
    assert stock_value(desk) == before + 4 * 150_000 + 1_000


POISON = """create function poison() returns trigger language plpgsql as $$ begin
    if new.vin = '{vin}' then raise exception 'this car is poison'; end if; return new; end $$;
    create trigger poison before insert or update on cars_1 for each row execute function poison()"""


def parked(oracle: Oracle) -> list[dict[str, Any]]:
    """What finance could not take, in order."""
    return oracle.rows("finance", "select stream, sequence, cause from parked order by stream, sequence")


def operator(world: World, context: str) -> str:
    """Does what the operations page says about parked messages; what it printed."""
    environment = os.environ | world.plan.environment(context, world.secrets, demo=False)
    told = ""
    for command, code in (("parked", 1), ("retry", 0), ("parked", 0)):
        run = [sys.executable, "-m", f"services.{context}", command]
        done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
        told += done.stdout
    return told


def test_f15_every_topic_told_again_changes_nothing(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    client: Client = desk.client(record, "stock")
    client.finish(car(desk, client))
    oracle.settle()
    before, dropped = contents(world), repeated(world)
    messages = {context: list(told) for context, told in oracle.topics().items()}

    async def again() -> None:
        bus = KafkaBus(f"127.0.0.1:{world.plan.kafka}")
        for context, told in messages.items():
            for _ in range(TIMES if told else 0):
                await bus.publish(topic_of(context, PREFIX), told)
        await bus.close()

    asyncio.run(again())
    expected = TIMES * sum(len(messages[context]) for context in oracle.services["finance"].topics if context in messages)
    eventually(lambda: repeated(world) >= dropped + expected)
    oracle.heard_everything()
    assert contents(world) == before


MOVING = ("offsets", "leases", "audit_1")
"""Tables that change while nothing happens."""


def contents(world: World) -> dict[str, str]:
    """A hash of every table of every service."""
    found = {}
    for context in SERVICES:
        with world.database(context) as database:
            names = [row["tablename"] for row in database.execute("select tablename from pg_tables where schemaname = 'public'")]
            for name in set(names) - set(MOVING):
                (row,) = database.execute(f"select md5(string_agg(t::text, e'\\n' order by t::text)) as hash from {name} t".encode())
                found[f"{context}.{name}"] = row["hash"]
    return found


def repeated(world: World) -> int:
    """How many messages finance has known already."""
    with urlopen(f"http://127.0.0.1:{world.plan.port('finance')}/metrics", timeout=5) as response:
        found = re.search(rb'forecourt_messages_taken_total\{consumer="finance",outcome="repeated"\} (\S+)', response.read())
    return int(float(found[1])) if found else 0
