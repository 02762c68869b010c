"""What leads tells: a person's interest from the first touch to a won or lost opportunity."""

from datetime import datetime
from typing import Annotated

from shared.contracts import published
from shared.values.personal import Personal


@published("leads.LeadCaptured")
class LeadCaptured:
    lead_id: str
    person_id: str
    store_id: str | None
    """None while the lead waits in the unassigned queue of no store."""
    entity_id: str | None
    brand: str
    series: str
    channel: str
    campaign_id: str | None
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    email: Annotated[str, Personal]


@published("leads.LeadPlaced")
class LeadPlaced:
    """A lead of no store is given to one, with all its new store was not told when it was captured."""

    lead_id: str
    person_id: str
    store_id: str
    entity_id: str
    brand: str
    series: str
    channel: str
    campaign_id: str | None
    grade: str
    captured_at: datetime


@published("leads.LeadTouched")
class LeadTouched:
    lead_id: str
    person_id: str
    channel: str
    campaign_id: str | None


@published("leads.LeadGraded")
class LeadGraded:
    lead_id: str
    grade: str
    rule: str


@published("leads.LeadAssigned")
class LeadAssigned:
    lead_id: str
    person_id: str
    seller_id: str
    contact_due_at: datetime


@published("leads.LeadContacted")
class LeadContacted:
    """The first contact with a lead."""

    lead_id: str
    seller_id: str
    due_at: datetime
    within_sla: bool


@published("leads.ContactOverdue")
class ContactOverdue:
    lead_id: str
    seller_id: str
    due_at: datetime


@published("leads.FollowUpRecorded")
class FollowUpRecorded:
    follow_up_id: str
    lead_id: str | None
    opportunity_id: str | None
    person_id: str
    seller_id: str
    kind: str
    text: Annotated[str, Personal]
    next_at: datetime | None


@published("leads.LeadConverted")
class LeadConverted:
    lead_id: str
    opportunity_id: str
    person_id: str
    store_id: str
    entity_id: str
    seller_id: str
    campaign_id: str | None
    channel: str
    brand: str
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    email: Annotated[str, Personal]


@published("leads.LeadDisqualified")
class LeadDisqualified:
    lead_id: str
    person_id: str
    reason: str


@published("leads.OpportunityOpened")
class OpportunityOpened:
    opportunity_id: str
    lead_id: str | None
    person_id: str
    store_id: str
    entity_id: str
    seller_id: str
    campaign_id: str | None
    channel: str
    brand: str
    series: str


@published("leads.OpportunityAdvanced")
class OpportunityAdvanced:
    opportunity_id: str
    person_id: str
    stage_from: str
    stage_to: str


@published("leads.OpportunityWon")
class OpportunityWon:
    opportunity_id: str
    person_id: str
    order_id: str


@published("leads.OpportunityLost")
class OpportunityLost:
    opportunity_id: str
    person_id: str
    reason: str
    competitor: str | None


@published("leads.TestDriveBooked")
class TestDriveBooked:
    test_drive_id: str
    opportunity_id: str
    person_id: str
    vin: str
    specialist_id: str
    starts_at: datetime
    ends_at: datetime


@published("leads.TestDriveFinished")
class TestDriveFinished:
    test_drive_id: str
    opportunity_id: str
    person_id: str
    vin: str
    kilometres: int
