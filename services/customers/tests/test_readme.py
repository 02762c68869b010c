"""The README names every command, every event and everything that is heard or told."""

import re
from pathlib import Path
from typing import get_args

from services.customers import listens, publishes
from services.customers.domain import customer_messages as m
from services.customers.upcasts import stored

README = (Path(__file__).parents[1] / "README.md").read_text()


def rows(heading: str) -> list[tuple[str, str]]:
    """The two columns of the table under a heading."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| ([\w]+) \| (.+) \|$", section, re.MULTILINE)[1:]


def test_every_command_and_event_is_in_the_table() -> None:
    table = rows("Commands and their events")
    assert {command for command, _ in table} == {command.__name__ for command in get_args(m.Command.__value__)}
    assert {word for _, events in table for word in re.findall(r"\w+", events)} == set(stored.events)


def test_what_is_heard_and_told_is_named() -> None:
    source = Path(listens.__file__).read_text()
    heard = set(re.findall(r"\b(?:leads|orders|inventory|finance|gateway|aftersales)\.([A-Z]\w+)\(", source))
    assert {word for _, events in rows("Listens to") for word in re.findall(r"\w+", events)} == heard
    told = set(re.findall(r"public\.(\w+)\(", Path(publishes.__file__).read_text()))
    assert told <= set(re.findall(r"\w+", README.split("## Publishes\n")[1].split("\n## ")[0]))
