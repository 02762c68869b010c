"""The pages of docs/ that are executed: one car's way, a transfer, a cancellation; and what they leave behind."""

from pathlib import Path

import pytest

from shared.testing.group import Group, make_group
from shared.testing.platform import Platform
from shared.testing.walkthrough import Walkthrough

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def group(platform: Platform) -> Group:
    made = make_group(platform)
    made.values["phone4"] = f"{8000 + made.number:04}"
    return made


@pytest.fixture(scope="module")
def walk(group: Group) -> Walkthrough:
    return Walkthrough(group.platform, group.people, dict(group.values))


def test_one_car_from_lead_to_profit(walk: Walkthrough) -> None:
    assert walk.run(DOCS / "walkthrough.md") > 60


def test_a_transfer(walk: Walkthrough) -> None:
    assert walk.run(DOCS / "transfer.md") > 10


def test_an_order_cancelled_half_way_leaves_the_ledger_at_zero(walk: Walkthrough, group: Group) -> None:
    assert walk.run(DOCS / "cancellation.md") > 10
    entries = group.people["owner"].get("/ledger/entries", order_id=walk.values["half"], limit=200).json()["items"]
    sums: dict[str, int] = {}
    for line in (line for entry in entries for line in entry["lines"]):
        sums[line["account"]] = sums.get(line["account"], 0) + int(line["amount"]["amount"].replace(".", ""))
    assert len(entries) >= 2
    assert set(sums.values()) == {0}


def test_a_report_as_of_before_and_after_differs(walk: Walkthrough, group: Group) -> None:
    owner, south = group.people["owner"], walk.values["south"]
    events = owner.get("/reports/events", order_id=walk.values["order"], limit=200).json()["items"]
    (recognised,) = [event for event in events if event["type"] == "finance.SaleRecognised.v1"]
    before = owner.get("/reports/profit", store_id=south, as_of=recognised["recorded_at"]).json()
    after = owner.get("/reports/profit", store_id=south).json()
    assert before["lines"] == []
    assert [line["vin"] for line in after["lines"]] == [walk.values["vin1"]]
