"""Appointments over HTTP on PostgreSQL: capacity is never exceeded, and delivered cars are proposed their first maintenance."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from services.aftersales.domain.appointment import ProposeMaintenance
from services.aftersales.domain.car import FIRST_MAINTENANCE
from services.aftersales.domain.slots import Slot
from services.aftersales.prepares import first_free
from services.aftersales.tests.hearing import (
    BUYER,
    CUSTOMER,
    HE,
    LI,
    ORDER,
    OTHER_STORE,
    OTHER_VIN,
    RESALE,
    SHANGHAI,
    SOUTHERNER,
    STORE,
    VIN,
    WU,
    delivered,
)
from services.aftersales.tests.running import Running, at, running
from shared.following import Preparing
from shared.testing.hearing import NOON, an_id
from shared.testing.servers import FreshDatabase
from shared.values.clock import local_day, utc_now


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made


def visit(starts_at: datetime | None = None, **more: Any) -> dict[str, Any]:
    """The body of an appointment."""
    body = {"store_id": STORE, "vin": VIN, "services": ["tyres"], "starts_at": (starts_at or at(10)).isoformat(), "note": "winter tyres"}
    return body | more


async def diary(desk: Running, query: str = "", by: str = "wu") -> list[dict[str, Any]]:
    """The appointments listed."""
    items: list[dict[str, Any]] = (await desk.get(f"/appointments{query}", by)).json["items"]
    return items


@pytest.mark.touches("AFT-01")
async def test_a_delivered_car_has_its_first_maintenance_booked(desk: Running) -> None:
    await desk.bay()
    sold_at = utc_now()
    await desk.hear(delivered(), at=sold_at)
    (booked,) = await diary(desk, f"?vin={VIN}")
    assert (booked["status"], booked["customer"], booked["services"]) == ("booked", "林悦", ["first-maintenance"])
    assert booked["day"] == str(local_day(sold_at + FIRST_MAINTENANCE, SHANGHAI))
    assert booked["technician_id"] in (WU, HE)
    assert (len(await desk.told("VehicleEnrolled")), len(await desk.told("AppointmentBooked"))) == (1, 1)
    await desk.hear(delivered(), at=sold_at)
    assert len(await diary(desk)) == 1
    car = (await desk.get(f"/service-cars/{VIN}")).json
    assert (car["customer"], car["owners"][0]["order_id"]) == ("林悦", ORDER)


async def test_without_a_bay_the_first_maintenance_waits_for_one(desk: Running) -> None:
    await desk.hear(delivered())
    (waiting,) = await diary(desk)
    assert (waiting["status"], waiting["bay_id"]) == ("awaited", None)
    await desk.bay()
    await desk.all_due()
    (booked,) = await diary(desk)
    assert booked["status"] == "booked"
    assert datetime.fromisoformat(booked["starts_at"]) > utc_now()


async def test_many_cars_delivered_at_once_get_slots_of_their_own(desk: Running) -> None:
    await desk.bay("Bay 1")
    await desk.bay("Bay 2")
    vins = [f"LFV2A2150N30001{n:02}" for n in range(25)]
    await desk.hear(*(delivered(an_id(500 + n), vin) for n, vin in enumerate(vins)))
    booked = await diary(desk, "?status=booked&limit=200")
    assert {one["vin"] for one in booked} == set(vins)
    for key in ("bay_id", "technician_id"):
        assert set(Counter((one[key], one["starts_at"]) for one in booked).values()) == {1}


async def test_a_slot_lost_to_somebody_faster_is_passed_over(desk: Running) -> None:
    await desk.bay()
    await desk.did("/service-cars", {"vin": OTHER_VIN, "customer_id": CUSTOMER, "store_id": STORE})
    found: list[Slot] = []

    async def overtaken(command: ProposeMaintenance, tx: Preparing) -> ProposeMaintenance:
        """Finds a slot as always; a colleague books it before the first proposal is written."""
        proposal = await first_free(command, tx)
        assert proposal.slot
        found.append(proposal.slot)
        if len(found) == 1:
            await desk.did("/appointments", visit(proposal.slot.starts_at, vin=OTHER_VIN))
        return proposal

    desk.handler.prepare[ProposeMaintenance] = overtaken
    await desk.hear(delivered())
    lost, won = found
    assert won.starts_at > lost.starts_at
    (booked,) = await diary(desk, f"?vin={VIN}")
    assert (booked["status"], datetime.fromisoformat(booked["starts_at"])) == ("booked", won.starts_at)


@pytest.mark.touches("AFT-01")
async def test_parallel_bookings_never_exceed_bays_and_technicians(desk: Running) -> None:
    await desk.bay("Bay 1")
    await desk.bay("Bay 2")
    await desk.bay("Bay 3")
    vins = [f"LFV2A2150N30002{n:02}" for n in range(12)]
    for vin in vins:
        await desk.did("/service-cars", {"vin": vin, "customer_id": CUSTOMER, "store_id": STORE})
    answers = await asyncio.gather(*(desk.post("/appointments", visit(vin=vin)) for vin in vins))
    assert sorted(answer.status for answer in answers) == [201] * 2 + [409] * 10
    assert {answer.problem for answer in answers if answer.status == 409} == {"slot-taken"}
    booked = await diary(desk)
    assert {one["technician_id"] for one in booked} == {WU, HE}
    assert len({one["bay_id"] for one in booked}) == 2


async def test_a_retried_booking_is_one_booking(desk: Running) -> None:
    await desk.bay()
    await desk.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
    copies = await asyncio.gather(*(desk.post("/appointments", visit(), key="same") for _ in range(5)))
    copies.append(await desk.post("/appointments", visit(), key="same"))
    assert {copy.status for copy in copies} == {201}
    assert len({copy.json["id"] for copy in copies}) == 1
    assert (await desk.post("/appointments", visit(note="another"), key="same")).problem == "idempotency-key-reused"


async def test_an_appointment_is_booked_moved_and_cancelled(desk: Running) -> None:
    bay = await desk.bay()
    await desk.did("/service-cars", {"vin": VIN.lower(), "customer_id": CUSTOMER, "store_id": STORE})
    id = await desk.did("/appointments", visit(), "li")
    shown = (await desk.get(f"/appointments/{id}", "li")).json
    assert (shown["note"], shown["bay"], shown["customer"]) == ("winter tyres", "Bay 1", "林悦")
    stored = (await desk.store.load([f"appointment-{id}"])).events[f"appointment-{id}"]
    assert "winter" not in stored[0].data
    taken = await desk.post("/appointments", visit(at(10, 30), bay_id=bay), "li")
    assert taken.problem == "slot-taken"
    assert (await desk.post(f"/appointments/{id}/move", {"starts_at": at(10, 30).isoformat()}, "li")).status == 200
    assert (await desk.post(f"/appointments/{id}/move", {"starts_at": at(14).isoformat(), "technician_id": HE})).status == 200
    assert await desk.did("/appointments", visit(at(10)), "li")
    assert (await desk.post(f"/appointments/{id}/miss")).problem == "in-the-future"
    assert (await desk.post(f"/appointments/{id}/cancel", {"reason": "on holiday"}, "li")).status == 200
    assert await desk.did("/appointments", visit(at(14), technician_id=HE))
    assert len(await desk.told("AppointmentCancelled")) == 1


async def test_who_does_not_come_frees_the_slot_by_the_clock(desk: Running) -> None:
    await desk.bay()
    await desk.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
    kept, missed = await desk.did("/appointments", visit(at(9))), await desk.did("/appointments", visit(at(11)))
    assert (await desk.post(f"/appointments/{kept}/arrive")).status == 200
    await desk.all_due()
    assert {one["appointment_id"]: one["status"] for one in await diary(desk)} == {kept: "arrived", missed: "missed"}
    assert (await desk.post(f"/appointments/{missed}/arrive")).status == 200


async def test_free_times_are_offered_and_taken_ones_are_not(desk: Running) -> None:
    await desk.bay()
    await desk.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
    where = f"/appointments/slots?store_id={STORE}&day={at(9).date()}&service=tyres"
    before = [one["starts_at"] for one in (await desk.get(where)).json["items"]]
    assert len(before) == 17
    await desk.did("/appointments", visit())
    after = [one["starts_at"] for one in (await desk.get(where)).json["items"]]
    assert len(set(before) - set(after)) == 3
    assert (await desk.get(f"/appointments/slots?store_id={OTHER_STORE}&day=2026-03-02")).problem == "unknown-reference"


BAD_APPOINTMENTS: list[tuple[dict[str, Any], str]] = [
    (visit(services=[]), "validation"),
    (visit(services=["car-wash"]), "validation"),
    (visit(at(17, 30)), "validation"),
    (visit(at(8)), "validation"),
    (visit(at(10, days=-1)), "in-the-past"),
    (visit(vin=OTHER_VIN), "vehicle-unknown"),
    (visit(vin="LFV2A2150N300000I"), "validation"),
    (visit(store_id=OTHER_STORE), "unknown-reference"),
    (visit(bay_id=an_id(99)), "unknown-reference"),
    (visit(technician_id=LI), "unknown-reference"),
    (visit(technician_id=SOUTHERNER), "unknown-reference"),
    (visit(price="1"), "unknown-field"),
]


async def test_a_bad_appointment_is_refused(desk: Running) -> None:
    await desk.bay()
    await desk.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
    for body, problem in BAD_APPOINTMENTS:
        assert (await desk.post("/appointments", body)).problem == problem, body
    assert await diary(desk) == []


async def test_a_closed_bay_is_not_booked(desk: Running) -> None:
    bay = await desk.bay()
    assert (await desk.post("/service-bays", {"store_id": STORE, "name": "bay 1"})).problem == "already-exists"
    await desk.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
    assert (await desk.post(f"/service-bays/{bay}/close")).status == 200
    assert (await desk.post("/appointments", visit())).problem == "slot-taken"
    assert (await desk.post("/appointments", visit(bay_id=bay))).problem == "unknown-reference"
    assert [one["open"] for one in (await desk.get("/service-bays")).json["items"]] == [False]


async def test_the_diary_is_its_store_s_and_the_car_is_everybody_s(desk: Running) -> None:
    await desk.bay()
    await desk.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
    id = await desk.did("/appointments", visit())
    ((mine,), (theirs,)) = [(await desk.get("/service-cars", by)).json["items"] for by in ("wu", "southerner")]
    assert (mine["customer"] != "***", theirs["customer"]) == (True, "***"), "nobody lists whose all stores' cars are"
    assert (await desk.get(f"/service-cars/{VIN}", "southerner")).json["customer"] == mine["customer"]
    assert await diary(desk, by="southerner") == []
    assert (await desk.get(f"/appointments/{id}", "southerner")).status == 404
    assert (await desk.post(f"/appointments/{id}/cancel", {"reason": "no"}, "southerner")).status == 404
    assert (await desk.post(f"/appointments/{id}/move", {"starts_at": at(14).isoformat()}, "southerner")).status == 404
    owner = {"customer_id": BUYER, "store_id": OTHER_STORE}
    assert (await desk.post(f"/service-cars/{VIN}/owner", owner, "southerner")).status == 200
    assert (await desk.get(f"/service-cars?customer_id={BUYER}", "southerner")).json["items"][0]["customer"] == "周平"


async def test_a_car_sold_again_belongs_to_its_new_owner(desk: Running) -> None:
    await desk.bay()
    await desk.bay("South 1", OTHER_STORE, "southerner")
    await desk.hear(delivered(), delivered(RESALE, customer_id=BUYER, store_id=OTHER_STORE), at=NOON)
    car = (await desk.get(f"/service-cars/{VIN}")).json
    assert [owner["customer_id"] for owner in car["owners"]] == [CUSTOMER, BUYER]
    (mine,), (theirs,) = await diary(desk), await diary(desk, by="southerner")
    assert (mine["customer_id"], theirs["customer_id"]) == (CUSTOMER, BUYER)
    assert (await desk.post(f"/appointments/{theirs['appointment_id']}/cancel", {"reason": "sold on"}, "southerner")).status == 200
