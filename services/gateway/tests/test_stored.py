"""Every version of every event ever stored is still read: one golden file each."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.domain.session import SessionEnded, SessionRefreshed
from services.gateway.domain.shift import ShiftCancelled
from services.gateway.domain.user import PasswordChanged, PasswordReset, UserDisabled, UserEnabled
from services.gateway.tests.test_places import granted, opened, planned, registered
from services.gateway.tests.test_session import started
from services.gateway.tests.test_user import assigned, created
from services.gateway.upcasts import stored

GOLDEN = Path(__file__).parent / "stored"
EXAMPLES: list[Any] = [
    created,
    assigned,
    PasswordChanged(password_hash="h2"),
    PasswordReset(password_hash="h3", by="adm"),
    UserDisabled(by="adm"),
    UserEnabled(by="adm"),
    registered,
    opened,
    planned,
    ShiftCancelled(shift_id="h1", staff_id="u1"),
    granted,
    started,
    SessionRefreshed(token_hash="b"),
    SessionEnded(reason="replayed"),
]


def test_every_event_has_a_golden_file_for_each_version() -> None:
    files = {path.stem for path in GOLDEN.glob("*.json")}
    assert files == {f"{name}.v{n}" for name in stored.events for n in range(1, stored.version(name) + 1)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_stored_event_is_read(path: Path) -> None:
    name, _, version = path.stem.partition(".v")
    event = stored.decode(name, int(version), path.read_bytes())
    if int(version) == stored.version(name):
        assert json.loads(stored.encode(event)[2]) == json.loads(path.read_bytes())


def test_examples_cover_every_event_and_are_read_back() -> None:
    assert {type(event) for event in EXAMPLES} == set(stored.events.values())
    for event in EXAMPLES:
        name, version, data = stored.encode(event)
        assert stored.decode(name, version, data) == event
