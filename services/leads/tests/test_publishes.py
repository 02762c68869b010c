"""What the other contexts learn of leads, and what stays here."""

from dataclasses import fields, replace
from typing import Any

import pytest

from services.leads.domain.drive import Event as DriveEvent
from services.leads.domain.drive import test_drive as drive
from services.leads.domain.lead import lead
from services.leads.domain.lead import messages as m
from services.leads.domain.opportunity import Event, opportunity
from services.leads.publishes import publish_drive, publish_lead, publish_opportunity
from services.leads.tests import test_drive_booking as d
from services.leads.tests import test_opportunity as o
from services.leads.tests.facts import assigned, captured, contacted, disqualified, followed_up, graded, noon
from services.leads.tests.test_stored import examples
from shared.contracts import leads as public
from shared.events.registry import personal_fields
from shared.values.personal import is_token

history: list[m.Event] = [captured, graded, assigned, contacted, followed_up]
overdue = m.ContactOverdue(contact="first", seller_id="wang", due_at=noon, escalated_to="sales-manager")


def told(event: m.Event) -> list[Any]:
    return publish_lead(event, lead.fold([captured, event]))


def test_a_lead_tells_its_way() -> None:
    assert [type(event) for each in history for event in publish_lead(each, lead.fold(history))] == [
        public.LeadCaptured,
        public.LeadGraded,
        public.LeadAssigned,
        public.LeadContacted,
        public.FollowUpRecorded,
    ]
    assert told(graded) == [public.LeadGraded(lead_id="lead-1", grade="H", rule="buys-within-a-week@1")]
    assert told(assigned) == [
        public.LeadAssigned(lead_id="lead-1", person_id="person-1", seller_id="wang", contact_due_at=assigned.deadline.due_at)
    ]
    assert told(overdue) == [public.ContactOverdue(lead_id="lead-1", seller_id="wang", due_at=noon)]
    assert told(disqualified) == [public.LeadDisqualified(lead_id="lead-1", person_id="person-1", reason="bought-elsewhere")]
    (recorded,) = told(followed_up)
    assert (recorded.lead_id, recorded.opportunity_id, recorded.text) == ("lead-1", None, "~p1.text")


def test_a_placed_lead_tells_its_store_all_of_it() -> None:
    homeless = replace(captured, store_id=None, entity_id=None)
    placed = m.LeadPlaced(
        lead_id="lead-1", store_id="store-1", entity_id="entity-1", brand="Volkswagen", identity="i", by="owner", placed_at=noon
    )
    assert publish_lead(placed, lead.fold([homeless, graded, placed])) == [
        public.LeadPlaced(
            lead_id="lead-1",
            person_id="person-1",
            store_id="store-1",
            entity_id="entity-1",
            brand="Volkswagen",
            series="Lavida",
            channel="website",
            campaign_id="campaign-1",
            grade="H",
            captured_at=captured.captured_at,
        )
    ]


def test_a_second_contact_overdue_stays_here() -> None:
    assert told(replace(overdue, contact="second")) == []


PRIVATE = {"InterestStated", "LeadQueued", "ContactReminded", "FollowUpReminded", "LeadRemined"}


@pytest.mark.parametrize("event", [one for one in examples() if isinstance(one, m.Event.__value__)], ids=lambda one: type(one).__name__)
def test_every_event_of_a_lead_is_either_told_or_private(event: m.Event) -> None:
    assert bool(told(event)) == (type(event).__name__ not in PRIVATE)


def test_an_opportunity_tells_opening_stages_follow_ups_and_its_end() -> None:
    events: list[Event] = [o.opened, o.in_needs, o.followed_up, o.asked, o.lost, o.won]
    published = [publish_opportunity(event, opportunity.fold([o.opened, event])) for event in events]
    assert [type(event) for each in published for event in each] == [
        public.OpportunityOpened,
        public.OpportunityAdvanced,
        public.FollowUpRecorded,
        public.OpportunityLost,
        public.OpportunityWon,
    ]
    assert published[4] == [public.OpportunityLost(opportunity_id="opp-1", person_id="person-1", reason="price", competitor="Toyota")]


def test_a_test_drive_tells_its_booking_and_its_end() -> None:
    events: list[DriveEvent] = [d.booked, d.licence, d.finished, d.cancelled]
    told = [publish_drive(event, drive.fold([d.booked, event])) for event in events]
    assert [type(event) for each in told for event in each] == [public.TestDriveBooked, public.TestDriveFinished]


def test_whatever_is_personal_leaves_as_a_token() -> None:
    public_events: list[Any] = [event for each in history for event in publish_lead(each, lead.fold(history))]
    marked = [(event, name) for event in public_events for name in personal_fields(type(event))]
    assert len(marked) == 4
    assert all(is_token(getattr(event, name)) for event, name in marked)
    texts = [value for event in public_events for one in fields(event) if isinstance(value := getattr(event, one.name), str)]
    assert {text for text in texts if text.startswith("~p1.")} == {"~p1.name", "~p1.phone", "~p1.text"}
