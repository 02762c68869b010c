"""Work orders over HTTP on PostgreSQL: numbers, lines, consent, check, hand-back, and the history of a VIN."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.aftersales.tests.hearing import BUYER, CUSTOMER, HE, OTHER_STORE, OTHER_VIN, STORE, VIN
from services.aftersales.tests.running import Running, at, running
from shared.testing.servers import FreshDatabase


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service, with a bay and a car in its care."""
    async with running(fresh_database) as made:
        await made.bay()
        await made.did("/service-cars", {"vin": VIN, "customer_id": CUSTOMER, "store_id": STORE})
        yield made


def cny(amount: str) -> dict[str, str]:
    """An amount as it crosses the API."""
    return {"amount": amount, "currency": "CNY"}


def walk_in(**more: Any) -> dict[str, Any]:
    """The body of a work order without an appointment."""
    return {"store_id": STORE, "vin": VIN, "services": ["repair"], "kilometres": 5200, "concern": "左前轮异响"} | more


def line(**more: Any) -> dict[str, Any]:
    """The body of a line."""
    body = {"kind": "labour", "text": "Oil change", "price": cny("200.00"), "cost": cny("80.00"), "technician_id": HE}
    return body | more


async def repaired(desk: Running, body: dict[str, Any], by: str, item: dict[str, Any]) -> str:
    """The id of a work order from opening to hand-back."""
    id = await desk.did("/work-orders", body, by)
    await desk.did(f"/work-orders/{id}/items", item, by)
    await desk.did(f"/work-orders/{id}/approve", {"consent": "signed"}, by)
    await desk.did(f"/work-orders/{id}/check", {"passed": True}, by)
    return await desk.did(f"/work-orders/{id}/close", by=by)


@pytest.mark.touches("AFT-02")
async def test_a_visit_from_appointment_to_hand_back(desk: Running) -> None:
    visit = {"store_id": STORE, "vin": VIN, "services": ["maintenance"], "starts_at": at(10).isoformat(), "technician_id": HE}
    appointment = await desk.did("/appointments", visit)
    id = await desk.did("/work-orders", {"appointment_id": appointment, "kilometres": 5200, "concern": "左前轮异响"})
    await desk.tick()
    assert (await desk.get(f"/appointments/{appointment}")).json["status"] == "arrived"
    assert (await desk.get(f"/service-cars/{VIN}")).json["kilometres"] == 5200
    assert (await desk.post(f"/work-orders/{id}/close")).problem == "quality-check-missing"
    await desk.did(f"/work-orders/{id}/items", line(technician_id=None))
    part = line(kind="part", text="Oil filter", price=cny("90.00"), cost=cny("55.00"), technician_id=None)
    await desk.did(f"/work-orders/{id}/items", part)
    await desk.did(f"/work-orders/{id}/items", line(text="Wipers", kind="part"))
    shown = (await desk.get(f"/work-orders/{id}")).json
    assert (shown["customer"], shown["concern"], shown["number"][:7]) == ("林悦", "左前轮异响", "WO-BJ1-")
    assert shown["lines"][0]["technician_id"] == HE
    assert (await desk.post(f"/work-orders/{id}/items/{shown['lines'][2]['item_id']}/decline")).status == 200
    assert (await desk.post(f"/work-orders/{id}/check", {"passed": True})).problem == "estimate-not-approved"
    await desk.did(f"/work-orders/{id}/approve", {"consent": "telephone"})
    assert (await desk.post(f"/work-orders/{id}/check", {"passed": True}, "he")).problem == "four-eyes"
    await desk.did(f"/work-orders/{id}/check", {"passed": False, "note": "oil leaks"})
    assert (await desk.post(f"/work-orders/{id}/close")).problem == "quality-check-missing"
    await desk.did(f"/work-orders/{id}/check", {"passed": True})
    assert (await desk.post(f"/work-orders/{id}/close")).status == 200
    shown = (await desk.get(f"/work-orders/{id}", "zhao")).json
    assert (shown["price"], shown["cost"], shown["margin"]) == (cny("290.00"), cny("135.00"), cny("155.00"))
    assert [one["margin"] for one in shown["lines"]] == [cny("120.00"), cny("35.00"), cny("120.00")]
    assert [one["status"] for one in shown["lines"]] == ["approved", "approved", "declined"]
    (told,) = await desk.told("WorkOrderClosed")
    assert '"price":{"minor":29000' in told
    again = await desk.post("/work-orders", {"appointment_id": appointment, "kilometres": 5200})
    assert again.problem == "already-exists"


