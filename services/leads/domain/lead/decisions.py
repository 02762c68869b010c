"""What a lead allows, each rule in a function of its own."""

from datetime import datetime

from services.leads.domain.assignment import choose
from services.leads.domain.grading import Grading, Interest, grade
from services.leads.domain.lead import messages as m
from services.leads.domain.lead.state import Absent, Lead, State
from shared.decider import Rejected

ESCALATED_TO = "sales-manager"


def decide(command: m.Command, state: State) -> list[m.Event]:
    """Routes each command to its rule."""
    match command, state:
        case m.CaptureLead(), Absent():
            return _capture(command)
        case m.CaptureLead(), Lead() if command.source and command.source in state.sources:
            return []
        case ((m.RemindContact() | m.EscalateContact() | m.RemindFollowUp() | m.AssignByRule()), Lead()) if state.status != "open":
            return []
        case m.RemineLead(), Lead():
            return _remine(command, state)
        case _, Lead(status="open"):
            return _work(command, state)
        case _, Lead():
            raise Rejected("lead-closed", f"This lead is {state.status}; capture a new one.")
        case _:
            raise Rejected("illegal-transition", "There is no such lead.")


def _work(command: m.Command, state: Lead) -> list[m.Event]:
    """What an open lead allows."""
    match command:
        case m.TouchLead():
            return _touch(command, state)
        case m.GradeLead():
            return _regrade(command.interest, command.grading, state)
        case m.PlaceLead():
            return _place(command, state)
        case m.AssignByRule():
            return _assign_by_rule(command, state)
        case m.AssignLead():
            return _assign(command, state)
        case m.RemindContact():
            return _remind(command, state)
        case m.EscalateContact():
            return _escalate(command, state)
        case m.RecordFollowUp():
            return _follow_up(command, state)
        case m.RemindFollowUp():
            return _remind_follow_up(command, state)
        case m.ConvertLead():
            return _convert(command, state)
        case m.DisqualifyLead():
            return _disqualify(command, state)
        case _:
            raise Rejected("illegal-transition", "This lead is open already.")


def _capture(command: m.CaptureLead) -> list[m.Event]:
    graded = grade(command.interest, command.grading)
    captured = m.LeadCaptured(
        lead_id=command.lead_id,
        person_id=command.person_id,
        store_id=command.store_id,
        entity_id=command.entity_id,
        brand=command.brand,
        series=command.series,
        channel=command.channel,
        campaign_id=command.campaign_id,
        source=command.source,
        consent=command.consent,
        interest=command.interest,
        identity=command.identity,
        phone_valid=command.phone_valid,
        name=command.name,
        phone=command.phone,
        email=command.email,
        wechat=command.wechat,
        comments=command.comments,
        captured_at=command.at,
    )
    return [captured, m.LeadGraded(grade=graded.grade, rule=graded.rule, rule_version=graded.version, reason=graded.reason)]


def _touch(command: m.TouchLead, state: Lead) -> list[m.Event]:
    if command.source and command.source in state.sources:
        return []
    touched = m.LeadTouched(
        channel=command.channel,
        campaign_id=command.campaign_id,
        source=command.source,
        consent=command.consent,
        comments=command.comments,
    )
    return [touched, *(_regrade(command.interest, command.grading, state) if command.interest else [])]


def _regrade(interest: Interest, grading: Grading, state: Lead) -> list[m.Event]:
    graded = grade(interest, grading)
    events: list[m.Event] = [m.InterestStated(interest=interest)] if interest != state.interest else []
    if (graded.grade, graded.rule, graded.version) != state.graded:
        events.append(m.LeadGraded(grade=graded.grade, rule=graded.rule, rule_version=graded.version, reason=graded.reason))
    return events


def _place(command: m.PlaceLead, state: Lead) -> list[m.Event]:
    if state.store_id == command.store_id:
        return []
    if state.store_id is not None:
        raise Rejected("illegal-transition", "This lead belongs to a store already.")
    return [
        m.LeadPlaced(
            lead_id=state.lead_id,
            store_id=command.store_id,
            entity_id=command.entity_id,
            brand=state.brand,
            identity=state.identity,
            by=command.by,
            placed_at=command.at,
        )
    ]


def _assign_by_rule(command: m.AssignByRule, state: Lead) -> list[m.Event]:
    if state.seller_id is not None or state.store_id is None or state.entity_id is None:
        return []
    relationship = state.former_seller or command.relationship
    choice = choose(command.candidates, store_id=state.store_id, brand=state.brand, relationship=relationship)
    if choice.seller_id is None:
        queued = m.LeadQueued(
            lead_id=state.lead_id,
            reason=choice.reason,
            rule=choice.rule,
            rule_version=choice.rule_version,
            considered=choice.considered,
            retry_at=command.retry_at,
        )
        return [] if queued == state.queued else [queued]
    return [
        m.LeadAssigned(
            seller_id=choice.seller_id,
            previous_seller=None,
            capacity=choice.capacity,
            by="rule",
            reason=choice.reason,
            rule=choice.rule,
            rule_version=choice.rule_version,
            considered=choice.considered,
            deadline=command.deadline,
        )
    ]


