"""The demo group and the console: made by commands, made once, and shown under the gateway's security headers."""

import asyncio
import re
from typing import Any

import pytest

from deploy.demo import load
from deploy.demo.catalogue import TRIMS
from deploy.demo.people import ENTITIES, PEOPLE, STORES
from deploy.demo.plan import make_plan
from services.gateway.door import CONSOLE
from shared.testing.platform import PASSWORD, Person, Platform
from shared.values.phone import normalise
from shared.values.vin import check_digit_ok

SCALE = 0.3
"""Fewer leads and orders than `make demo` loads; everything else as it is."""
LISTS = {
    "leads": "lead_id",
    "opportunities": "opportunity_id",
    "orders": "order_id",
    "transfers": "transfer_id",
    "test-drives": "test_drive_id",
}


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Person:
    platform.administrator()
    asyncio.run(load(platform.url, PASSWORD, SCALE))
    return platform.person("owner")


def every(person: Person, path: str, **params: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = person.get(path, limit=200, **params, **({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return found


def ours(owner: Person) -> set[str]:
    return {store["store_id"] for store in every(owner, "/stores") if store["code"] in {place.code for place in STORES}}


def versions(owner: Person) -> dict[str, dict[str, int]]:
    """What the demo stores have, each with its version."""
    stores = ours(owner)
    found = {
        path: {row[id]: row["version"] for row in every(owner, f"/{path}") if row.get("store_id", row.get("to_store")) in stores}
        for path, id in LISTS.items()
    }
    cars = [*every(owner, "/vehicles"), *every(owner, "/vehicles", status="sold")]
    people = {user["staff_id"]: user["version"] for user in every(owner, "/users") if user["username"] in {one.login for one in PEOPLE}}
    return {**found, "cars": {car["stay_id"]: car["version"] for car in cars if car["store_id"] in stores}, "people": people}


def test_a_whole_plan_is_a_small_group_with_some_hundred_leads() -> None:
    plan = make_plan()
    assert (len(ENTITIES), len(STORES), len(TRIMS), len(plan.cars)) == (2, 3, 60, 80)
    assert len(PEOPLE) >= 12
    assert len(plan.prospects) >= 200
    assert sum(prospect.outcome == "delivered" for prospect in plan.prospects) == 25
    assert all(normalise(prospect.phone, "CN").e164 for prospect in plan.prospects)
    assert all(check_digit_ok(car.vin) for car in plan.cars)
    assert len({car.vin for car in plan.cars}) == len(plan.cars)
    assert len({prospect.phone for prospect in plan.prospects}) == len(plan.prospects)


def test_the_demo_group_is_there(owner: Person) -> None:
    made, plan = versions(owner), make_plan(SCALE)
    taxed = {entity.tax_number for entity in ENTITIES}
    assert len([entity for entity in every(owner, "/legal-entities") if entity["tax_number"] in taxed]) == 2
    assert len(ours(owner)) == 3
    assert len(made["people"]) == len(PEOPLE) >= 12
    assert {trim.key for trim in TRIMS} <= {f"{t['brand']} {t['series']} {t['model_year']} {t['name']}" for t in every(owner, "/trims")}
    assert (len(made["cars"]), len(made["leads"])) == (80, len(plan.prospects))
    stages = [order["stage"] for order in every(owner, "/orders") if order["order_id"] in made["orders"]]
    assert stages.count("delivered") == sum(prospect.outcome == "delivered" for prospect in plan.prospects) > 0
    assert {transfer["status"] for transfer in every(owner, "/transfers") if transfer["transfer_id"] in made["transfers"]} == {
        "received",
        "dispatched",
    }


def test_everybody_logs_in_without_changing_the_password_again(owner: Person, platform: Platform) -> None:
    for login in ("manager", "sales", "stock", "finance", "service"):
        assert platform.person(login).tokens["must_change_password"] is False


def test_a_second_load_changes_nothing(owner: Person, platform: Platform) -> None:
    before = versions(owner)
    asyncio.run(load(platform.url, PASSWORD, SCALE))
    assert versions(owner) == before


@pytest.mark.parametrize("name", ["", *sorted(path.name for path in CONSOLE.iterdir())])
def test_the_console_is_served_under_its_policy(platform: Platform, name: str) -> None:
    answer = Person(platform.url).http.get(f"{platform.url}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "html" in answer.headers["content-type"]:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)
