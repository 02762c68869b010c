"""What is asked: cases drawn from the document, some of them pointed at things that exist."""

import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from shared.testing.documented import document

LEFT_OUT = frozenset({"/api/v1/events", "/api/v1/auth/password"})
"""A stream that does not end, and what counts wrong passwords until nobody can log in from this address."""
POINTED = 0.6
"""How often an id is one that exists, a key is new and a version is any."""

type Request = dict[str, Any]


def operations() -> list[Any]:
    """Every operation of the merged document, as schemathesis knows it."""
    schema = schemathesis.openapi.from_dict(document())
    found: list[Any] = [each_.ok() for each_ in schema.get_all_operations() if isinstance(each_, Ok)]
    return [operation for operation in found if operation.path not in LEFT_OUT]


def each(operation: Any, number: int, start: int, ask: Callable[[Any], None]) -> None:
    """Calls `ask` with `number` cases of an operation: half of them as documented, half not."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seed(start)
        @settings(
            max_examples=max(1, number // 2),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def drawn(case: Any) -> None:
            ask(case)

        try:
            drawn()
        except Unsatisfiable:  # where everything is as documented, nothing can be otherwise
            continue


def request_of(case: Any, url: str, known: dict[str, str], chance: random.Random) -> Request:
    """A case as a request, pointed at what exists now and then."""
    for name in case.path_parameters or {}:
        if name in known and chance.random() < POINTED:
            case.path_parameters[name] = known[name]
    case.body = pointed(case.body, known, chance)
    if isinstance(case.query, dict):
        case.query = pointed(case.query, known, chance)
    made: Request = case.as_transport_kwargs(base_url=url)
    headers = dict(made.get("headers") or {})
    if chance.random() < POINTED:
        headers["Idempotency-Key"] = str(UUID(int=chance.getrandbits(128)))
    if chance.random() < POINTED:
        headers["If-Match"] = "*"
    if chance.random() < POINTED:
        headers.pop("Forecourt-Seen", None)
    return {**made, "headers": headers}


def pointed(value: Any, known: dict[str, str], chance: random.Random) -> Any:
    """The value with ids that exist in some of the places where ids belong."""
    if isinstance(value, dict):
        return {name: _one(name, part, known, chance) for name, part in value.items()}
    return [pointed(part, known, chance) for part in value] if isinstance(value, list) else value


def _one(name: str, part: Any, known: dict[str, str], chance: random.Random) -> Any:
    if name in known and isinstance(part, str) and chance.random() < POINTED:
        return known[name]
    return pointed(part, known, chance)


def shares(number: int, operations: list[Any]) -> Iterator[tuple[Any, int]]:
    """Each operation with its share of the requests."""
    most, left = divmod(number, len(operations))
    for at, operation in enumerate(operations):
        yield operation, max(2, most + (at < left))