def _assign(command: m.AssignLead, state: Lead) -> list[m.Event]:
    seller = command.seller
    if seller.seller_id == state.seller_id:
        return []
    if state.store_id is None:
        raise Rejected("no-store", "Give this lead to a store first.")
    considered = choose((seller,), store_id=state.store_id, brand=state.brand, relationship=None).considered
    if "other-store" in considered[0].refused:
        raise Rejected("not-eligible", "This seller does not work in the store of the lead.")
    return [
        m.LeadAssigned(
            seller_id=seller.seller_id,
            previous_seller=state.seller_id,
            capacity=seller.capacity,
            by=command.by,
            reason=command.reason,
            rule="manual",
            rule_version=1,
            considered=considered,
            deadline=command.deadline,
        )
    ]


def _due(contact: str, state: Lead) -> datetime | None:
    """The deadline of the first or second contact while it is still to be made."""
    open_contact = {0: ("first", state.contact_due_at), 1: ("second", state.second_due_at)}.get(state.contacts)
    return open_contact[1] if open_contact and open_contact[0] == contact else None


def _remind(command: m.RemindContact, state: Lead) -> list[m.Event]:
    key = command.contact, command.due_at
    if state.seller_id is None or _due(command.contact, state) != command.due_at or key in state.reminded:
        return []
    return [m.ContactReminded(contact=command.contact, seller_id=state.seller_id, due_at=command.due_at)]


def _escalate(command: m.EscalateContact, state: Lead) -> list[m.Event]:
    key = command.contact, command.due_at
    if state.seller_id is None or _due(command.contact, state) != command.due_at or key in state.escalated:
        return []
    return [m.ContactOverdue(contact=command.contact, seller_id=state.seller_id, due_at=command.due_at, escalated_to=ESCALATED_TO)]


def _owned(by: str, manager: bool, state: Lead) -> str:
    """The owner, when `by` may act for him."""
    if state.seller_id is None:
        raise Rejected("not-assigned", "Assign this lead to a seller first.")
    if by != state.seller_id and not manager:
        raise Rejected("not-yours", "This lead belongs to another seller.")
    return state.seller_id


def _follow_up(command: m.RecordFollowUp, state: Lead) -> list[m.Event]:
    if command.follow_up_id in state.follow_ups:
        return []
    seller = _owned(command.by, command.manager, state)
    if command.next_at is not None and command.next_at <= command.at:
        raise Rejected("in-the-past", "The next contact must lie in the future.")
    events: list[m.Event] = []
    if state.contacts == 0 and state.contact_due_at is not None:
        due = state.contact_due_at
        within = command.at <= due
        events.append(m.LeadContacted(seller_id=seller, kind=command.kind, due_at=due, within_sla=within, second=command.second))
    events.append(
        m.FollowUpRecorded(
            follow_up_id=command.follow_up_id,
            seller_id=command.by,
            kind=command.kind,
            contact=state.contacts + 1,
            text=command.text,
            doubts=command.doubts,
            plan=command.plan,
            next_at=command.next_at,
        )
    )
    return events


def _remind_follow_up(command: m.RemindFollowUp, state: Lead) -> list[m.Event]:
    if state.seller_id is None or state.next_at != command.next_at or ("next", command.next_at) in state.reminded:
        return []
    return [m.FollowUpReminded(seller_id=state.seller_id, next_at=command.next_at)]


def _convert(command: m.ConvertLead, state: Lead) -> list[m.Event]:
    seller = _owned(command.by, command.manager, state)
    assert state.store_id is not None and state.entity_id is not None  # an assigned lead has a store
    return [
        m.LeadConverted(
            lead_id=state.lead_id,
            opportunity_id=command.opportunity_id,
            person_id=state.person_id,
            store_id=state.store_id,
            entity_id=state.entity_id,
            seller_id=seller,
            campaign_id=state.first_touch.campaign_id,
            channel=state.first_touch.channel,
            brand=state.brand,
            series=state.series,
            name=state.name,
            phone=state.phone,
            email=state.email,
            by=command.by,
            converted_at=command.at,
        )
    ]


def _disqualify(command: m.DisqualifyLead, state: Lead) -> list[m.Event]:
    if state.seller_id is not None or not command.manager:
        _owned(command.by, command.manager, state)
    return [
        m.LeadDisqualified(
            seller_id=state.seller_id,
            reason=command.reason,
            note=command.note,
            by=command.by,
            remine_at=command.remine_at,
        )
    ]


def _remine(command: m.RemineLead, state: Lead) -> list[m.Event]:
    if state.status == "open":
        return []
    if state.status == "converted":
        raise Rejected("lead-closed", "A converted lead lives on as an opportunity.")
    return [
        m.LeadRemined(
            lead_id=state.lead_id,
            entity_id=state.entity_id,
            brand=state.brand,
            identity=state.identity,
            remined_at=command.at,
        )
    ]
