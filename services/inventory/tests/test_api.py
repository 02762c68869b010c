"""Inventory over HTTP on a real database: the catalogue, purchase and receipt, reservation, costs, and who may see what."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from services.inventory.tests.cars import GERMAN_VIN, VIN, WRONG_VIN
from services.inventory.tests.desk import ABROAD, NORTH, ORDER, SELLER, SOUTH, Desk, get, made, open_desk, post, yuan
from shared.contracts import finance, orders
from shared.testing.servers import FreshDatabase
from shared.values.ids import new_id
from shared.values.money import Money
from shared.web.tests.client import Client

TRIM = {
    "brand": "Aurora",
    "series": "A5",
    "model_year": 2026,
    "name": "A5 Long Range",
    "powertrain": "electric",
    "guide_price": yuan("189800.00"),
}
VIN_2 = "LFV2A215XN3000002"


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    """Inventory on a database of its own."""
    async with open_desk(*await fresh_database("inventory")) as opened:
        yield opened


async def listed(desk: Desk) -> str:
    return await made(desk.clerk, "/trims", TRIM)


def arrival(trim_id: str, vin: str = VIN, **changed: object) -> dict[str, object]:
    return {
        "vin": vin,
        "trim_id": trim_id,
        "purchase": yuan("150000.00"),
        "rebate": yuan("3000.00"),
        "freight": yuan("1200.00"),
        "preparation": yuan("800.00"),
        "input_vat": yuan("19500.00"),
        "certificate": "pledged",
        **changed,
    }


async def in_stock(desk: Desk, trim_id: str | None = None, vin: str = VIN) -> str:
    """A car at the north store; the id of its stay."""
    body = arrival(trim_id or await listed(desk), vin, store_id=NORTH, supplier="Aurora Motors")
    stay_id = await made(desk.clerk, "/vehicles", body)
    await desk.settle()
    return stay_id


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


def delivered(stay_id: str) -> orders.OrderDelivered:
    return orders.OrderDelivered(
        order_id=ORDER,
        number="SO-BJ2-20260302-001",
        store_id=SOUTH,
        entity_id=new_id(),
        vin=VIN,
        stay_id=stay_id,
        trim_id=new_id(),
        customer_id=new_id(),
        seller_id="li",
        opportunity_id=None,
        campaign_id=None,
        channel="walk-in",
        price=Money(18_980_000),
    )


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


async def test_who_is_nobody_or_may_nothing_is_refused(desk: Desk) -> None:
    assert (await Client(desk.app).get("/api/v1/vehicles")).status == 401
    assert (await desk.person("fox", (), NORTH).get("/api/v1/vehicles")).problem == "forbidden"


async def test_every_route_is_documented(desk: Desk) -> None:
    document = desk.app.openapi()
    posts = {path for path, verbs in document["paths"].items() if "post" in verbs}
    assert {f"/api/v1/vehicles/{{vin}}/{verb}" for verb in ("reserve", "release", "costs", "certificate")} <= posts
    for verbs in document["paths"].values():
        assert all(verb["summary"] for verb in verbs.values())
