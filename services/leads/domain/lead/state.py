"""What is known of a lead after its history."""

from datetime import datetime
from typing import assert_never

from services.leads.domain.grading import Interest
from services.leads.domain.lead import messages as m
from shared.decider import message, replace


@message
class Touch:
    """A contact that brought the lead."""

    channel: str
    campaign_id: str | None


@message
class Absent: ...


@message
class Lead:
    lead_id: str
    person_id: str
    store_id: str | None
    entity_id: str | None
    brand: str
    series: str
    identity: str | None
    name: str
    phone: str
    email: str
    captured_at: datetime
    first_touch: Touch
    last_touch: Touch
    sources: frozenset[str]
    interest: Interest
    graded: tuple[str, str, int] | None = None
    """Grade, rule and rule version."""
    status: str = "open"
    """`open`, `converted` or `disqualified`."""
    seller_id: str | None = None
    former_seller: str | None = None
    queued: m.LeadQueued | None = None
    contact_due_at: datetime | None = None
    contacts: int = 0
    second_due_at: datetime | None = None
    follow_ups: frozenset[str] = frozenset()
    next_at: datetime | None = None
    reminded: frozenset[tuple[str, datetime]] = frozenset()
    escalated: frozenset[tuple[str, datetime]] = frozenset()
    remine_at: datetime | None = None


type State = Absent | Lead


def evolve(state: State, event: m.Event) -> State:
    """The state after one more event."""
    if isinstance(event, m.LeadCaptured):
        return _captured(event)
    assert isinstance(state, Lead)
    match event:
        case m.LeadTouched(channel=channel, campaign_id=campaign, source=source):
            return replace(state, last_touch=Touch(channel=channel, campaign_id=campaign), sources=state.sources | {source})
        case m.InterestStated(interest=interest):
            return replace(state, interest=interest)
        case m.LeadGraded(grade=grade_, rule=rule, rule_version=version):
            return replace(state, graded=(grade_, rule, version))
        case m.LeadPlaced(store_id=store, entity_id=entity):
            return replace(state, store_id=store, entity_id=entity)
        case m.LeadAssigned(seller_id=seller, deadline=deadline):
            return replace(state, seller_id=seller, contact_due_at=deadline.due_at, queued=None)
        case m.LeadQueued():
            return replace(state, queued=event)
        case m.ContactReminded(contact=contact, due_at=due):
            return replace(state, reminded=state.reminded | {(contact, due)})
        case m.ContactOverdue(contact=contact, due_at=due):
            return replace(state, escalated=state.escalated | {(contact, due)})
        case m.LeadContacted(second=second):
            return replace(state, second_due_at=second.due_at)
        case m.FollowUpRecorded(follow_up_id=id, contact=n, next_at=next_at):
            return replace(state, contacts=n, follow_ups=state.follow_ups | {id}, next_at=next_at)
        case m.FollowUpReminded(next_at=next_at):
            return replace(state, reminded=state.reminded | {("next", next_at)})
        case m.LeadConverted():
            return replace(state, status="converted")
        case m.LeadDisqualified(seller_id=seller, remine_at=remine_at):
            return replace(state, status="disqualified", seller_id=None, former_seller=seller, next_at=None, remine_at=remine_at)
        case m.LeadRemined():
            return replace(state, status="open", contacts=0, queued=None, contact_due_at=None, second_due_at=None, remine_at=None)
        case unknown:
            assert_never(unknown)


def _captured(event: m.LeadCaptured) -> Lead:
    touch = Touch(channel=event.channel, campaign_id=event.campaign_id)
    return Lead(
        lead_id=event.lead_id,
        person_id=event.person_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        brand=event.brand,
        series=event.series,
        identity=event.identity,
        name=event.name,
        phone=event.phone,
        email=event.email,
        captured_at=event.captured_at,
        first_touch=touch,
        last_touch=touch,
        sources=frozenset({event.source}),
        interest=event.interest,
    )
