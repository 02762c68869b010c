"""Whoever carries a process from step to step dies between any two of them: the car is held once, and given back once."""

import signal

import pytest

from tests.faults.record import Client, Record
from tests.faults.workload import Desk, car, lead
from tests.faults.world import World, ended, eventually
from tests.oracle import Oracle

RESUMES_WITHIN = 60.0
POINTS = (
    "consumer.before_commit",
    "consumer.after_commit",
    "append.before_commit:2",
    "timers.before_commit",
    "timers.after_commit",
    "relay.before_publish",
    "relay.after_publish",
    "relay.after_delete",
)
PRICE = {"amount": "189800.00", "currency": "CNY"}
_OPENED = """select e.stream, count(*) filter (where o.type = 'OpportunityOpened') as n from events e left join events o
    on o.stream = 'opportunity-' || (convert_from(e.data, 'UTF8')::json ->> 'opportunity_id') where e.type = 'LeadConverted' and e.stream = any(%s)
    group by e.stream"""


@pytest.mark.slow
@pytest.mark.parametrize("service", ["orders", "inventory"])
@pytest.mark.parametrize("point", POINTS)
def test_f26_killed_between_two_steps_the_fulfilment_goes_on(
    world: World, desk: Desk, oracle: Oracle, record: Record, service: str, point: str
) -> None:
    clerk, seller, manager = (desk.client(record, login) for login in ("stock", "sales", "manager"))
    vin = desk.vin()
    clerk.finish(car(desk, clerk, vin))
    order = submitted(desk, seller, vin)
    with world.frozen(service), world.spare(service, "serve"):
        door = world.second_door if service == "orders" else desk.group.platform.url
        manager.at(door).finish(manager.begin("orders", f"/orders/{order}/approve"))
        with world.spare(service, "work", point) as worker:
            eventually(lambda: worker.poll() is not None, RESUMES_WITHIN)
            assert ended(worker) == -signal.SIGKILL
    person = desk.group.people["sales"]
    eventually(lambda: person.get(f"/orders/{order}").json().get("vehicle") == "held", RESUMES_WITHIN, pause=0.1)
    seller.finish(seller.begin("orders", f"/orders/{order}/cancel", {"reason": "Changed his mind"}))
    eventually(lambda: person.get(f"/vehicles/{vin}").json().get("status") == "in-stock", RESUMES_WITHIN, pause=0.1)


def submitted(desk: Desk, seller: Client, vin: str) -> str:
    """An order for the car that waits for its approval, as soon as orders has heard of the car."""
    customer = desk.group.people["sales"].get(f"/orders/{desk.order}").json()["customer_id"]
    body = {"store_id": desk.group.values["south"], "customer_id": customer, "trim_id": desk.trim, "vin": vin, "price": PRICE}
    made: list[str] = []

    def placed() -> bool:
        answer = desk.group.people["sales"].post("/orders", {**body, "down_payment": PRICE})
        made.extend([answer.json()["id"]] if answer.status_code == 201 else [])
        return bool(made)

    eventually(placed, pause=0.1)
    seller.finish(seller.begin("orders", f"/orders/{made[0]}/submit"))
    return made[0]


def test_f29_of_two_workers_that_wake_one_is_killed_and_each_timer_fires_once(
    world: World, desk: Desk, oracle: Oracle, record: Record
) -> None:
    capture = desk.client(record, "colleague")
    leads = [capture.finish(lead(desk, capture)).id for _ in range(6)]
    person = desk.group.people["manager"]
    for one in leads:
        eventually(lambda id=one: person.get(f"/leads/{id}").json()["status"] in ("assigned", "queued"))  # type: ignore[misc]
        person.post(f"/leads/{one}/assign", {"seller_id": desk.group.values["sales"], "reason": "His"})
    seller = desk.client(record, "sales")
    for one in leads:
        seller.finish(seller.begin("leads", f"/leads/{one}/follow-ups", {"kind": "phone", "text": "Wants to see it"}))
    with world.frozen("leads"), world.spare("leads", "serve"):
        elsewhere = seller.at(world.second_door)
        for one in leads:
            elsewhere.finish(elsewhere.begin("leads", f"/leads/{one}/convert"))
        streams = [f"lead-{one}" for one in leads]
        with world.spare("leads", "work", "append.before_commit") as first:
            eventually(lambda: first.poll() is not None, pause=0.1)
            assert ended(first) == -signal.SIGKILL
        assert [row["n"] for row in oracle.rows("leads", _OPENED, [streams])] == [0] * len(leads)
        with world.spare("leads", "work") as second, world.spare("leads", "work"):
            eventually(lambda: [row["n"] for row in oracle.rows("leads", _OPENED, [streams])] == [1] * len(leads), pause=0.1)
            assert second.poll() is None
