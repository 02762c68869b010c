"""Whatever is sent to whichever route: a problem of the table or a proper answer, never a 500."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.testing.platform import Person
from shared.values.ids import new_id
from tests.acceptance.operations import GETS, GROUPS_RULES, JSON_POSTS, Operation
from tests.acceptance.refusals import unlike

LONG, MARKED = "x" * 5_000, "Z" + "\u0300" * 40
NAUGHTY: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**63 - 1,
    0.5,
    "",
    " ",
    LONG,
    "\u202eevil",
    MARKED,
    "ＬＳＶ",
    "' or 1=1 --",
    "${7*7}",
    [],
    [[]],
    {"a": 1},
)
VALUES_EACH = 3
GUARDED = frozenset({"/auth/password"})
"""Counts wrong passwords: a few more and nobody could log in from this address."""


def bodies(one: Operation) -> Iterator[Any]:
    """Bodies that are something else, and the documented example with one value after the other replaced."""
    yield from NAUGHTY
    if one.template in GROUPS_RULES:
        return
    for at, place in enumerate(one.places()):
        yield from (one.with_value(place, NAUGHTY[(at * VALUES_EACH + n) % len(NAUGHTY)]) for n in range(VALUES_EACH))


@pytest.mark.parametrize("one", [one for one in JSON_POSTS if one.template not in GUARDED], ids=lambda one: one.name)
def test_no_command_answers_500(everybody: Person, one: Operation) -> None:
    wrong: dict[str, str] = {}
    for value in bodies(one):
        answer = everybody.http.post(one.path(), json=value, headers={"idempotency-key": new_id(), "if-match": "*"})
        if answer.status_code not in (200, 201) and (found := unlike(answer, range(400, 500))):
            wrong[json.dumps(value)[:200]] = found
    assert wrong == {}


@pytest.mark.parametrize("one", [one for one in GETS if one.route.plan.query], ids=lambda one: one.name)
def test_no_read_answers_500(everybody: Person, one: Operation) -> None:
    wrong: dict[str, str] = {}
    for name in one.route.plan.query:
        for value in NAUGHTY[4:13]:
            answer = everybody.http.get(one.path(), params={name: str(value)[:200]})
            if answer.status_code != 200 and (found := unlike(answer, range(400, 500))):
                wrong[f"{name}={value!r}"] = found
    assert wrong == {}
