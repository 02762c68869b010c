"""Every version of every event ever stored is still read: one golden file each."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.aftersales.domain.car import car
from services.aftersales.domain.work_order_messages import WorkOrderOpened
from services.aftersales.tests import test_appointment, test_bay, test_car, test_complaint, test_work_order
from services.aftersales.upcasts import stored

GOLDEN = Path(__file__).parent / "stored"


def examples() -> list[Any]:
    """One event of each kind."""
    a, b, c, p, w = test_appointment, test_bay, test_car, test_complaint, test_work_order
    made: list[Any] = [
        *(b.opened, b.closed),
        *(c.enrolled, c.resold),
        *car.decide(c.read, car.fold([c.enrolled])),
        *(a.booked, a.awaited, a.moved, a.cancelled, a.arrived, a.missed),
        *w.after(w.open_it, w.add, w.add_filter, w.decline_filter, w.agree, w.check, w.close),
        *w.after(w.open_it, w.cancel),
        *(p.opened, p.assigned, p.progressed, p.escalated, p.resolved, p.rated, p.reopened),
    ]
    return list({type(event): event for event in made}.values())


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
    assert {type(event) for event in examples()} == set(stored.events.values())


def test_what_is_written_today_is_read_back() -> None:
    for event in examples():
        name, version, data = stored.encode(event)
        assert stored.decode(name, version, data) == event


def test_a_timer_s_command_is_read_back() -> None:
    read = test_car.read
    commands = [test_appointment.nothing_free, test_appointment.miss, test_appointment.arrive, read, test_complaint.escalate]
    assert {type(command) for command in commands} == set(stored.commands.values())
    for command in commands:
        name, version, data = stored.encode(command)
        assert stored.decode(name, version, data) == command


def test_a_customer_s_words_in_clear_are_never_stored() -> None:
    (opened,) = test_work_order.after(test_work_order.open_it)
    assert isinstance(opened, WorkOrderOpened)
    with pytest.raises(ValueError, match="must be sealed"):
        stored.encode(type(opened)(**(vars(opened) | {"concern": "it squeaks"})))
