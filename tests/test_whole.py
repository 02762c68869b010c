"""What must agree across services: the gateway's table of routes, permissions and roles, and words that one lists and another judges by."""

import re
from importlib import import_module
from typing import get_args

import pytest

from services.gateway.domain.roles import PERMISSIONS
from services.gateway.routes import CONTEXTS, OWNERS
from services.inventory.domain import trim
from services.orders.api import rules
from services.orders.domain.rules import TAX_RULES
from shared.service import Service
from shared.testing.platform import ROOT
from shared.web.route import CommandRoute

SERVICES: dict[str, Service] = {name: import_module(f"services.{name}.app").service for name in CONTEXTS}
ROUTES = [(name, route) for name, service in SERVICES.items() for router in service.routers for route in router.routes]


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_gateway_knows_every_route(context: str) -> None:
    segments = {route.path.split("/")[1] for name, route in ROUTES if name == context and isinstance(route, CommandRoute)}
    owned = {segment for segment, owner in OWNERS.items() if owner == context} - {"events", "openapi.json"}
    assert segments == owned


def test_every_permission_a_route_asks_for_is_some_roles() -> None:
    given = frozenset().union(*PERMISSIONS.values())
    asked = {
        permission: f"{route.verb} {route.path}"
        for _, route in ROUTES
        if isinstance(route, CommandRoute)
        for permission in route.needed.permissions
    }
    assert {permission: where for permission, where in asked.items() if permission not in given} == {}


def test_tax_relief_is_written_in_the_catalogues_words() -> None:
    catalogued = get_args(trim.Powertrain.__value__)
    assert get_args(rules.Powertrain.__value__) == catalogued
    relieved = {word for law in TAX_RULES for word in law.relieved}
    assert relieved == {"electric", "plug-in-hybrid", "range-extender", "hydrogen"}
    assert relieved < set(catalogued)


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_query_names_the_version_of_a_view(context: str) -> None:
    """`{table.sql_name}` does: a query with `orders_1` in it would go on reading the old table once there is a new version."""
    named = re.compile(rf"\b({'|'.join(table.name for table in SERVICES[context].all_tables())})_[0-9]+\b")
    files = [file for file in (ROOT / "services" / context).rglob("*.py") if "tests" not in file.relative_to(ROOT).parts]
    assert len(files) > 3
    assert [f"{file.name}: {found[0]}" for file in files for found in named.finditer(file.read_text())] == []
