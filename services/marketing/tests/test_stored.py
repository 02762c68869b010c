"""Every version of every event ever stored is still read: one golden file each."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.marketing.domain.campaign import CampaignDeclined, RevisePlan
from services.marketing.tests import test_campaign, test_credit
from services.marketing.upcasts import stored

GOLDEN = Path(__file__).parent / "stored"


def examples() -> list[Any]:
    """One event of each kind, made by the deciders."""
    t = test_campaign
    made: list[Any] = [
        *t.after(t.plan_it, RevisePlan(plan=replace(t.plan, goal_leads=80), by="sun", at=t.noon)),
        *t.after(t.plan_it, t.submit, t.approve, t.start, t.spend, t.too_much, t.refuse, t.finish),
        *t.after(t.plan_it, t.cancel),
        CampaignDeclined(reason="too dear", by="zhao"),
        test_credit.credited,
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
    for event in [*examples(), test_campaign.start]:
        name, version, data = stored.encode(event)
        assert stored.decode(name, version, data) == event
