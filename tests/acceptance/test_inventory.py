"""Stock through the gateway: one stay per VIN, one holder per car, counts and cost that agree with everything else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.testing.platform import Person
from tests.acceptance.databases import Databases
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, at_once, cny, did, every, minor, serial, until
from tests.acceptance.sse import Event, gathered, listening


@pytest.mark.touches("INV-01")
def test_a_price_has_a_validity_and_a_source(shop: Shop) -> None:
    """Of the two parts of INV-01 this one; the import of a whole catalogue is not there yet."""
    trim = shop.trim("200000.00")
    path, south, today = f"/trims/{trim}/prices", shop.values["south"], shop.values["today"]
    body = {"price": cny("190000.00"), "valid_from": "2026-01-01", "source": "Circular 7"}
    assert_refused(shop.stock.post(path, {name: value for name, value in body.items() if name != "source"}), 422, "validation")
    assert_refused(shop.stock.post(path, {name: value for name, value in body.items() if name != "valid_from"}), 422, "validation")
    assert_refused(shop.stock.post(path, {**body, "store_id": south, "valid_to": "2025-12-31"}), 422, "validity-invalid")
    shop.admin.did(path, body)
    shop.stock.did(path, {**body, "store_id": south, "price": cny("185000.00"), "valid_from": today, "valid_to": today, "source": "Fair"})
    in_south = shop.sales.get(f"/trims/{trim}/price", store_id=south, day=today).json()
    in_north = shop.sales.get(f"/trims/{trim}/price", store_id=shop.values["north"], day=today).json()
    assert (in_south["price"], in_south["source"]) == (cny("185000.00"), "Fair")
    assert (in_north["price"], in_north["source"]) == (cny("190000.00"), "Circular 7")
    again = {"brand": "Aurora", "series": "A5", "model_year": 2026, "powertrain": "petrol", "guide_price": cny("1.00")}
    name = shop.stock.get(f"/trims/{trim}").json()["name"]
    assert shop.stock.post("/trims", {**again, "name": name}).status_code == 409


@pytest.mark.feature("INV-02")
def test_a_vin_stands_once_is_sold_once_and_may_come_back(shop: Shop) -> None:
    """Twenty receipts of one VIN at the same instant, then a sale, then a return: each spell its own stay."""
    trim, vin = shop.trim(), shop.vin()
    body = {"vin": vin, "trim_id": trim, "store_id": shop.values["south"], "supplier": "Aurora", "certificate": "with-us"}
    answers = at_once(
        20, lambda n: shop.stock.post("/vehicles", {**body, "vin": vin.lower() if n % 2 else vin, "purchase": cny("150000.00")})
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {"/problems/vin-in-stock"}
    stay = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    order = shop.delivered(trim, vin)
    shop.stock.eventually(f"/stays/{stay}", status="sold", sold_under=order)
    assert_refused(shop.stock.get(f"/vehicles/{vin}"), 404, "not-found")
    assert shop.sales.post(f"/orders/{order}/deliver").status_code == 409, "sold once per spell"
    second = did(shop.stock, "/vehicles", {**body, "category": "used", "certificate": "none", "purchase": cny("90000.00")})
    assert second != stay
    found = shop.stock.get(f"/vehicles/{vin}").json()
    assert (found["stay_id"], found["status"], found["book_cost"]) == (second, "in-stock", cny("90000.00"))
    assert shop.stock.get(f"/stays/{stay}").json()["status"] == "sold"
    sold = every(shop.stock, "/vehicles", vin=vin, status="sold")
    assert [row["stay_id"] for row in sold] == [stay]


@pytest.mark.touches("INV-02")
@pytest.mark.parametrize(
    "vin", ["LSVAA49J0R200000", "LSVAA49J0R20000000", "LSVAA49JOR2000000", "LSVAA49JIR2000000", "ＬSVAA49J0R2000000", "LSVAA49J-R2000000"]
)
def test_what_is_no_vin(shop: Shop, vin: str) -> None:
    body = {"vin": vin, "trim_id": shop.trim(), "store_id": shop.values["south"], "supplier": "Aurora", "certificate": "with-us"}
    assert_refused(shop.stock.post("/vehicles", {**body, "purchase": cny("1.00")}), 422, "validation")


@pytest.mark.touches("INV-02")
def test_a_check_digit_that_does_not_fit(shop: Shop) -> None:
    """Refused for a new car where the law has one; else a manager vouches for it."""
    good = shop.vin()
    bad = good[:8] + ("1" if good[8] != "1" else "2") + good[9:]
    foreign = "WBA" + bad[3:]
    body = {"trim_id": shop.trim(), "store_id": shop.values["south"], "supplier": "Aurora", "certificate": "none", "purchase": cny("1.00")}
    assert_refused(shop.stock.post("/vehicles", {**body, "vin": bad}), 422, "vin-check-digit")
    assert_refused(shop.stock.post("/vehicles", {**body, "vin": foreign, "category": "used"}), 409, "vin-unconfirmed")
    confirmed = {**body, "vin": foreign, "category": "used", "vin_confirmed": True}
    assert_refused(shop.stock.post("/vehicles", confirmed), 403, "forbidden")
    assert did(shop.manager, "/vehicles", confirmed)


def level(shop: Shop, trim: str) -> dict[str, Any]:
    rows = shop.manager.get("/stock-levels", trim_id=trim, store_id=shop.values["south"]).json()["items"]
    return rows[0] if rows else {"count": 0, "low": False}


def free(shop: Shop, trim: str) -> int:
    return len(every(shop.manager, "/vehicles", trim_id=trim, store_id=shop.values["south"], status="in-stock"))


@pytest.mark.feature("INV-03")
def test_counts_equal_the_cars_and_a_shortage_is_told_once_and_taken_back_once(shop: Shop) -> None:
    trim = shop.trim()

    def told(found: list[Event]) -> list[str]:
        return [one.name for one in found if one.body["data"].get("trim_id") == trim and "Stock" in one.name]

    with listening(shop.manager) as events:
        cars = [shop.car(trim) for _ in range(3)]
        until(lambda: level(shop, trim)["count"] == free(shop, trim) == 3)
        shop.manager.did("/stock-levels", {"store_id": shop.values["south"], "trim_id": trim, "threshold": 3})
        at_once(3, lambda n: shop.sales.post(f"/vehicles/{cars[n]}/reserve", {}))
        until(lambda: (row := level(shop, trim))["low"] and row["count"] == free(shop, trim) == 0)
        for car in cars:
            shop.sales.did(f"/vehicles/{car}/release", {})
        until(lambda: not (row := level(shop, trim))["low"] and row["count"] == free(shop, trim) == 3)
        shop.sales.did(f"/vehicles/{cars[0]}/reserve", {})
        until(lambda: level(shop, trim)["low"])
        shop.car(trim)
        until(lambda: not level(shop, trim)["low"])
        last = f"inventory-{serial()}"
        shop.trim(name=last)
        found = gathered(events, lambda found: len(told(found)) >= 4 and any(one.body["data"].get("name") == last for one in found))
    assert told(found) == ["inventory.StockLow.v1", "inventory.StockRecovered.v1"] * 2
    assert level(shop, trim)["count"] == free(shop, trim) == 3


@pytest.mark.feature("INV-05")
def test_a_hundred_want_one_car_and_one_has_it(shop: Shop, databases: Databases) -> None:
    """One wins, the others are refused or wait in their order; a hold ends by itself, by its holder, or by a manager."""
    vin = shop.car(shop.trim())
    wanted = (shop.sales, shop.colleague, shop.manager, shop.north_sales)
    answers = at_once(100, lambda n: wanted[n % 4].post(f"/vehicles/{vin}/reserve", {}))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 99
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {"/problems/vin-already-reserved"}
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200) % 4
    holder, others = wanted[winner], [person for person in wanted if person is not wanted[winner]]
    car = shop.stock.get(f"/vehicles/{vin}").json()
    until_then = datetime.fromisoformat(car["reserved_until"]) - datetime.now(UTC)
    assert (car["status"], car["reserved_by"]) == ("reserved", _id(shop, holder))
    assert timedelta(hours=23, minutes=50) < until_then <= timedelta(hours=24)
    for person in others:
        person.did(f"/vehicles/{vin}/reserve", {"queue": True})
    assert shop.stock.get(f"/vehicles/{vin}").json()["waiting"] == 3
    if holder is not shop.manager:
        holder.did(f"/vehicles/{vin}/release", {})
    else:
        holder.did(f"/vehicles/{vin}/release", {})
    second = shop.stock.get(f"/vehicles/{vin}").json()
    assert (second["reserved_by"], second["waiting"]) == (_id(shop, others[0]), 2)
    assert databases.hasten("inventory", f"stay-{car['stay_id']}", "hold/") == 1
    until(lambda: shop.stock.get(f"/vehicles/{vin}").json()["reserved_by"] == _id(shop, others[1]))
    stranger = next(person for person in (shop.colleague, shop.sales, shop.north_sales) if person is not others[1])
    assert_refused(
        stranger.post(f"/vehicles/{vin}/release", {"request_id": shop.stock.get(f"/vehicles/{vin}").json()["request_id"]}), 403, "not-yours"
    )
    shop.manager.did(f"/vehicles/{vin}/release", {})
    shop.manager.did(f"/vehicles/{vin}/release", {})
    assert shop.stock.get(f"/vehicles/{vin}").json()["status"] == "in-stock"
    told = databases.rows("inventory", "select type from events where stream = %s order by version", f"stay-{car['stay_id']}")
    assert [row["type"] for row in told].count("ReservationExpired") == 1


def _id(shop: Shop, person: Person) -> str:
    return shop.values[next(login for login, one in shop.people.items() if one is person)]


@pytest.mark.touches("INV-06")
def test_a_transfer_takes_the_reservation_along_and_is_not_done_twice(shop: Shop) -> None:
    trim = shop.trim()
    vin = shop.car(trim, "north")
    order = shop.approved(trim, vin)
    transfer = shop.stock.did("/transfers", {"vin": vin, "to_store": shop.values["south"], "order_id": order})
    again = shop.stock.post("/transfers", {"vin": vin, "to_store": shop.values["south"]})
    assert_refused(again, 409, "already-in-transfer")
    assert shop.manager.post(f"/transfers/{transfer}/approve").status_code == 403
    shop.north_manager.did(f"/transfers/{transfer}/approve")
    answers = at_once(5, lambda _: shop.north_stock.post(f"/transfers/{transfer}/dispatch", {"carrier": "Swift"}))
    assert {answer.status_code for answer in answers} <= {200, 409}
    shop.stock.eventually(f"/transfers/{transfer}", status="dispatched")
    assert shop.stock.get(f"/vehicles/{vin}").json()["status"] == "in-transit"
    shop.stock.did(f"/transfers/{transfer}/receive", {"vin": vin, "transport": cny("700.00")})
    until(lambda: shop.stock.get(f"/vehicles/{vin}").json()["store_id"] == shop.values["south"])
    car = shop.stock.get(f"/vehicles/{vin}").json()
    assert (car["status"], car["reserved_for"], car["book_cost"]) == ("reserved", order, cny("150700.00"))
    inter = shop.stock.post("/transfers", {"vin": vin, "to_store": shop.values.get("elsewhere") or shop.values["south"]})
    assert inter.status_code in (409, 422)


@pytest.mark.feature("INV-07")
def test_the_cars_book_cost_is_the_ledgers_stock_account(shop: Shop) -> None:
    """After every step of many cars' ways, in stock and in transit, both stores: the sum of the cars is the ledger to the cent."""
    trim, entity = shop.trim(), shop.values["entity"]
    assert _stock(shop) == _ledger(shop, entity)
    parts: dict[str, Any] = {
        "rebate": cny("3000.00"),
        "freight": cny("1200.00"),
        "preparation": cny("333.33"),
        "input_vat": cny("19500.00"),
    }
    cars = [shop.car(trim, cost="150000.11", **parts), shop.car(trim, "north"), shop.car(trim, "north"), shop.car(trim)]
    assert shop.stock.get(f"/vehicles/{cars[0]}").json()["book_cost"] == cny("148533.44")
    _agree(shop, entity)
    answers = at_once(10, lambda n: shop.stock.post(f"/vehicles/{cars[n % 2 * 3]}/costs", _cost("freight", f"{n + 1}.0{n}")))
    assert {answer.status_code for answer in answers} == {200}
    shop.stock.did(f"/vehicles/{cars[0]}/costs", _cost("rebate", "-100.01"))
    _agree(shop, entity)
    transfer = shop.stock.did("/transfers", {"vin": cars[1], "to_store": shop.values["south"]})
    shop.north_manager.did(f"/transfers/{transfer}/approve")
    shop.north_stock.did(f"/transfers/{transfer}/dispatch", {"carrier": "Swift"})
    shop.stock.eventually(f"/transfers/{transfer}", status="dispatched")
    _agree(shop, entity)
    shop.stock.did(f"/transfers/{transfer}/receive", {"vin": cars[1], "transport": cny("650.05")})
    _agree(shop, entity)
    stay = shop.stock.get(f"/vehicles/{cars[3]}").json()["stay_id"]
    shop.delivered(trim, cars[3])
    shop.stock.eventually(f"/stays/{stay}", status="sold")
    shop.stock.did(f"/stays/{stay}/costs", _cost("freight", "88.88"))
    _agree(shop, entity)


def _cost(kind: str, amount: str) -> dict[str, Any]:
    return {"kind": kind, "supplier": "Swift", "amount": cny(amount)}


def _agree(shop: Shop, entity: str) -> None:
    until(lambda: _stock(shop) == _ledger(shop, entity))


def _stock(shop: Shop) -> int:
    """What inventory says the cars of the legal entity cost, seen by those who may see each store's cost."""
    seen = {row["stay_id"]: row for who in (shop.stock, shop.north_stock) for row in every(who, "/vehicles") if "book_cost" in row}
    return sum(minor(row["book_cost"]) for row in seen.values())


def _ledger(shop: Shop, entity: str) -> int:
    """1405 and, on the way between stores, 1402."""
    rows = shop.owner.get("/ledger/trial-balance", entity_id=entity).json()["items"]
    return sum(minor(row["balance"]) for row in rows if row["account"] in ("1405", "1402"))
