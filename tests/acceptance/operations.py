"""Every route of every service, read from their code, each with a request that its own documentation calls valid."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import httpx2
from pydantic import ValidationError

from services.gateway.routes import CONTEXTS
from shared.testing.platform import Person
from shared.values.ids import new_id
from shared.web.body import MoneyRule
from shared.web.openapi import example
from shared.web.route import CommandRoute

VIN = "LSVAA49J9R2999990"
_VALUES = {"vin": VIN, "month": "2026-03", "entry_id": "journal-0192f3a4-5b6c-7d8e-9f01-23456789abcd.1"}
MONEY = MoneyRule().__get_pydantic_json_schema__({"type": "any"}, None)["required"]  # type: ignore[arg-type]


@dataclass(frozen=True)
class Operation:
    """A route as a stranger sees it."""

    context: str
    route: CommandRoute

    @property
    def method(self) -> str:
        return str(self.route.verb)

    @property
    def template(self) -> str:
        """The path with its parameters' names, such as `/orders/{order_id}/approve`."""
        return self.route.path

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the path."""
        return tuple(parameter.name for parameter in self.route.plan.path)

    @property
    def takes_json(self) -> bool:
        """Whether it wants a JSON body."""
        return self.route.plan.body is not None and self.route.plan.raw is None

    def path(self, **values: str) -> str:
        """The address under /api/v1 with these values; what is not given names nothing that exists."""
        filled = {name: values.get(name) or _VALUES.get(name) or new_id() for name in self.parameters}
        return self.template.format(**filled)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its body."""
        made: dict[str, Any] = self.route.plan._adapter.json_schema()
        return made

    def body(self) -> Any:
        """The example of its documentation."""
        return deepcopy(example(self.schema, self.schema.get("$defs", {}))) if self.takes_json else None

    def accepts(self, body: Any) -> bool:
        """Whether its form allows a body."""
        try:
            self.route.plan._adapter.validate_json(json.dumps(body))
        except ValidationError:
            return False
        return True

    def with_value(self, place: tuple[str | int, ...], value: Any) -> Any:
        """The example with something else at one place."""
        body = self.body()
        if not place:
            return value
        inner = body
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
        return body

    def places(self) -> Iterator[tuple[str | int, ...]]:
        """Where the example has a value."""
        yield from _places(self.body(), ())

    def amounts(self) -> Iterator[tuple[str | int, ...]]:
        """Where the example has money."""
        yield from (place[:-1] for place in self.places() if place[-1] == "amount" and _is_money(self.body(), place[:-1]))


def _places(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*at, step)
        yield from _places(inner, (*at, step))


def _is_money(body: Any, place: tuple[str | int, ...]) -> bool:
    for step in place:
        body = body[step]
    return isinstance(body, dict) and sorted(body) == sorted(MONEY)


OPERATIONS = tuple(
    Operation(context, route)
    for context in ("gateway", *(name for name in CONTEXTS if name != "gateway"))
    for router in import_module(f"services.{context}.app").service.routers
    for route in router.routes
)
POSTS = tuple(operation for operation in OPERATIONS if operation.method == "POST")
JSON_POSTS = tuple(operation for operation in POSTS if operation.takes_json)
GETS = tuple(operation for operation in OPERATIONS if operation.method == "GET")
LISTS = tuple(operation for operation in GETS if operation.route.plan.paging)


def operation(name: str) -> Operation:
    """The operation of that name, such as `POST /orders`."""
    return next(one for one in OPERATIONS if one.name == name)


GROUPS_RULES = frozenset({"/sales-rules", "/tax-rules", "/leads/grading-rules", "/authorities"})
"""What changes the whole group's rules when it is accepted."""
NEEDED: dict[str, dict[str, str]] = {
    "/reports/funnel/leads": {"stage": "captured"},
    "/appointments/slots": {"day": "2027-03-01"},
    "/trims/{trim_id}/price": {"day": "2027-03-01"},
}
"""What a read cannot do without."""


def asked(person: Person, one: Operation, **ids: str) -> httpx2.Response:
    """The route with its documented body, its key and any version."""
    headers = {"idempotency-key": new_id(), "if-match": "*"}
    if one.method == "GET":
        return person.http.get(one.path(**ids), params=NEEDED.get(one.template, {}))
    body = one.body()
    if isinstance(body, dict) and "store_id" in body:
        body |= {"store_id": _home(person)}
    return person.http.post(one.path(**ids), json=body, headers=headers)


def _home(person: Person) -> str:
    """The first of his stores; for a stranger any."""
    me = person.http.get("/auth/me")
    return str(me.json()["store_ids"][0]) if me.status_code == 200 else new_id()
