"""Every version of every event ever stored is still read: one golden file each."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.inventory.domain.car import CertificateRedeemed, QueueLeft, ReservationExtended, SaleAwaited
from services.inventory.domain.purchase_order import PurchaseOrderClosed, PurchaseOrderCompleted
from services.inventory.domain.stay import stay
from services.inventory.domain.transfer import DiscrepancyFound, transfer
from services.inventory.processes.allocation import CarUnknown, allocation
from services.inventory.tests import (
    test_allocation,
    test_purchase_order,
    test_stay,
    test_stock_level,
    test_transfer,
    test_trim,
)
from services.inventory.tests.cars import VIN, noon, received
from services.inventory.upcasts import stored
from shared.decider import Decider

GOLDEN = Path(__file__).parent / "stored"


def examples() -> list[Any]:
    """One event of each kind."""
    s, t, p, a, level = test_stay, test_transfer, test_purchase_order, test_allocation, test_stock_level
    return [
        *(test_trim.listed, test_trim.in_north),
        *(p.ordered, p.first, p.differs, PurchaseOrderCompleted(), PurchaseOrderClosed(by="chen", missing=2)),
        *(received, s.promised, s.queued, QueueLeft(request_id="r2")),
        s.denied,
        ReservationExtended(request_id="q1", until=noon),
        *(s.released, s.expired, s.freight_added, CertificateRedeemed(by="chen")),
        *(s.dispatched, s.stuck, s.arrived, SaleAwaited(order_id="o1"), s.sold),
        s.unsold,
        *(t.requested, t.approved, t.leaving, t.left, t.came, t.cancelled),
        DiscrepancyFound(kind="wrong-vin", text="LFV2A2159N3000007", by="sun"),
        *(level.two, level.first, level.left, level.low, level.recovered),
        *(replace(a.asked, earnest=True), CarUnknown(request_id="q1", order_id="o1", vin=VIN), a.withdrawn, a.earnest),
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
    assert {type(event) for event in examples()} == set(stored.events.values())


def test_what_is_written_today_is_read_back() -> None:
    for event in examples():
        name, version, data = stored.encode(event)
        assert stored.decode(name, version, data) == event


def test_the_commands_of_timers_are_read_back() -> None:
    told = [timer.command for event in examples() for timer in timers_of(event)]
    assert {type(command) for command in told} == set(stored.commands.values())
    for command in told:
        name, version, data = stored.encode(command)
        assert stored.decode(name, version, data) == command


def timers_of(event: Any) -> list[Any]:
    """What the event schedules, whichever decider made it; a car under an order also tells its purchase order."""
    deciders: list[Decider[Any, Any, Any]] = [stay, transfer, allocation]
    made = [replace(event, purchase_order_id="p1")] if event is received else [event]
    return [timer for decider in deciders for each in made for timer in decider.timers(each) if hasattr(timer, "command")]
