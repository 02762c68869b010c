"""Inventory over HTTP on a real database: the catalogue, purchase and receipt, costs, stock levels, and who may see what."""

import json
from collections.abc import AsyncIterator

import pytest

from services.inventory.tests.cars import GERMAN_VIN, VIN, VIN_2, WRONG_VIN
from services.inventory.tests.desk import NORTH, SOUTH, TRIM, Desk, arrival, delivered, get, in_stock, listed, made, open_desk, post, yuan
from shared.testing.servers import FreshDatabase
from shared.values.ids import new_id
from shared.web.tests.client import Client


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    """Inventory on a database of its own."""
    async with open_desk(*await fresh_database("inventory")) as opened:
        yield opened


class TestCatalogue:
    @pytest.mark.touches("INV-01")
    async def test_a_trim_with_its_prices(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        price = {"price": yuan("185000.00"), "valid_from": "2026-03-01", "valid_to": None, "source": "HQ circular 12"}
        assert (await post(desk.clerk, f"/trims/{trim_id}/prices", price)).problem == "forbidden"
        assert (await post(desk.headquarters, f"/trims/{trim_id}/prices", price)).status == 200
        own = {**price, "store_id": NORTH, "price": yuan("182000.00"), "valid_to": "2026-03-31"}
        assert (await post(desk.southern_clerk, f"/trims/{trim_id}/prices", own)).problem == "unknown-reference"
        assert (await post(desk.clerk, f"/trims/{trim_id}/prices", own, '"2"')).status == 200
        shown = await get(desk.seller, f"/trims/{trim_id}")
        assert (shown["guide_price"], shown["version"]) == (yuan("189800.00"), 3)
        assert [each["price"] for each in shown["prices"]] == [yuan("185000.00"), yuan("182000.00")]
        for store, day, expected in (
            (NORTH, "2026-03-31", "182000.00"),
            (SOUTH, "2026-03-31", "185000.00"),
            (NORTH, "2026-04-01", "185000.00"),
            (NORTH, "2026-02-28", "189800.00"),
        ):
            found = await get(desk.seller, f"/trims/{trim_id}/price?store_id={store}&day={day}")
            assert found["price"] == yuan(expected)
            assert found["source"]

    async def test_a_trim_is_listed_once(self, desk: Desk) -> None:
        await listed(desk)
        again = await post(desk.clerk, "/trims", {**TRIM, "name": "a5 LONG range"})
        assert (again.status, again.problem) == (409, "already-exists")
        assert [row["name"] for row in (await get(desk.seller, "/trims?brand=Aurora"))["items"]] == ["A5 Long Range"]

    async def test_a_price_for_another_store_is_not_accepted(self, desk: Desk) -> None:
        price = {"store_id": SOUTH, "price": yuan("1.00"), "valid_from": "2026-03-01", "source": "me"}
        refused = await post(desk.clerk, f"/trims/{await listed(desk)}/prices", price)
        assert (refused.status, refused.problem) == (422, "unknown-reference")

    async def test_a_seller_does_not_write_the_catalogue(self, desk: Desk) -> None:
        assert (await post(desk.seller, "/trims", TRIM)).problem == "forbidden"


class TestPurchase:
    async def place(self, desk: Desk, trim_id: str, quantity: int = 1) -> str:
        line = {"trim_id": trim_id, "quantity": quantity, "unit_price": yuan("150000.00")}
        return await made(desk.clerk, "/purchase-orders", {"store_id": NORTH, "supplier": "Aurora Motors", "lines": [line]})

    @pytest.mark.touches("INV-07")
    async def test_a_car_is_ordered_received_and_stands_in_the_books(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        order_id = await self.place(desk, trim_id)
        ordered = await get(desk.clerk, f"/purchase-orders/{order_id}")
        assert ordered["number"].startswith("PO-BJ1-")
        assert ordered["number"].endswith("-001")
        assert (ordered["outstanding"], ordered["total"]) == (1, yuan("150000.00"))
        answer = await post(desk.clerk, f"/purchase-orders/{order_id}/receive", arrival(trim_id))
        assert answer.status == 201, answer.json
        assert answer.headers["location"] == f"/api/v1/stays/{answer.json['id']}"
        assert answer.headers["forecourt-seen"] == f"inventory/stay-{answer.json['id']}@100"
        await desk.settle()
        ordered = await get(desk.clerk, f"/purchase-orders/{order_id}")
        assert (ordered["status"], ordered["outstanding"], ordered["receipts"][0]["discrepancy"]) == ("completed", 0, None)
        car = await get(desk.clerk, f"/vehicles/{VIN}")
        assert (car["status"], car["book_cost"], car["supplier"]) == ("in-stock", yuan("149000.00"), "Aurora Motors")
        assert (car["costs"]["rebate"], car["costs"]["input_vat"]) == (yuan("3000.00"), yuan("19500.00"))
        (fact,) = [json.loads(data) for data in await desk.published("VehicleReceived")]
        assert (fact["book_cost"]["minor"], fact["purchase_order_id"]) == (14_900_000, order_id)

    @pytest.mark.touches("INV-04")
    async def test_what_does_not_fit_the_order_is_noted(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        order_id = await self.place(desk, trim_id)
        dearer = arrival(trim_id, purchase=yuan("151000.00"))
        assert (await post(desk.clerk, f"/purchase-orders/{order_id}/receive", dearer)).status == 201
        assert (await post(desk.clerk, f"/purchase-orders/{order_id}/receive", arrival(trim_id, VIN_2))).status == 201
        await desk.settle()
        receipts = (await get(desk.clerk, f"/purchase-orders/{order_id}"))["receipts"]
        assert sorted(came["discrepancy"] for came in receipts) == ["over-delivered", "price-differs"]

    async def test_numbers_have_no_gaps(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        for _ in range(2):
            await self.place(desk, trim_id)
        refused = await post(desk.clerk, "/purchase-orders", {"store_id": NORTH, "supplier": "A", "lines": []})
        assert refused.status == 422
        await self.place(desk, trim_id)
        rows = (await get(desk.clerk, "/purchase-orders"))["items"]
        assert sorted(row["number"][-3:] for row in rows) == ["001", "002", "003"]

    async def test_purchase_orders_are_the_stores_own(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        order_id = await self.place(desk, trim_id)
        assert (await desk.southern_clerk.get(f"/api/v1/purchase-orders/{order_id}")).status == 404
        assert (await get(desk.southern_clerk, "/purchase-orders"))["items"] == []
        assert (await post(desk.southern_clerk, f"/purchase-orders/{order_id}/receive", arrival(trim_id))).status == 404
        assert (await post(desk.southern_clerk, f"/purchase-orders/{order_id}/close")).status == 404
        elsewhere = {"store_id": SOUTH, "supplier": "A", "lines": [{"trim_id": trim_id, "quantity": 1, "unit_price": yuan("1.00")}]}
        assert (await post(desk.clerk, "/purchase-orders", elsewhere)).problem == "unknown-reference"

    async def test_amounts_are_in_the_currency_of_the_books(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        dollars = arrival(trim_id, purchase={"amount": "1.00", "currency": "USD"}, store_id=NORTH, supplier="A")
        assert (await post(desk.clerk, "/vehicles", dollars)).problem == "currency-differs"

    @pytest.mark.touches("INV-02")
    async def test_a_car_is_in_stock_once(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        await in_stock(desk, trim_id)
        again = await post(desk.clerk, "/vehicles", arrival(trim_id, VIN.lower(), store_id=NORTH, supplier="A"))
        assert (again.status, again.problem) == (409, "vin-in-stock")

    @pytest.mark.touches("INV-02")
    async def test_a_car_taken_back_opens_a_new_stay(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        first = await in_stock(desk, trim_id)
        await desk.hear(delivered(first))
        second = await in_stock(desk, trim_id)
        assert (await get(desk.seller, f"/vehicles/{VIN}"))["stay_id"] == second != first
        assert (await get(desk.seller, f"/stays/{first}"))["status"] == "sold"
        assert [car["stay_id"] for car in (await get(desk.seller, "/vehicles?status=sold"))["items"]] == [first]
        assert first not in {car["stay_id"] for car in (await get(desk.clerk, "/vehicles"))["items"]}

    @pytest.mark.touches("INV-02")
    async def test_check_digits(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        wrong = arrival(trim_id, WRONG_VIN, store_id=NORTH, supplier="A")
        assert (await post(desk.clerk, "/vehicles", wrong)).problem == "vin-check-digit"
        imported = arrival(trim_id, GERMAN_VIN, store_id=NORTH, supplier="A")
        assert (await post(desk.clerk, "/vehicles", imported)).problem == "vin-unconfirmed"
        assert (await post(desk.clerk, "/vehicles", {**imported, "vin_confirmed": True})).problem == "forbidden"
        assert (await post(desk.manager, "/vehicles", {**imported, "vin_confirmed": True})).status == 201

    async def test_a_resent_receipt_is_one_receipt(self, desk: Desk) -> None:
        body = arrival(await listed(desk), store_id=NORTH, supplier="A")
        first, second = [await desk.clerk.post("/api/v1/vehicles", body, {"idempotency-key": "k1"}) for _ in range(2)]
        assert first.status == second.status == 201
        assert first.json == second.json


class TestCostAndSight:
    async def test_a57_cost_is_for_those_of_the_store_who_may_see_it(self, desk: Desk) -> None:
        stay_id = await in_stock(desk)
        for path in (f"/vehicles/{VIN}", f"/stays/{stay_id}"):
            assert "book_cost" in await get(desk.clerk, path)
            assert not {"book_cost", "costs", "supplier"} & (await get(desk.seller, path)).keys()
            assert not {"book_cost", "costs", "supplier"} & (await get(desk.southern_clerk, path)).keys()
        assert (await get(desk.clerk, "/vehicles"))["items"][0]["book_cost"] == yuan("149000.00")
        for blind in (desk.seller, desk.southern_clerk):
            (car,) = (await get(blind, "/vehicles"))["items"]
            assert car["vin"] == VIN
            assert "book_cost" not in car

    async def test_the_list_is_filtered_and_paged(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        await in_stock(desk, trim_id)
        await in_stock(desk, trim_id, VIN_2)
        first = await get(desk.seller, "/vehicles?limit=1&sort=-acquired_on")
        second = await get(desk.seller, f"/vehicles?limit=1&sort=-acquired_on&cursor={first['next_cursor']}")
        assert {first["items"][0]["vin"], second["items"][0]["vin"]} == {VIN, VIN_2}
        assert second["next_cursor"] is None
        found = await get(desk.seller, f"/vehicles?vin={VIN_2.lower()}&status=in-stock&category=new&store_id={NORTH}&series=A5")
        assert [car["vin"] for car in found["items"]] == [VIN_2]
        assert (await get(desk.seller, "/vehicles?status=sold"))["items"] == []
        assert (await desk.seller.get("/api/v1/vehicles?status=lost")).status == 422

    @pytest.mark.touches("INV-07")
    async def test_costs_and_the_certificate(self, desk: Desk) -> None:
        stay_id = await in_stock(desk)
        cost = {"kind": "freight", "supplier": "Sanhe", "amount": yuan("400.00")}
        assert (await post(desk.clerk, f"/vehicles/{VIN}/costs", cost, '"1"')).status == 200
        rebate = {"kind": "rebate", "supplier": "Aurora Motors", "amount": yuan("-1000.00")}
        assert (await post(desk.clerk, f"/vehicles/{VIN}/costs", rebate)).status == 200
        assert (await post(desk.clerk, f"/vehicles/{VIN}/costs", {**rebate, "amount": yuan("1000.00")})).problem == "cost-invalid"
        assert (await post(desk.clerk, f"/vehicles/{VIN}/certificate", {"status": "redeemed"})).status == 200
        car = await get(desk.clerk, f"/vehicles/{VIN}")
        assert (car["book_cost"], car["costs"]["added"], car["certificate"]) == (yuan("148400.00"), yuan("-600.00"), "redeemed")
        await desk.hear(delivered(stay_id))
        assert (await post(desk.clerk, f"/stays/{stay_id}/costs", cost)).status == 200
        past = await get(desk.clerk, f"/stays/{stay_id}")
        assert (past["book_cost"], past["costs"]["late"]) == (yuan("148400.00"), yuan("400.00"))

    async def test_a50_only_the_cars_own_store_changes_it(self, desk: Desk) -> None:
        stay_id = await in_stock(desk)
        cost = {"kind": "freight", "supplier": "Sanhe", "amount": yuan("400.00")}
        stranger = desk.southern_clerk
        assert (await post(stranger, f"/vehicles/{VIN}/costs", cost)).status == 404
        assert (await post(stranger, f"/stays/{stay_id}/costs", cost)).status == 404
        assert (await post(stranger, f"/vehicles/{VIN}/certificate", {"status": "redeemed"})).status == 404


class TestStockLevel:
    async def level(self, client: Client) -> tuple[int, bool]:
        (row,) = (await get(client, f"/stock-levels?store_id={NORTH}"))["items"]
        return row["count"], row["low"]

    @pytest.mark.touches("INV-03")
    async def test_one_alarm_per_shortage(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        await in_stock(desk, trim_id)
        threshold = {"store_id": NORTH, "trim_id": trim_id, "threshold": 1}
        assert (await post(desk.clerk, "/stock-levels", threshold)).status == 200
        assert await self.level(desk.seller) == (1, False)
        await post(desk.seller, f"/vehicles/{VIN}/reserve")
        await desk.settle()
        assert await self.level(desk.seller) == (0, True)
        await post(desk.seller, f"/vehicles/{VIN}/release")
        await desk.settle()
        assert await self.level(desk.seller) == (1, False)
        assert (len(await desk.published("StockLow")), len(await desk.published("StockRecovered"))) == (1, 1)

    async def test_thresholds_are_the_stores_own(self, desk: Desk) -> None:
        trim_id = await listed(desk)
        elsewhere = {"store_id": SOUTH, "trim_id": trim_id, "threshold": 1}
        assert (await post(desk.clerk, "/stock-levels", elsewhere)).problem == "unknown-reference"
        assert (await post(desk.clerk, "/stock-levels", {**elsewhere, "trim_id": new_id()})).problem == "unknown-reference"


async def test_who_is_nobody_or_may_nothing_is_refused(desk: Desk) -> None:
    assert (await Client(desk.app).get("/api/v1/vehicles")).status == 401
    assert (await desk.person("fox", (), NORTH).get("/api/v1/vehicles")).problem == "forbidden"


async def test_every_route_is_documented(desk: Desk) -> None:
    document = desk.app.openapi()
    posts = {path for path, verbs in document["paths"].items() if "post" in verbs}
    assert {f"/api/v1/vehicles/{{vin}}/{verb}" for verb in ("reserve", "release", "costs", "certificate")} <= posts
    for verbs in document["paths"].values():
        assert all(verb["summary"] for verb in verbs.values())
