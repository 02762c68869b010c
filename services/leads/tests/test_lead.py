"""What a lead allows, in the words of the showroom."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.leads.domain.assignment import Considered
from services.leads.domain.grading import GradeRule, Grading, Interest
from services.leads.domain.lead import lead
from services.leads.domain.lead import messages as m
from services.leads.domain.lead.state import Lead
from services.leads.domain.opportunity import OpenOpportunity
from services.leads.tests.facts import (
    assigned,
    capture,
    captured,
    contacted,
    deadline,
    disqualified,
    followed_up,
    graded,
    li,
    noon,
    second,
    wang,
)
from shared.decider import Count, Release, Schedule, Take, Unschedule
from shared.testing.specs import spec

given = spec(lead)
touch = m.TouchLead(channel="auto-show", source="show/3", comments="~p1.more", at=noon)
touched = m.LeadTouched(channel="auto-show", campaign_id=None, source="show/3", consent="", comments="~p1.more")
by_rule = m.AssignByRule(candidates=(li, wang), relationship=None, deadline=deadline, retry_at=None, at=noon)
by_hand = m.AssignLead(seller=li, by="zhao", reason="knows the family", deadline=deadline, at=noon)
follow_up = m.RecordFollowUp(
    follow_up_id="follow-up-1",
    by="wang",
    kind="phone",
    text="~p1.text",
    doubts=("price",),
    plan="~p1.plan",
    next_at=noon + timedelta(days=1),
    second=second,
    at=noon + timedelta(minutes=10),
)
disqualify = m.DisqualifyLead(reason="bought-elsewhere", remine_at=noon + timedelta(days=90), by="wang", at=noon)
convert = m.ConvertLead(opportunity_id="opportunity-1", by="wang", at=noon)


def capacity(seller: str, by: int, most: int) -> Count:
    return Count(
        kind="capacity", key=seller, by=by, most=most, problem="seller-at-capacity", reason="This seller holds as many leads as he may."
    )


def taken(key: str) -> Take:
    return Take(kind="open-lead", key=key, problem="duplicate-lead", reason="This person has an open lead of this brand already.")


def test_a_captured_lead_is_graded_at_once_and_routed_by_a_timer() -> None:
    when = given().when(capture).then(captured, graded)
    when.claims(taken("entity-1/volkswagen/phone-index"))
    when.timers(Schedule(key="route", command=m.RouteLead(lead_id="lead-1", at=noon)))


def test_without_an_identity_there_is_nothing_to_match_by() -> None:
    given().when(replace(capture, identity=None)).then(replace(captured, identity=None), graded).claims()


def test_a_lead_of_no_store_waits_until_it_is_given_to_one() -> None:
    homeless = replace(captured, store_id=None, entity_id=None)
    waiting = given().when(replace(capture, store_id=None, entity_id=None)).then(homeless, graded)
    waiting.claims(taken("-/volkswagen/phone-index")).timers()
    placed = m.LeadPlaced(
        lead_id="lead-1",
        store_id="store-1",
        entity_id="entity-1",
        brand="Volkswagen",
        identity="phone-index",
        by="owner",
        placed_at=noon,
    )
    place = m.PlaceLead(store_id="store-1", entity_id="entity-1", by="owner", at=noon)
    now = given(homeless, graded).when(place).then(placed)
    now.claims(Release(kind="open-lead"), taken("entity-1/volkswagen/phone-index"))
    now.timers(Schedule(key="route", command=m.RouteLead(lead_id="lead-1", at=noon)))
    given(homeless, graded, placed).when(place).then_nothing()
    given(homeless, graded, placed).when(replace(place, store_id="store-2")).rejected("illegal-transition")
    given(homeless, graded).when(by_rule).then_nothing()
    given(homeless, graded).when(by_hand).rejected("no-store")


def test_the_same_message_again_changes_nothing() -> None:
    given(captured, graded).when(capture).then_nothing()
    given(captured, graded).when(replace(capture, source="")).rejected("illegal-transition")
    given(captured, graded).when(replace(touch, source="site/17")).then_nothing()


def test_a_second_touch_keeps_the_owner_and_the_first_touch() -> None:
    state = given(captured, graded, assigned).when(touch).then(touched).claims().timers().state()
    assert isinstance(state, Lead)
    assert (state.seller_id, state.first_touch.channel, state.last_touch.channel) == ("wang", "website", "auto-show")


def test_a_touch_that_brings_new_facts_grades_anew() -> None:
    interest = Interest(intent="browse", within_days=60)
    cooler = m.LeadGraded(grade="C", rule="later", rule_version=1, reason="no earlier rule matched")
    given(captured, graded).when(replace(touch, interest=interest)).then(touched, m.InterestStated(interest=interest), cooler)
    given(captured, graded).when(replace(touch, interest=capture.interest)).then(touched)


def test_new_rules_grade_anew_though_the_facts_stay() -> None:
    rules = Grading(version=2, rules=(GradeRule(id="all", grade="A"),))
    regrade = m.GradeLead(interest=capture.interest, grading=rules, at=noon)
    by_new = m.LeadGraded(grade="A", rule="all", rule_version=2, reason="no earlier rule matched")
    given(captured, graded).when(regrade).then(by_new)
    given(captured, graded, by_new).when(regrade).then_nothing()


def test_the_rule_assigns_and_the_event_explains() -> None:
    explained = replace(assigned, considered=(Considered(seller_id="li", score=200), Considered(seller_id="wang", score=100)))
    when = given(captured, graded).when(by_rule).then(explained)
    ever = Count(
        kind="assigned", key="wang", by=1, most=2_000_000_000, problem="seller-at-capacity", reason="This seller was given too many leads."
    )
    when.claims(capacity("wang", 1, 10), ever)
    due = deadline.due_at
    when.timers(
        Unschedule(key="route"),
        Schedule(
            key="first/remind",
            command=m.RemindContact(contact="first", due_at=due, at=deadline.remind_at),
            at=deadline.remind_at,
        ),
        Schedule(key="first/escalate", command=m.EscalateContact(contact="first", due_at=due, at=due), at=due),
    )
    given(captured, graded, assigned).when(by_rule).then_nothing()


def test_with_nobody_eligible_the_lead_queues_with_the_reasons_and_the_next_try() -> None:
    later = noon + timedelta(hours=20)
    nobody = replace(by_rule, candidates=(replace(wang, on_shift=False),), retry_at=later)
    queued = m.LeadQueued(
        lead_id="lead-1",
        reason="nobody-eligible",
        rule="relationship-then-load",
        rule_version=1,
        considered=(Considered(seller_id="wang", score=100, refused=("not-on-shift",)),),
        retry_at=later,
    )
    when = given(captured, graded).when(nobody).then(queued).claims()
    when.timers(Schedule(key="route", command=m.RouteLead(lead_id="lead-1", at=later), at=later))
    given(captured, graded, queued).when(nobody).then_nothing()
    alone = replace(assigned, considered=(Considered(seller_id="wang", score=100),))
    given(captured, graded, queued).when(replace(by_rule, candidates=(wang,))).then(alone)


def test_a_manager_assigns_over_shift_and_brand_with_a_reason() -> None:
    off = replace(li, on_shift=False, brands=("Audi",))
    expected = m.LeadAssigned(
        seller_id="li",
        previous_seller="wang",
        capacity=10,
        by="zhao",
        reason="knows the family",
        rule="manual",
        rule_version=1,
        considered=(Considered(seller_id="li", score=200, refused=("other-brand", "not-on-shift")),),
        deadline=deadline,
    )
    claims = given(captured, graded, assigned).when(replace(by_hand, seller=off)).then(expected).state()
    assert isinstance(claims, Lead)
    assert [c for c in lead.claims(expected) if isinstance(c, Count) and c.kind == "capacity"] == [
        capacity("wang", -1, 0),
        capacity("li", 1, 10),
    ]


def test_a_manager_may_not_give_it_to_another_store() -> None:
    given(captured, graded).when(replace(by_hand, seller=replace(li, store_ids=("store-2",)))).rejected("not-eligible")


def test_assigning_to_the_owner_changes_nothing() -> None:
    given(captured, graded, assigned).when(replace(by_hand, seller=wang)).then_nothing()


def test_the_seller_is_reminded_once_then_the_manager_is_told_once() -> None:
    due = deadline.due_at
    remind = m.RemindContact(contact="first", due_at=due, at=deadline.remind_at)
    reminded = m.ContactReminded(contact="first", seller_id="wang", due_at=due)
    given(captured, graded, assigned).when(remind).then(reminded)
    given(captured, graded, assigned, reminded).when(remind).then_nothing()
    escalate = m.EscalateContact(contact="first", due_at=due, at=due)
    overdue = m.ContactOverdue(contact="first", seller_id="wang", due_at=due, escalated_to="sales-manager")
    given(captured, graded, assigned, reminded).when(escalate).then(overdue)
    given(captured, graded, assigned, reminded, overdue).when(escalate).then_nothing()


@pytest.mark.parametrize("command", [m.RemindContact, m.EscalateContact])
def test_nobody_is_reminded_of_what_is_done_or_no_longer_his(command: type[m.RemindContact] | type[m.EscalateContact]) -> None:
    first = command(contact="first", due_at=deadline.due_at, at=noon)
    given(captured, graded, assigned, contacted, followed_up).when(first).then_nothing()
    moved = replace(assigned, seller_id="li", previous_seller="wang", deadline=second)
    given(captured, graded, assigned, moved).when(first).then_nothing()
    given(captured, graded, assigned, disqualified).when(first).then_nothing()
    given(captured, graded).when(first).then_nothing()


def test_the_first_follow_up_is_the_first_contact() -> None:
    when = given(captured, graded, assigned).when(follow_up).then(contacted, followed_up)
    due, next_at = second.due_at, noon + timedelta(days=1)
    when.timers(
        Unschedule(key="first/remind"),
        Unschedule(key="first/escalate"),
        Schedule(
            key="second/remind",
            command=m.RemindContact(contact="second", due_at=due, at=second.remind_at),
            at=second.remind_at,
        ),
        Schedule(key="second/escalate", command=m.EscalateContact(contact="second", due_at=due, at=due), at=due),
        Schedule(key="next", command=m.RemindFollowUp(next_at=next_at, at=next_at), at=next_at),
    )
    given(captured, graded, assigned, contacted, followed_up).when(follow_up).then_nothing()


def test_a_first_contact_at_the_deadline_is_in_time_and_a_second_later_is_not() -> None:
    given(captured, graded, assigned).when(replace(follow_up, at=deadline.due_at)).then(contacted, followed_up)
    late = replace(follow_up, at=deadline.due_at + timedelta(seconds=1))
    given(captured, graded, assigned).when(late).then(replace(contacted, within_sla=False), followed_up)


def test_the_second_contact_has_a_deadline_of_its_own() -> None:
    escalate = m.EscalateContact(contact="second", due_at=second.due_at, at=second.due_at)
    overdue = m.ContactOverdue(contact="second", seller_id="wang", due_at=second.due_at, escalated_to="sales-manager")
    history = captured, graded, assigned, contacted, followed_up
    given(*history).when(escalate).then(overdue)
    again = replace(follow_up, follow_up_id="follow-up-2", next_at=None)
    made = replace(followed_up, follow_up_id="follow-up-2", contact=2, next_at=None)
    when = given(*history).when(again).then(made)
    when.timers(Unschedule(key="second/remind"), Unschedule(key="second/escalate"), Unschedule(key="next"))
    given(*history, made).when(escalate).then_nothing()


def test_the_next_contact_is_reminded_of_once() -> None:
    remind = m.RemindFollowUp(next_at=noon + timedelta(days=1), at=noon + timedelta(days=1))
    reminded = m.FollowUpReminded(seller_id="wang", next_at=remind.next_at)
    history = captured, graded, assigned, contacted, followed_up
    given(*history).when(remind).then(reminded)
    given(*history, reminded).when(remind).then_nothing()
    given(*history).when(replace(remind, next_at=noon)).then_nothing()


def test_only_the_owner_or_a_manager_works_a_lead() -> None:
    given(captured, graded).when(follow_up).rejected("not-assigned")
    given(captured, graded, assigned).when(replace(follow_up, by="li")).rejected("not-yours")
    given(captured, graded, assigned).when(replace(convert, by="li")).rejected("not-yours")
    given(captured, graded, assigned).when(replace(follow_up, next_at=noon)).rejected("in-the-past")
    given(captured, graded, assigned).when(replace(follow_up, by="zhao", manager=True)).then(
        contacted, replace(followed_up, seller_id="zhao")
    )


def test_a_converted_lead_opens_its_opportunity_and_frees_the_seller() -> None:
    converted = m.LeadConverted(
        lead_id="lead-1",
        opportunity_id="opportunity-1",
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
        converted_at=noon,
    )
    when = given(captured, graded, assigned, touched).when(convert).then(converted)
    when.claims(Release(kind="open-lead"), capacity("wang", -1, 0))
    opening = lead.timers(converted)[-1]
    assert isinstance(opening, Schedule)
    assert (opening.to, opening.at) == ("opportunity-opportunity-1", None)
    assert isinstance(opening.command, OpenOpportunity)
    assert opening.command.campaign_id == "campaign-1"
    unscheduled = {timer.key for timer in lead.timers(converted) if isinstance(timer, Unschedule)}
    assert unscheduled == {"route", "next", "first/remind", "first/escalate", "second/remind", "second/escalate"}
    for command in (touch, follow_up, convert, disqualify):
        given(captured, graded, assigned, converted).when(command).rejected("lead-closed", "converted")
    given(captured, graded, assigned, converted).when(m.RemineLead(at=noon)).rejected("lead-closed")


def test_a_disqualified_lead_is_remined_later_with_its_whole_history() -> None:
    when = given(captured, graded, assigned).when(disqualify).then(disqualified)
    when.claims(Release(kind="open-lead"), capacity("wang", -1, 0))
    at = noon + timedelta(days=90)
    assert lead.timers(disqualified)[-1] == Schedule(key="remine", command=m.RemineLead(at=at), at=at)
    history = captured, graded, assigned, contacted, followed_up, disqualified
    remined = m.LeadRemined(lead_id="lead-1", entity_id="entity-1", brand="Volkswagen", identity="phone-index", remined_at=at)
    again = given(*history).when(m.RemineLead(at=at)).then(remined)
    again.claims(taken("entity-1/volkswagen/phone-index"))
    again.timers(Schedule(key="route", command=m.RouteLead(lead_id="lead-1", at=at)))
    given(*history, remined).when(m.RemineLead(at=at)).then_nothing()
    back = given(*history, remined).when(by_rule).state()
    assert isinstance(back, Lead)
    assert (back.seller_id, back.follow_ups, back.contacts) == ("wang", frozenset({"follow-up-1"}), 0)


def test_a_manager_disqualifies_a_lead_nobody_owns() -> None:
    nobodys = replace(disqualified, seller_id=None, by="zhao")
    given(captured, graded).when(replace(disqualify, by="zhao", manager=True)).then(nobodys).claims(Release(kind="open-lead"))
    given(captured, graded).when(disqualify).rejected("not-assigned")


def test_there_is_nothing_to_do_with_a_lead_that_is_not_there() -> None:
    given().when(touch).rejected("illegal-transition")