@pytest.mark.touches("AFT-03")
async def test_a_history_is_complete_across_owners_and_stores(desk: Running) -> None:
    await repaired(desk, walk_in(), "wu", line())
    await desk.tick()
    await desk.did(f"/service-cars/{VIN}/owner", {"customer_id": BUYER, "store_id": OTHER_STORE}, "southerner")
    await repaired(
        desk, walk_in(store_id=OTHER_STORE, kilometres=9000), "southerner", line(text="New tyre", kind="part", technician_id=None)
    )
    seen = (await desk.get(f"/work-orders?vin={VIN.lower()}")).json["items"]
    assert [one["work"] for one in seen] == [["New tyre"], ["Oil change"]]
    assert [one["store"] for one in seen] == ["远行BJ2店", "远行BJ1店"]
    assert [one["kilometres"] for one in seen] == [9000, 5200]
    assert [one["customer_id"] for one in seen] == [None, CUSTOMER]
    assert [one["price"] for one in seen] == [None, cny("200.00")]
    theirs = (await desk.get(f"/work-orders?vin={VIN}", "southerner")).json["items"]
    assert [one["customer"] for one in theirs] == ["周平", ""]
    assert len((await desk.get("/work-orders")).json["items"]) == 1
    assert len((await desk.get("/work-orders?status=open", "southerner")).json["items"]) == 0
    first = (await desk.get(f"/work-orders?vin={VIN}&limit=1")).json
    second = (await desk.get(f"/work-orders?vin={VIN}&limit=1&cursor={first['next_cursor']}")).json
    assert [*first["items"], *second["items"]] == seen


async def test_a_car_is_in_one_workshop_and_numbers_have_no_gaps(desk: Running) -> None:
    answers = await asyncio.gather(*(desk.post("/work-orders", walk_in()) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.problem for answer in answers if answer.status == 409} == {"already-exists"}
    first = next(answer.json["id"] for answer in answers if answer.status == 201)
    await desk.did(f"/work-orders/{first}/cancel", {"reason": "another day"})
    await desk.did("/work-orders", walk_in())
    numbers = [one["number"][-3:] for one in (await desk.get("/work-orders")).json["items"]]
    assert numbers == ["002", "001"]


async def test_a_retried_line_is_one_line(desk: Running) -> None:
    id = await desk.did("/work-orders", walk_in())
    copies = await asyncio.gather(*(desk.post(f"/work-orders/{id}/items", line(), key="same") for _ in range(5)))
    assert {copy.status for copy in copies} == {200}
    assert len((await desk.get(f"/work-orders/{id}")).json["lines"]) == 1


BAD_WORK_ORDERS: list[tuple[dict[str, Any], str]] = [
    (walk_in(vin=None), "validation"),
    (walk_in(kilometres=-1), "validation"),
    (walk_in(kilometres="5200"), "validation"),
    (walk_in(vin=OTHER_VIN), "vehicle-unknown"),
    (walk_in(store_id=OTHER_STORE), "unknown-reference"),
    (walk_in(appointment_id=CUSTOMER), "unknown-reference"),
    (walk_in(number="WO-1"), "unknown-field"),
]


async def test_a_bad_work_order_is_refused(desk: Running) -> None:
    for body, problem in BAD_WORK_ORDERS:
        assert (await desk.post("/work-orders", body)).problem == problem, body
    assert (await desk.get("/work-orders")).json["items"] == []


BAD_LINES: list[tuple[dict[str, Any], str]] = [
    (line(price=cny("-1.00")), "validation"),
    (line(cost={"amount": "1.00", "currency": "USD"}), "currency-differs"),
    (line(technician_id=None), "validation"),
    (line(technician_id=CUSTOMER), "unknown-reference"),
    (line(quantity=0), "validation"),
    (line(text=""), "validation"),
]


async def test_a_bad_line_is_refused(desk: Running) -> None:
    id = await desk.did("/work-orders", walk_in())
    for body, problem in BAD_LINES:
        assert (await desk.post(f"/work-orders/{id}/items", body)).problem == problem, body


async def test_a_work_order_is_its_store_s(desk: Running) -> None:
    id = await desk.did("/work-orders", walk_in())
    assert (await desk.get(f"/work-orders/{id}", "southerner")).status == 404
    for command, body in (("items", line()), ("close", None), ("cancel", {"reason": "no"})):
        assert (await desk.post(f"/work-orders/{id}/{command}", body, "southerner")).status == 404
    assert (await desk.get("/work-orders", "li")).problem == "forbidden"


async def test_what_a_forgotten_customer_said_is_gone(desk: Running) -> None:
    id = await desk.did("/work-orders", walk_in())
    await desk.vault.forget(CUSTOMER)
    shown = (await desk.get(f"/work-orders/{id}")).json
    assert (shown["customer"], shown["concern"]) == ("***", "***")
    assert (await desk.post("/complaints", {"customer_id": CUSTOMER, "store_id": STORE, "text": "no"})).status == 410
