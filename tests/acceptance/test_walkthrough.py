"""docs/walkthrough.md, executed."""

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
