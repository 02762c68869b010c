"""Inventory over HTTP: a car on its way to another store."""

import json
from collections.abc import AsyncIterator

import pytest

from services.inventory.tests.cars import VIN, VIN_2
from services.inventory.tests.desk import ABROAD, NORTH, ORDER, SOUTH, Desk, delivered, get, in_stock, made, open_desk, post, yuan
from shared.contracts import orders
from shared.testing.servers import FreshDatabase
from shared.values.ids import new_id


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    """Inventory on a database of its own."""
    async with open_desk(*await fresh_database("inventory")) as opened:
        yield opened


class TestTransfer:
    async def request(self, desk: Desk, **changed: object) -> str:
        return await made(desk.seller, "/transfers", {"vin": VIN, "to_store": SOUTH, "order_id": ORDER, **changed})

    @pytest.mark.touches("INV-06")
    async def test_a_reserved_car_travels_with_its_reservation_and_its_cost(self, desk: Desk) -> None:
        await in_stock(desk)
        await desk.hear(orders.VehicleRequested(request_id=new_id(), order_id=ORDER, vin=VIN, store_id=SOUTH, seller_id="li"))
        transfer_id = await self.request(desk)
        path = f"/transfers/{transfer_id}"
        assert (await post(desk.manager, f"{path}/approve", None, '"1"')).status == 200
        assert (await post(desk.clerk, f"{path}/dispatch", {"carrier": "Sanhe"}, '"2"')).status == 200
        await desk.settle()
        shown = await get(desk.seller, path)
        assert (shown["status"], shown["approved_by"], shown["version"]) == ("dispatched", "zhao", 4)
        assert shown["number"].startswith("TR-BJ2-")
        car = await get(desk.seller, f"/vehicles/{VIN}")
        assert (car["status"], car["bound_for"], car["store_id"]) == ("in-transit", SOUTH, NORTH)
        came = {"vin": VIN.lower(), "transport": yuan("500.00"), "remark": "dusty"}
        assert (await post(desk.southern_clerk, f"{path}/receive", came, '"4"')).status == 200
        await desk.settle()
        car = await get(desk.southern_clerk, f"/vehicles/{VIN}")
        assert (car["status"], car["store_id"], car["reserved_for"]) == ("reserved", SOUTH, ORDER)
        assert (car["book_cost"], car["costs"]["transport"]) == (yuan("149500.00"), yuan("500.00"))
        assert "book_cost" not in await get(desk.clerk, f"/vehicles/{VIN}")
        done = await get(desk.southern_clerk, path)
        assert (done["status"], done["remark"], done["transport"]) == ("received", "dusty", yuan("500.00"))
        (left,) = [json.loads(data) for data in await desk.published("VehicleDispatched")]
        (arrived,) = [json.loads(data) for data in await desk.published("VehicleArrived")]
        assert (left["order_id"], arrived["order_id"], arrived["transport"]["minor"]) == (ORDER, ORDER, 50_000)

    async def test_who_may_do_what(self, desk: Desk) -> None:
        await in_stock(desk)
        path = f"/transfers/{await self.request(desk)}"
        own_manager = desk.person("li", ("inventory.approve",), NORTH, SOUTH)
        assert (await post(own_manager, f"{path}/approve")).problem == "four-eyes"
        their_manager = desk.person("gao", ("inventory.approve",), SOUTH)
        assert (await post(their_manager, f"{path}/approve")).problem == "not-yours"
        stranger = desk.person("fox", ("inventory.approve", "inventory.read"), ABROAD)
        assert (await post(stranger, f"{path}/approve")).status == 404
        assert (await stranger.get(f"/api/v1{path}")).status == 404
        assert (await get(stranger, "/transfers"))["items"] == []
        assert (await post(desk.seller, f"{path}/approve")).problem == "forbidden"
        assert len((await get(desk.seller, "/transfers?status=requested"))["items"]) == 1

    async def test_a_car_is_on_one_transfer_until_it_is_cancelled(self, desk: Desk) -> None:
        await in_stock(desk)
        transfer_id = await self.request(desk)
        again = await post(desk.seller, "/transfers", {"vin": VIN, "to_store": SOUTH})
        assert (again.status, again.problem) == (409, "already-in-transfer")
        cancelled = await post(desk.clerk, f"/transfers/{transfer_id}/cancel", {"reason": "customer gone"})
        assert cancelled.status == 200
        await self.request(desk)

    async def test_a_car_that_was_sold_meanwhile_ends_its_transfer(self, desk: Desk) -> None:
        stay_id = await in_stock(desk)
        path = f"/transfers/{await self.request(desk)}"
        await post(desk.manager, f"{path}/approve")
        await desk.hear(delivered(stay_id))
        await post(desk.clerk, f"{path}/dispatch", {"carrier": "Sanhe"})
        await desk.settle()
        shown = await get(desk.clerk, path)
        assert (shown["status"], shown["remark"]) == ("cancelled", "The car has been sold.")

    async def test_what_is_not_transferred(self, desk: Desk) -> None:
        await in_stock(desk)
        everywhere = desk.person("ma", ("inventory.transfer", "inventory.read"), "*")
        for changed, problem in (
            ({"to_store": ABROAD}, "inter-company-transfer"),
            ({"to_store": NORTH}, "same-store"),
            ({"order_id": new_id()}, "unknown-reference"),
            ({"vin": VIN_2}, "unknown-reference"),
            ({"to_store": new_id()}, "unknown-reference"),
        ):
            refused = await post(everywhere, "/transfers", {"vin": VIN, "to_store": SOUTH, "order_id": ORDER, **changed})
            assert refused.problem == problem
