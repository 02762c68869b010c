"""What the other contexts learn of leads, opportunities and test drives."""

from services.leads.domain import drive, opportunity
from services.leads.domain.lead import messages as lead
from services.leads.domain.lead import state as lead_state
from shared.contracts import leads as public


def publish_lead(event: lead.Event, state: lead_state.State) -> list[object]:
    """Capture, placing, touches, grade, owner, contacts and the end; reminders and queues stay private."""
    assert isinstance(state, lead_state.Lead)
    lead_id, person_id = state.lead_id, state.person_id
    match event:
        case lead.LeadCaptured():
            return [_captured(event)]
        case lead.LeadPlaced():
            return [_placed(event, state)]
        case lead.LeadTouched(channel=channel, campaign_id=campaign):
            return [public.LeadTouched(lead_id=lead_id, person_id=person_id, channel=channel, campaign_id=campaign)]
        case lead.LeadGraded(grade=grade, rule=rule, rule_version=version):
            return [public.LeadGraded(lead_id=lead_id, grade=grade, rule=f"{rule}@{version}")]
        case lead.LeadAssigned(seller_id=seller, deadline=deadline):
            return [public.LeadAssigned(lead_id=lead_id, person_id=person_id, seller_id=seller, contact_due_at=deadline.due_at)]
        case lead.LeadContacted(seller_id=seller, due_at=due_at, within_sla=within):
            return [public.LeadContacted(lead_id=lead_id, seller_id=seller, due_at=due_at, within_sla=within)]
        case lead.ContactOverdue(contact="first", seller_id=seller, due_at=due_at):
            return [public.ContactOverdue(lead_id=lead_id, seller_id=seller, due_at=due_at)]
        case lead.FollowUpRecorded():
            return [_followed_up(event, person_id, lead_id=lead_id)]
        case lead.LeadConverted():
            return [_converted(event)]
        case lead.LeadDisqualified(reason=reason):
            return [public.LeadDisqualified(lead_id=lead_id, person_id=person_id, reason=reason)]
        case _:
            return []


def _captured(event: lead.LeadCaptured) -> public.LeadCaptured:
    return public.LeadCaptured(
        lead_id=event.lead_id,
        person_id=event.person_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        brand=event.brand,
        series=event.series,
        channel=event.channel,
        campaign_id=event.campaign_id,
        name=event.name,
        phone=event.phone,
        email=event.email,
    )


def _placed(event: lead.LeadPlaced, state: lead_state.Lead) -> public.LeadPlaced:
    return public.LeadPlaced(
        lead_id=event.lead_id,
        person_id=state.person_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        brand=state.brand,
        series=state.series,
        channel=state.first_touch.channel,
        campaign_id=state.first_touch.campaign_id,
        grade=state.graded[0] if state.graded else "",
        captured_at=state.captured_at,
    )


def _converted(event: lead.LeadConverted) -> public.LeadConverted:
    return public.LeadConverted(
        lead_id=event.lead_id,
        opportunity_id=event.opportunity_id,
        person_id=event.person_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        seller_id=event.seller_id,
        campaign_id=event.campaign_id,
        channel=event.channel,
        brand=event.brand,
        name=event.name,
        phone=event.phone,
        email=event.email,
    )


def _followed_up(
    event: lead.FollowUpRecorded | opportunity.FollowUpRecorded,
    person_id: str,
    *,
    lead_id: str | None = None,
    opportunity_id: str | None = None,
) -> public.FollowUpRecorded:
    return public.FollowUpRecorded(
        follow_up_id=event.follow_up_id,
        lead_id=lead_id,
        opportunity_id=opportunity_id,
        person_id=person_id,
        seller_id=event.seller_id,
        kind=event.kind,
        text=event.text,
        next_at=event.next_at,
    )


def publish_opportunity(event: opportunity.Event, state: opportunity.State) -> list[object]:
    """Opening, stages, follow-ups and the end; a loss is public once it is approved."""
    assert isinstance(state, opportunity.Opportunity)
    id, person_id = state.opportunity_id, state.person_id
    match event:
        case opportunity.OpportunityOpened():
            return [_opened(event)]
        case opportunity.StageEntered(stage_from=origin, stage_to=target):
            return [public.OpportunityAdvanced(opportunity_id=id, person_id=person_id, stage_from=origin, stage_to=target)]
        case opportunity.FollowUpRecorded():
            return [_followed_up(event, person_id, opportunity_id=id)]
        case opportunity.OpportunityWon(order_id=order):
            return [public.OpportunityWon(opportunity_id=id, person_id=person_id, order_id=order)]
        case opportunity.OpportunityLost(reason=reason, competitor=competitor):
            return [public.OpportunityLost(opportunity_id=id, person_id=person_id, reason=reason, competitor=competitor)]
        case _:
            return []


def _opened(event: opportunity.OpportunityOpened) -> public.OpportunityOpened:
    return public.OpportunityOpened(
        opportunity_id=event.opportunity_id,
        lead_id=event.lead_id,
        person_id=event.person_id,
        store_id=event.store_id,
        entity_id=event.entity_id,
        seller_id=event.seller_id,
        campaign_id=event.campaign_id,
        channel=event.channel,
        brand=event.brand,
        series=event.series,
    )


def publish_drive(event: drive.Event, state: drive.State) -> list[object]:
    """A drive booked and a drive finished."""
    assert isinstance(state, drive.Drive)
    match event:
        case drive.TestDriveBooked():
            booked = public.TestDriveBooked(
                test_drive_id=event.test_drive_id,
                opportunity_id=event.opportunity_id,
                person_id=event.person_id,
                vin=event.vin,
                specialist_id=event.specialist_id,
                starts_at=event.starts_at,
                ends_at=event.ends_at,
            )
            return [booked]
        case drive.TestDriveFinished(kilometres=kilometres):
            finished = public.TestDriveFinished(
                test_drive_id=state.test_drive_id,
                opportunity_id=state.opportunity_id,
                person_id=state.person_id,
                vin=state.vin,
                kilometres=kilometres,
            )
            return [finished]
        case _:
            return []
