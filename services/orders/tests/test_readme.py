"""The README names every command, every event and everything that is heard or told."""

import inspect
import re
from pathlib import Path
from typing import get_args

from services.orders import listens, publishes
from services.orders.domain import order, quote, rules
from services.orders.processes import fulfilment
from services.orders.upcasts import stored

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """What stands under a heading."""
    return README.split(f"## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> dict[str, str]:
    """A table's first column and the rest."""
    lines = [line.strip("|").split("|") for line in section(heading).splitlines() if line.startswith("|")][2:]
    return {cells[0].strip(): " ".join(cells[1:]).strip() for cells in lines}


def members(union: object) -> set[type]:
    """The classes of a union, also of unions within it."""
    arms = get_args(getattr(union, "__value__", union))
    return set().union(*(members(arm) for arm in arms)) if arms else {union}  # type: ignore[arg-type]


def words(text: str) -> set[str]:
    """The names of messages in a text."""
    return set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", text))


def test_every_command_and_event_has_its_place() -> None:
    unions = (quote.Command, order.Command, fulfilment.Input, rules.Command)
    table = rows("Commands and their events")
    assert set(table) == {cls.__name__ for union in unions for cls in members(union)}
    assert words(" ".join(table.values())) - set(table) == set(stored.events)


def test_what_is_published_is_told() -> None:
    assert words(section("Publishes")) == set(re.findall(r"public\.(\w+)\(", inspect.getsource(publishes)))


def test_what_is_heard_is_told() -> None:
    table = rows("Listens to")
    heard = set(re.findall(r"case (\w+)\.(\w+)\(", inspect.getsource(listens)))
    assert {(context, word) for context, text in table.items() for word in words(text)} == heard
