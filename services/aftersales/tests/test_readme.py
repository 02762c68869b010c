"""The README names every command, every event and everything that is heard or told."""

import re
from pathlib import Path
from typing import get_args

from services.aftersales import listens, publishes
from services.aftersales.domain import appointment, bay, car, complaint, work_order_messages
from services.aftersales.upcasts import stored

README = (Path(__file__).parents[1] / "README.md").read_text()
COMMANDS = {
    command.__name__ for module in (appointment, bay, car, complaint, work_order_messages) for command in get_args(module.Command.__value__)
}


def rows(heading: str) -> list[tuple[str, str]]:
    """The two columns of the table under a heading."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| ([\w]+) \| (.+) \|$", section, re.MULTILINE)[1:]


def test_every_command_and_event_is_in_the_table() -> None:
    table = rows("Commands and their events")
    assert {command for command, _ in table} == COMMANDS
    named = {word for _, events in table for word in re.findall(r"\w+", events)}
    assert named - {"then", "and"} - COMMANDS == set(stored.events)


def test_what_is_heard_and_told_is_named() -> None:
    heard = set(re.findall(r"(?:orders|customers|gateway)\.(\w+)\(", Path(listens.__file__).read_text()))
    assert {word for _, events in rows("Listens to") for word in re.findall(r"\w+", events)} == heard
    told = set(re.findall(r"public\.(\w+)\(", Path(publishes.__file__).read_text()))
    section = README.split("## Publishes\n")[1].split("\n## ")[0]
    assert told <= set(re.findall(r"\w+", section))
