"""The README names every command and every event."""

import re
from pathlib import Path
from typing import get_args

from services.gateway.domain import authority, session, shift, store, user
from services.gateway.upcasts import stored

README = (Path(__file__).parents[1] / "README.md").read_text()
COMMANDS = {command.__name__ for module in (user, session, shift) for command in get_args(module.Command.__value__)} | {
    command.__name__ for command in (store.RegisterLegalEntity, store.OpenStore, authority.GrantAuthority)
}


def test_every_command_and_event_is_in_the_table() -> None:
    table = re.findall(r"^\| (\w+) \| ([\w, ]+) \|$", README, re.MULTILINE)[1:]
    assert {command for command, _ in table} == COMMANDS
    assert {event for _, events in table for event in events.split(", ")} == set(stored.events)
