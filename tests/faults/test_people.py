"""People who hang up, who want the same car, or who edit the same customer: each gets his own answer, and one of them wins."""

import asyncio
import json
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from shared.testing.platform import Person
from tests.faults.record import Record
from tests.faults.workload import Desk, Workload, car
from tests.faults.world import World, eventually
from tests.oracle import Oracle

ASKS = 40
ROUNDS = 8


async def test_f14_whoever_hangs_up_leaves_nobody_elses_answer_behind(desk: Desk) -> None:
    dice, url = random.Random(14), urlsplit(desk.group.platform.url)
    staff = [login for login in desk.group.people if login != "admin"]
    door = asyncio.Semaphore(24)

    async def ask(login: str) -> str | None:
        """Who the platform takes this person for; None when he hung up."""
        token = desk.group.people[login].token
        async with door:
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            lines = ["GET /api/v1/auth/me HTTP/1.1", "host: forecourt", f"authorization: Bearer {token}", "connection: close", "", ""]
            writer.write("\r\n".join(lines).encode())
            if dice.random() < 0.5:
                await asyncio.sleep(dice.random() * 0.03)
                writer.transport.abort()
                return None
            answer = await reader.read(-1)
            writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0], head
        return str(json.loads(body)["staff_id"])

    asked = [login for login in staff for _ in range(ASKS)]
    dice.shuffle(asked)
    found = await asyncio.gather(*map(ask, asked))
    told = [(login, one) for login, one in zip(asked, found, strict=True) if one]
    assert len(told) > len(asked) / 4
    assert [(login, one) for login, one in told if one != desk.group.values[login]] == []


def test_f20_of_several_who_want_one_car_one_gets_it(desk: Desk, record: Record) -> None:
    clerk = desk.client(record, "stock")
    sellers = [desk.client(record, login) for login in ("sales", "colleague", "manager")]
    for _ in range(ROUNDS):
        vin = desk.vin()
        clerk.finish(car(desk, clerk, vin))
        with ThreadPoolExecutor(len(sellers)) as pool:
            path = f"/vehicles/{vin}/reserve"
            deeds = [seller.begin("inventory", path, {}, expects=frozenset({"vin-already-reserved"})) for seller in sellers]
            told = list(pool.map(lambda seller, deed: seller.attempt(deed), sellers, deeds))
        assert sorted(answer.status for answer in told) == [200, 409, 409]


def test_f21_of_many_edits_of_one_version_one_is_kept(desk: Desk) -> None:
    seller, values = desk.group.people["sales"], desk.group.values
    customer = seller.did("/customers", {"store_id": values["south"], "name": "Tao Min", "phone": f"1350013{desk.number():04}"})
    for _ in range(3):
        at = seller.get(f"/customers/{customer}").headers["etag"]
        edits = [f"Tao Min {desk.number()}" for _ in range(20)]
        edit = partial(correct, seller, customer, at)
        with ThreadPoolExecutor(10) as pool:
            told = list(pool.map(edit, edits))
        assert sorted(told) == [200] + [412] * 19
        assert seller.get(f"/customers/{customer}").json()["name"] == edits[told.index(200)]


def correct(person: Person, customer: str, version: str, name: str) -> int:
    """What an edit of that version is answered."""
    return person.post(f"/customers/{customer}/correct", {"name": name}, if_match=version).status_code


def test_f30_services_told_to_stop_under_load_finish_what_they_accepted(world: World, desk: Desk, oracle: Oracle, record: Record) -> None:
    work = Workload(desk, record)
    with work.running():
        for service in ("leads", "inventory", "finance"):
            process = world.process(service)
            process.send_signal(signal.SIGTERM)
            eventually(lambda gone=process: not gone.is_running())  # type: ignore[misc]
            eventually(lambda name=service: world.ready(name))  # type: ignore[misc]
    told = {answer.status for answer in record.answers()}
    assert 201 in told
    assert told <= {200, 201, 503}
    oracle.settle()
