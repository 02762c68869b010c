"""After-sales through the gateway: no bay and no technician twice, and one history per car."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.testing.platform import Person
from tests.acceptance.conftest import hired
from tests.acceptance.shop import Shop, at_once, cny, did, every, phone, serial

OPEN_AT = 3
"""11 o'clock in the store's own time, in UTC."""


@pytest.fixture(scope="module")
def workshop(shop: Shop) -> dict[str, Any]:
    """A store with two bays, three technicians and somebody for everything else."""
    n = serial() % 1000
    about = {"name": f"Workshop {n}", "entity_id": shop.values["entity"], "region": "south", "opens": "09:00", "closes": "18:00"}
    store = shop.admin.did("/stores", {**about, "code": f"WS{n}"})
    boss = hired(shop.group, f"chief.{n}.", store)
    for name in ("ren", "qiu"):
        body = {"username": f"{name}.{n}", "name": name, "roles": ["service-adviser"], "store_ids": [store], "password": "First-Pass-1"}
        shop.admin.did("/users", body)
    for bay in range(2):
        did(boss, "/service-bays", {"store_id": store, "name": f"Bay {bay}"})
    owner = did(boss, "/customers", {"store_id": store, "name": "Gao Yu", "phone": phone()})
    cars = [shop.vin() for _ in range(30)]
    for car in cars:
        did(boss, "/service-cars", {"vin": car, "customer_id": owner, "store_id": store})
    return {"store": store, "boss": boss, "cars": cars, "owner": owner}


@pytest.mark.feature("AFT-01")
def test_bays_and_technicians_are_never_booked_beyond_their_capacity(workshop: dict[str, Any]) -> None:
    """Thirty at the same instant for the same hour, then thirty for hours that overlap: no bay and no technician in two places."""
    boss: Person = workshop["boss"]
    day = (datetime.now(UTC) + timedelta(days=5)).replace(hour=OPEN_AT, minute=0, second=0, microsecond=0)

    def booked(n: int, minutes: int) -> Any:
        body = {"store_id": workshop["store"], "vin": workshop["cars"][n], "services": ["maintenance"]}
        return boss.post("/appointments", {**body, "starts_at": (day + timedelta(minutes=minutes)).isoformat()})

    same = at_once(30, lambda n: booked(n, 0))
    assert sorted(answer.status_code for answer in same) == [201] * 2 + [409] * 28, "two bays"
    assert {answer.json()["type"] for answer in same if answer.status_code == 409} == {"/problems/slot-taken"}
    others = at_once(30, lambda n: booked(n, 15 * (n % 20)))
    assert {answer.status_code for answer in others} <= {201, 409}
    rows = [row for row in every(boss, "/appointments", store_id=workshop["store"]) if row["status"] == "booked"]
    assert len(rows) >= 4
    for resource in ("bay_id", "technician_id"):
        for one in {row[resource] for row in rows}:
            spans = sorted((row["starts_at"], row["ends_at"]) for row in rows if row[resource] == one)
            assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans)), resource
    first = next(answer.json()["id"] for answer in same if answer.status_code == 201)
    boss.did(f"/appointments/{first}/cancel", {"reason": "The car was sold"})
    again = at_once(10, lambda n: booked(n, 0))
    assert sum(answer.status_code == 201 for answer in again) <= 1, "what was freed is given once"
    early = boss.post(
        "/appointments", {"store_id": workshop["store"], "vin": workshop["cars"][0], "services": ["maintenance"], "starts_at": _at(day, -8)}
    )
    assert early.status_code == 422, "closed at night"


def _at(day: datetime, hours: int) -> str:
    return (day + timedelta(hours=hours)).isoformat()


def serviced(shop: Shop, who: Person, technician: str, checker: Person, vin: str, store: str, kilometres: int) -> str:
    """A work order from opening to hand-back."""
    job = did(who, "/work-orders", {"store_id": store, "vin": vin, "services": ["maintenance"], "kilometres": kilometres})
    line = {"kind": "labour", "text": "Oil and filter", "quantity": 1, "price": cny("300.00"), "cost": cny("120.00")}
    who.did(f"/work-orders/{job}/items", {**line, "technician_id": technician})
    who.did(f"/work-orders/{job}/approve", {"consent": "signed"})
    assert who.post(f"/work-orders/{job}/close").status_code == 409, "nothing leaves without a quality check"
    checker.did(f"/work-orders/{job}/check", {"passed": True})
    who.did(f"/work-orders/{job}/close")
    return job


@pytest.mark.feature("AFT-03")
def test_the_history_of_a_vin_is_whole_across_owners_and_stores(shop: Shop, everybody: Person, workshop: dict[str, Any]) -> None:
    """Serviced in the south for its first owner, sold on, serviced elsewhere for the second: each store sees both, each owner his own."""
    vin, first, second = shop.vin(), shop.customer("First Owner"), shop.customer("Second Owner")
    south, store, boss = shop.values["south"], workshop["store"], workshop["boss"]
    did(shop.service, "/service-cars", {"vin": vin, "customer_id": first, "store_id": south})
    jobs = [serviced(shop, shop.service, shop.values["service"], everybody, vin, south, 5_000)]
    jobs.append(serviced(shop, shop.service, shop.values["service"], everybody, vin, south, 9_000))
    shop.service.did(f"/service-cars/{vin}/owner", {"customer_id": second, "store_id": south})
    ren = next(row["staff_id"] for row in every(shop.admin, "/users", store_id=store) if row["username"].startswith("ren."))
    jobs.append(serviced(shop, boss, ren, boss, vin, store, 15_000))
    for who, theirs in ((shop.service, jobs[:2]), (boss, jobs[2:])):
        rows = every(who, "/work-orders", vin=vin)
        assert {row["work_order_id"] for row in rows} == set(jobs)
        assert [row["kilometres"] for row in sorted(rows, key=lambda row: str(row["opened_at"]))] == [5_000, 9_000, 15_000]
        shown = {row["work_order_id"] for row in rows if row.get("price") or row.get("total") or row.get("margin")}
        assert shown <= set(theirs), "another store's amounts are its own"
    _fed_to_the_owners(shop, first, set(jobs[:2]))
    _fed_to_the_owners(shop, second, set(jobs[2:]))


def _fed_to_the_owners(shop: Shop, customer: str, jobs: set[str]) -> None:
    from tests.acceptance.shop import until

    until(lambda: {one["id"] for one in shop.manager.get(f"/customers/{customer}").json()["services"]} == jobs)
