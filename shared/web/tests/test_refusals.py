"""What an operation can refuse is read from its code, as far as its command can come, and no further."""

from datetime import datetime
from typing import Any

import pytest

from shared.decider import Claim, Decider, Rejected, Take, message
from shared.deciding import NotFound
from shared.handling import Done
from shared.web import refusals as read
from shared.web.body import Id
from shared.web.call import Call
from shared.web.problems import Problem
from shared.web.route import CommandRoute, needs, public


@message
class Open:
    at: datetime


@message
class Close:
    at: datetime


@message
class Opened:
    key: str


@message
class Closed: ...


def decide(command: Open | Close, state: bool) -> list[Opened | Closed]:
    match command, state:
        case Open(), False:
            return [Opened(key=checked(command))]
        case Close(), True:
            return closing(command)
        case _:
            raise Rejected("illegal-transition", "Not now.")


def checked(command: Open) -> str:
    if command.at.year < 2000:
        raise Rejected("in-the-past" if command.at.year else "in-the-future", "Too long ago.")
    return "x"


def closing(command: Close) -> list[Opened | Closed]:
    raise Rejected("period-closed", str(command.at))


def evolve(state: bool, event: Opened | Closed) -> bool:
    return isinstance(event, Opened)


def claims(event: Opened | Closed) -> list[Claim]:
    match event:
        case Opened(key=key):
            return [Take(kind="key", key=key, problem="already-exists", reason="It is.")]
        case Closed():
            return [Take(kind="end", key="", problem="already-sold", reason="It is.")]


decider = Decider(False, decide, evolve, claims)


@pytest.fixture(autouse=True)
def _these_are_a_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_ours", lambda function: function.__module__ == __name__)


def of(path: str, endpoint: Any, method: str = "POST", **options: Any) -> set[str]:
    return set(read.refusals(CommandRoute(path, endpoint, methods=[method], **{"openapi_extra": needs("x.do"), **options}), [decider]))


async def open_one(thing_id: Id, call: Call) -> Done:
    def command(n: int) -> Open:
        return Open(at=call.at)

    return await call.handle("thing", thing_id, command)


async def close_one(thing_id: Id, call: Call) -> Done:
    if call.key is None:
        raise Problem("forbidden" if thing_id else "four-eyes")
    return await call.handle("thing", thing_id, Close(at=call.at))


async def read_one(call: Call) -> dict[str, Any]:
    return await call.need("select")


async def nobody() -> dict[str, Any]:
    raise NotFound


def test_only_what_its_command_can_lead_to() -> None:
    opened, closed = of("/things/{thing_id}/open", open_one), of("/things/{thing_id}/close", close_one)
    assert opened - closed == {"in-the-past", "in-the-future", "already-exists"}
    assert closed - opened == {"period-closed", "four-eyes"}
    assert {"illegal-transition", "version-required", "version-conflict", "not-found", "forbidden"} <= opened & closed
    assert "already-sold" not in opened | closed, "nothing was closed: closing always refuses"


def test_what_a_read_does_not_find() -> None:
    assert "not-found" in of("/things", read_one, "GET") & of("/nobody", nobody, "GET")
    assert not {"version-conflict", "malformed-json", "not-yet-seen", "illegal-transition"} & of("/things", read_one, "GET")


def test_a_public_read_asks_nobody_who_he_is() -> None:
    assert not {"unauthenticated", "forbidden", "not-found"} & of("/open", endpoint_of_nobody, "GET", openapi_extra=public())


async def endpoint_of_nobody() -> list[str]:
    return []
