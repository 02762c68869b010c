"""One group for all acceptance tests but those that bring their own, and the people attacks come from."""

from collections.abc import Iterator
from typing import get_args

import pytest

from services.gateway.api.people import Role
from shared.testing.group import Group, make_group
from shared.testing.platform import PASSWORD, Person, Platform
from tests.acceptance.databases import Databases
from tests.acceptance.deal import everything
from tests.acceptance.shop import Shop


@pytest.fixture(scope="session")
def group(platform: Platform) -> Group:
    """A legal entity with a south and a north store, and everybody who works there."""
    return make_group(platform)


@pytest.fixture(scope="session")
def shop(group: Group) -> Shop:
    """The steps of that group's day."""
    return Shop(group)


@pytest.fixture(scope="session")
def databases(platform: Platform) -> Databases:
    """The stores behind the services."""
    return Databases(platform)


@pytest.fixture(scope="session")
def everybody(group: Group) -> Person:
    """Has every role in the south store: what he is refused is not refused for want of rights."""
    return hired(group, "everybody", group.values["south"])


@pytest.fixture(scope="session")
def deal(shop: Shop) -> dict[str, str]:
    """One of everything in the south store."""
    return everything(shop)


@pytest.fixture(scope="session")
def foreigner(group: Group) -> Person:
    """Has every role in a store of another legal entity."""
    admin = group.people["admin"]
    entity = admin.did("/legal-entities", {"name": "Elsewhere Motors Ltd", "tax_number": f"91310000MA{group.number:04}XX0"})
    store = admin.did("/stores", {"code": f"E{group.number:02}", "name": "Elsewhere", "entity_id": entity, "region": "east"})
    group.values |= {"elsewhere": store, "elsewhere_entity": entity}
    return hired(group, "foreigner", store)


@pytest.fixture(scope="session")
def sister(group: Group) -> Person:
    """Has every role in the north store, which belongs to the same legal entity."""
    return hired(group, "sister", group.values["north"])


@pytest.fixture
def untouched(databases: Databases, everybody: Person, group: Group) -> Iterator[None]:
    """What the attacker does in this test leaves no event in any store."""
    before = databases.deeds(group.values["everybody"])
    yield
    assert databases.deeds(group.values["everybody"]) == before


def hired(group: Group, login: str, store: str, *roles: str) -> Person:
    """A new colleague, logged in; with every role unless some are named."""
    username = f"{login}{group.number}"
    body = {"username": username, "name": login.title(), "roles": roles or get_args(Role), "store_ids": [store], "password": "First-Pass-1"}
    group.values[login] = group.people["admin"].did("/users", body)
    person = group.platform.person(username, "First-Pass-1")
    assert person.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD}).status_code == 200
    group.people[login] = group.platform.person(username)
    return group.people[login]
