"""Inventory over HTTP: who holds a car, for himself or for an order, and what happens to it then."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from services.inventory.tests.cars import VIN, VIN_2
from services.inventory.tests.desk import ORDER, SELLER, SOUTH, Desk, delivered, get, in_stock, open_desk, post
from shared.contracts import finance, orders
from shared.testing.servers import FreshDatabase
from shared.values.ids import new_id
from shared.values.money import Money


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    """Inventory on a database of its own."""
    async with open_desk(*await fresh_database("inventory")) as opened:
        yield opened


class TestReservation:
    async def test_any_store_reserves_and_the_holder_lets_go(self, desk: Desk) -> None:
        await in_stock(desk)
        assert (await post(desk.seller, f"/vehicles/{VIN}/reserve", {}, '"1"')).status == 200
        car = await get(desk.seller, f"/vehicles/{VIN}")
        assert (car["status"], car["reserved_by"], car["version"]) == ("reserved", "li", 2)
        other = desk.person("wang", SELLER, SOUTH)
        assert (await post(other, f"/vehicles/{VIN}/reserve")).problem == "vin-already-reserved"
        assert (await post(other, f"/vehicles/{VIN}/release")).problem == "not-yours"
        assert (await post(desk.seller, f"/vehicles/{VIN}/release", {}, '"1"')).problem == "version-conflict"
        assert (await post(desk.seller, f"/vehicles/{VIN}/release", {}, '"2"')).status == 200
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["status"] == "in-stock"

    @pytest.mark.touches("INV-05")
    async def test_the_next_in_the_queue_gets_it(self, desk: Desk) -> None:
        await in_stock(desk)
        other = desk.person("wang", SELLER, SOUTH)
        await post(desk.seller, f"/vehicles/{VIN}/reserve")
        assert (await post(other, f"/vehicles/{VIN}/reserve", {"queue": True})).status == 200
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["waiting"] == 1
        await post(desk.manager, f"/vehicles/{VIN}/release")
        car = await get(desk.seller, f"/vehicles/{VIN}")
        assert (car["reserved_by"], car["waiting"]) == ("wang", 0)

    @pytest.mark.touches("INV-05")
    async def test_of_a_hundred_at_once_exactly_one_wins(self, desk: Desk) -> None:
        await in_stock(desk)
        people = [desk.person(f"p{n}", SELLER, SOUTH) for n in range(100)]
        answers = await asyncio.gather(*(post(person, f"/vehicles/{VIN}/reserve") for person in people))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 99
        assert {answer.problem for answer in answers if answer.status == 409} == {"vin-already-reserved"}

    async def test_a_vin_that_is_not_in_stock_is_not_found(self, desk: Desk) -> None:
        for path in ("reserve", "release"):
            assert (await post(desk.seller, f"/vehicles/{VIN}/{path}")).status == 404
        assert (await desk.seller.get(f"/api/v1/vehicles/{VIN}")).status == 404
        assert (await desk.seller.get("/api/v1/vehicles/nonsense")).status == 404

    async def test_an_order_gets_its_car_keeps_it_with_earnest_money_and_takes_it_home(self, desk: Desk) -> None:
        stay_id = await in_stock(desk)
        request = orders.VehicleRequested(request_id=new_id(), order_id=ORDER, vin=VIN, store_id=SOUTH, seller_id="li")
        await desk.hear(request)
        (yes,) = [json.loads(data) for data in await desk.published("VehicleReserved")]
        assert (yes["request_id"], yes["order_id"], yes["stay_id"]) == (request.request_id, ORDER, stay_id)
        car = await get(desk.seller, f"/vehicles/{VIN}")
        assert (car["reserved_for"], car["reserved_by"]) == (ORDER, "li")
        assert (await post(desk.manager, f"/vehicles/{VIN}/release")).problem == "held-by-order"
        await desk.hear(earnest())
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["reserved_until"] > car["reserved_until"]
        first, longer = [json.loads(data) for data in await desk.published("VehicleReserved")]
        assert (longer["request_id"], longer["until"] > first["until"]) == (request.request_id, True)
        await desk.hear(delivered(stay_id))
        assert (await desk.seller.get(f"/api/v1/vehicles/{VIN}")).status == 404
        assert (await get(desk.seller, f"/stays/{stay_id}"))["status"] == "sold"
        assert len(await desk.published("VehicleSold")) == 1

    async def test_the_sellers_hold_becomes_his_orders_and_others_are_refused(self, desk: Desk) -> None:
        await in_stock(desk)
        await post(desk.seller, f"/vehicles/{VIN}/reserve")
        mine = orders.VehicleRequested(request_id=new_id(), order_id=ORDER, vin=VIN, store_id=SOUTH, seller_id="li")
        theirs = orders.VehicleRequested(request_id=new_id(), order_id=new_id(), vin=VIN, store_id=SOUTH, seller_id="wang")
        await desk.hear(theirs)
        await desk.hear(mine)
        (no,) = [json.loads(data) for data in await desk.published("VehicleRefused")]
        assert (no["request_id"], no["problem"]) == (theirs.request_id, "vin-already-reserved")
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["reserved_for"] == ORDER

    async def test_a_cancelled_order_gives_the_car_back_and_a_missing_car_is_refused(self, desk: Desk) -> None:
        await in_stock(desk)
        request = orders.VehicleRequested(request_id=new_id(), order_id=ORDER, vin=VIN, store_id=SOUTH, seller_id="li")
        back = orders.VehicleReleaseRequested(request_id=request.request_id, order_id=ORDER, vin=VIN, reason="order cancelled")
        missing = orders.VehicleRequested(request_id=new_id(), order_id=ORDER, vin=VIN_2, store_id=SOUTH, seller_id="li")
        await desk.hear(request)
        await desk.hear(back, missing)
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["status"] == "in-stock"
        assert len(await desk.published("VehicleReleased")) == 1
        (no,) = [json.loads(data) for data in await desk.published("VehicleRefused")]
        assert (no["vin"], no["problem"]) == (VIN_2, "vehicle-not-available")

    async def test_a_handed_over_car_that_another_order_holds_is_an_alarm_of_the_selling_store(self, desk: Desk) -> None:
        stay_id = await in_stock(desk)
        other = new_id()
        await desk.hear(orders.VehicleRequested(request_id=new_id(), order_id=other, vin=VIN, store_id=SOUTH, seller_id="wang"))
        await desk.hear(delivered(stay_id))
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["reserved_for"] == other
        (alarm,) = (await get(desk.southern_clerk, "/stays/refused-sales"))["items"]
        assert (alarm["stay_id"], alarm["vin"], alarm["order_id"]) == (stay_id, VIN, ORDER)
        assert (alarm["problem"], alarm["status"], alarm["reserved_for"]) == ("vin-already-reserved", "reserved", other)
        assert (await get(desk.clerk, "/stays/refused-sales"))["items"] == []
        (told,) = [json.loads(data) for data in await desk.published("SaleRefused")]
        assert (told["stay_id"], told["store_id"], told["order_id"]) == (stay_id, SOUTH, ORDER)


def earnest() -> finance.PaymentReceived:
    return finance.PaymentReceived(
        order_id=ORDER,
        receipt_id=new_id(),
        number="RV-1",
        kind="earnest",
        method="transfer",
        amount=Money(1_000_000),
        earnest=Money(1_000_000),
        paid_total=Money(1_000_000),
        customer_id=new_id(),
        store_id=SOUTH,
    )
