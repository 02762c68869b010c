"""Every version of every event ever stored is still read: one golden file each."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.customers.domain import customer_messages as m
from services.customers.tests import test_customer as c
from services.customers.upcasts import stored

GOLDEN = Path(__file__).parent / "stored"
EXAMPLES: list[Any] = [
    c.registered,
    m.CustomerNumbered(number="C-BJ1-20260302-001"),
    c.corrected_name,
    m.ContactsIndexed(indexes=c.indexes, entity_id="north", duplicate_of="p0"),
    m.ConsentRecorded(consent=m.Consent(purpose="marketing-sms", given=False, wording="2026-01")),
    c.recorded("order", "so1", True, "order"),
    c.marked,
    c.archived,
    m.CustomerRestored(entity_id="north", phone_index="i1"),
    c.forgotten,
    m.KeysDestroyed(),
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


def test_examples_cover_every_event() -> None:
    assert {type(event) for event in EXAMPLES} == set(stored.events.values())


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_what_is_written_today_is_read_back(event: Any) -> None:
    name, version, data = stored.encode(event)
    assert stored.decode(name, version, data) == event


@pytest.mark.parametrize("field", m.PERSONAL)
def test_nothing_personal_is_stored_in_clear(field: str) -> None:
    clear = m.CustomerCorrected(
        **{field: "in clear"}, changed=(field,), kind=None, channel=None, seller_id=None, preferences=None, indexes=None, entity_id="north"
    )
    with pytest.raises(ValueError, match="sealed"):
        stored.encode(clear)
