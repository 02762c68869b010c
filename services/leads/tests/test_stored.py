"""Every version of every event ever stored is still read: one golden file each."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.leads.domain.assignment import Considered
from services.leads.domain.grading import STANDARD, Interest
from services.leads.domain.lead import lead
from services.leads.domain.lead import messages as m
from services.leads.domain.opportunity import LossRefused
from services.leads.domain.rules import GradingSet
from services.leads.domain.vendor import VendorMapped
from services.leads.tests import facts, test_drive_booking, test_opportunity
from services.leads.upcasts import stored
from shared.decider import Schedule
from shared.values.money import Money

GOLDEN = Path(__file__).parent / "stored"


def examples() -> list[Any]:
    """One event of each kind."""
    f, o, d = facts, test_opportunity, test_drive_booking
    considered = (Considered(seller_id="wang", score=100, refused=("not-on-shift",)),)
    converted = m.LeadConverted(
        lead_id="lead-1",
        opportunity_id="opp-1",
        person_id="person-1",
        store_id="store-1",
        entity_id="entity-1",
        seller_id="wang",
        campaign_id="campaign-1",
        channel="website",
        brand="Volkswagen",
        series="Lavida",
        name="~p1.name",
        phone="~p1.phone",
        email="",
        by="wang",
        converted_at=f.noon,
    )
    queued = m.LeadQueued(
        lead_id="lead-1",
        reason="nobody-eligible",
        rule="relationship-then-load",
        rule_version=1,
        considered=considered,
        retry_at=f.noon,
    )
    placed = m.LeadPlaced(
        lead_id="lead-1", store_id="store-1", entity_id="entity-1", brand="Volkswagen", identity="index", by="owner", placed_at=f.noon
    )
    return [
        f.captured,
        m.LeadTouched(channel="auto-show", campaign_id=None, source="show/3", consent="", comments="~p1.more"),
        m.InterestStated(interest=Interest(intent="order", budget=Money(20_000_000), within_days=3)),
        f.graded,
        placed,
        f.assigned,
        queued,
        m.ContactReminded(contact="first", seller_id="wang", due_at=f.noon),
        m.ContactOverdue(contact="first", seller_id="wang", due_at=f.noon, escalated_to="sales-manager"),
        f.contacted,
        f.followed_up,
        m.FollowUpReminded(seller_id="wang", next_at=f.noon),
        converted,
        f.disqualified,
        m.LeadRemined(lead_id="lead-1", entity_id="entity-1", brand="Volkswagen", identity="index", remined_at=f.noon),
        *(o.opened, o.in_needs, o.followed_up, o.asked, o.lost, o.won),
        LossRefused(by="zhao", reason="offer a loan first"),
        *(d.booked, d.licence, d.finished, d.cancelled),
        VendorMapped(vendor="Beijing One", store_id="store-1", region="CN", by="owner"),
        GradingSet(grading=STANDARD, by="owner"),
    ]


def test_examples_cover_every_event() -> None:
    assert {type(event) for event in examples()} == set(stored.events.values())


def test_every_event_has_a_golden_file_for_each_version() -> None:
    files = {path.stem for path in GOLDEN.glob("*.json")}
    assert files == {f"{name}.v{n}" for name in stored.events for n in range(1, stored.version(name) + 1)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_stored_event_is_read(path: Path) -> None:
    name, _, version = path.stem.partition(".v")
    event = stored.decode(name, int(version), path.read_bytes())
    if int(version) == stored.version(name):
        assert json.loads(stored.encode(event)[2]) == json.loads(path.read_bytes())


def test_what_is_written_today_is_read_back() -> None:
    for event in examples():
        name, version, data = stored.encode(event)
        assert stored.decode(name, version, data) == event


def test_whatever_a_timer_keeps_is_read_back() -> None:
    timers = [timer for event in examples() if isinstance(event, m.Event.__value__) for timer in lead.timers(event)]
    kept = [timer.command for timer in timers if isinstance(timer, Schedule)]
    assert {type(command) for command in kept} == set(stored.commands.values())
    for command in kept:
        name, version, data = stored.encode(command)
        assert stored.decode(name, version, data) == command


def test_a_personal_field_in_clear_is_never_stored() -> None:
    with pytest.raises(ValueError, match="must be sealed"):
        stored.encode(m.LeadTouched(channel="phone", campaign_id=None, source="", consent="", comments="call me"))
