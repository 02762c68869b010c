"""What is said to a lead and what it remembers. Personal fields hold tokens, identities are blind indexes."""

from datetime import datetime
from typing import Annotated

from services.leads.domain.assignment import Candidate, Considered
from services.leads.domain.grading import STANDARD, Grading, Interest
from shared.decider import message
from shared.values.personal import Personal


@message
class Deadline:
    """When a contact is due, and when its owner is reminded of it."""

    remind_at: datetime
    due_at: datetime


# Commands


@message
class CaptureLead:
    """`identity` is the blind index of phone, e-mail or WeChat id, whichever is known first; None: nothing to match by."""

    lead_id: str
    person_id: str
    store_id: str | None
    entity_id: str | None
    brand: str
    series: str
    channel: str
    campaign_id: str | None = None
    source: str = ""
    consent: str = ""
    interest: Interest
    identity: str | None
    phone_valid: bool
    name: str
    phone: str
    email: str
    wechat: str = ""
    comments: str = ""
    grading: Grading = STANDARD
    at: datetime


@message
class TouchLead:
    """The same person again: what the new touch brings is added, the owner stays."""

    channel: str
    campaign_id: str | None = None
    source: str = ""
    consent: str = ""
    interest: Interest | None = None
    comments: str = ""
    grading: Grading = STANDARD
    at: datetime


@message
class GradeLead:
    """Facts changed, or the rules did."""

    interest: Interest
    grading: Grading = STANDARD
    at: datetime


@message
class PlaceLead:
    """A lead of no store is given to one."""

    store_id: str
    entity_id: str
    by: str
    at: datetime


@message
class RouteLead:
    """The timer's wish that a lead be assigned; the edge turns it into AssignByRule with the candidates of that moment."""

    lead_id: str
    at: datetime


@message
class AssignByRule:
    """`relationship` is the seller who already knows the person; `retry_at` is when somebody may be eligible again."""

    candidates: tuple[Candidate, ...]
    relationship: str | None
    deadline: Deadline
    retry_at: datetime | None
    at: datetime


@message
class AssignLead:
    """A manager decides: shift, absence and product line do not bind him, store and capacity do."""

    seller: Candidate
    by: str
    reason: str
    deadline: Deadline
    at: datetime


@message
class RemindContact:
    contact: str
    due_at: datetime
    at: datetime


@message
class EscalateContact:
    contact: str
    due_at: datetime
    at: datetime


@message
class RecordFollowUp:
    """`second` is the deadline of the second contact, in case this is the first."""

    follow_up_id: str
    by: str
    manager: bool = False
    kind: str
    text: str
    doubts: tuple[str, ...] = ()
    plan: str = ""
    next_at: datetime | None = None
    second: Deadline
    at: datetime


@message
class RemindFollowUp:
    next_at: datetime
    at: datetime


@message
class ConvertLead:
    opportunity_id: str
    by: str
    manager: bool = False
    at: datetime


@message
class DisqualifyLead:
    reason: str
    note: str = ""
    remine_at: datetime | None = None
    by: str
    manager: bool = False
    at: datetime


@message
class RemineLead:
    at: datetime


# Events


@message
class LeadCaptured:
    lead_id: str
    person_id: str
    store_id: str | None
    entity_id: str | None
    brand: str
    series: str
    channel: str
    campaign_id: str | None
    source: str
    consent: str
    interest: Interest
    identity: str | None
    phone_valid: bool
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    email: Annotated[str, Personal]
    wechat: Annotated[str, Personal]
    comments: Annotated[str, Personal]
    captured_at: datetime


@message
class LeadTouched:
    channel: str
    campaign_id: str | None
    source: str
    consent: str
    comments: Annotated[str, Personal]


@message
class InterestStated:
    interest: Interest


@message
class LeadGraded:
    grade: str
    rule: str
    rule_version: int
    reason: str


@message
class LeadPlaced:
    lead_id: str
    store_id: str
    entity_id: str
    brand: str
    identity: str | None
    by: str
    placed_at: datetime


@message
class LeadAssigned:
    """`by` is a staff id, or `rule`; `considered` is the whole explanation."""

    seller_id: str
    previous_seller: str | None
    capacity: int
    by: str
    reason: str
    rule: str
    rule_version: int
    considered: tuple[Considered, ...]
    deadline: Deadline


@message
class LeadQueued:
    """Nobody is eligible: the lead waits where managers see it, with the reason against each candidate."""

    lead_id: str
    reason: str
    rule: str
    rule_version: int
    considered: tuple[Considered, ...]
    retry_at: datetime | None


@message
class ContactReminded:
    contact: str
    seller_id: str
    due_at: datetime


@message
class ContactOverdue:
    """The deadline passed without a contact; the role `escalated_to` of the store is told."""

    contact: str
    seller_id: str
    due_at: datetime
    escalated_to: str


@message
class LeadContacted:
    """The first contact."""

    seller_id: str
    kind: str
    due_at: datetime
    within_sla: bool
    second: Deadline


@message
class FollowUpRecorded:
    """`contact` counts the contacts of this lead, from 1."""

    follow_up_id: str
    seller_id: str
    kind: str
    contact: int
    text: Annotated[str, Personal]
    doubts: tuple[str, ...]
    plan: Annotated[str, Personal]
    next_at: datetime | None


@message
class FollowUpReminded:
    seller_id: str
    next_at: datetime


@message
class LeadConverted:
    """Carries what the opportunity opens with; channel and campaign are those of the first touch."""

    lead_id: str
    opportunity_id: str
    person_id: str
    store_id: str
    entity_id: str
    seller_id: str
    campaign_id: str | None
    channel: str
    brand: str
    series: str
    name: Annotated[str, Personal]
    phone: Annotated[str, Personal]
    email: Annotated[str, Personal]
    by: str
    converted_at: datetime


@message
class LeadDisqualified:
    seller_id: str | None
    reason: str
    note: Annotated[str, Personal]
    by: str
    remine_at: datetime | None


@message
class LeadRemined:
    """A disqualified lead is worked again, with its whole history."""

    lead_id: str
    entity_id: str | None
    brand: str
    identity: str | None
    remined_at: datetime


type Command = (
    CaptureLead
    | TouchLead
    | GradeLead
    | PlaceLead
    | AssignByRule
    | AssignLead
    | RemindContact
    | EscalateContact
    | RecordFollowUp
    | RemindFollowUp
    | ConvertLead
    | DisqualifyLead
    | RemineLead
)
type Event = (
    LeadCaptured
    | LeadTouched
    | InterestStated
    | LeadGraded
    | LeadPlaced
    | LeadAssigned
    | LeadQueued
    | ContactReminded
    | ContactOverdue
    | LeadContacted
    | FollowUpRecorded
    | FollowUpReminded
    | LeadConverted
    | LeadDisqualified
    | LeadRemined
)
