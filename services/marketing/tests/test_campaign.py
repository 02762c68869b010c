"""What a campaign allows, in the words of the marketing desk."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.marketing.domain.campaign import (
    ApproveCampaign,
    ApproveOverspend,
    CampaignApproved,
    CampaignPlanned,
    CampaignSpent,
    CampaignStarted,
    CancelCampaign,
    DeclineCampaign,
    DeclineOverspend,
    Event,
    FinishCampaign,
    OverspendDeclined,
    OverspendRequested,
    Plan,
    PlanCampaign,
    PlanRevised,
    RecordSpend,
    RevisePlan,
    StartCampaign,
    SubmitCampaign,
    campaign,
)
from shared.decider import Schedule, Unschedule
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(campaign)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
first_day = datetime(2026, 3, 6, 16, tzinfo=UTC)
plan = Plan(
    name="Spring test-drive day",
    kind="test-drive-day",
    place="Olympic park",
    starts_on=date(2026, 3, 7),
    ends_on=date(2026, 3, 8),
    starts_at=first_day,
    goal_leads=60,
    goal_orders=6,
    budget=Money(2_000_000),
    people=("li",),
)
plan_it = PlanCampaign(campaign_id="c1", store_id="s1", entity_id="e1", plan=plan, by="sun", at=noon)
submit = SubmitCampaign(by="sun", at=noon)
approve = ApproveCampaign(by="zhao", at=noon)
decline = DeclineCampaign(reason="too dear", by="zhao", at=noon)
start = StartCampaign(at=first_day)
spend = RecordSpend(spend_id="p1", supplier="Print Co", purpose="posters", amount=Money(1_500_000), by="sun", at=noon)
too_much = replace(spend, spend_id="p2", supplier="Tent Co", purpose="tents", amount=Money(600_000))
allow = ApproveOverspend(spend_id="p2", by="zhao", at=noon)
refuse = DeclineOverspend(spend_id="p2", by="zhao", at=noon)
finish = FinishCampaign(by="sun", at=noon)
cancel = CancelCampaign(reason="storm", by="sun", at=noon)


def after(*commands: Any) -> tuple[Event, ...]:
    """The events of these commands, one after the other."""
    history: list[Event] = []
    for command in commands:
        history += campaign.decide(command, campaign.fold(history))
    return tuple(history)


approved = after(plan_it, submit, approve)
spent = after(plan_it, submit, approve, spend)
finished = after(plan_it, submit, approve, start, finish)


def test_a_campaign_is_planned_once() -> None:
    given().when(plan_it).then(CampaignPlanned(campaign_id="c1", store_id="s1", entity_id="e1", plan=plan, by="sun"))
    given(*after(plan_it)).when(plan_it).then_nothing()


def test_a_plan_makes_sense() -> None:
    given().when(replace(plan_it, plan=replace(plan, ends_on=date(2026, 3, 6)))).rejected("validity-invalid")
    given().when(replace(plan_it, plan=replace(plan, budget=Money(0)))).rejected("amount-not-positive")


def test_another_person_approves_it_and_it_starts_with_its_first_day() -> None:
    begin = Schedule(key="start", command=start, at=first_day)
    given(*after(plan_it, submit)).when(approve).then(CampaignApproved(starts_at=first_day, by="zhao")).timers(begin)
    given(*approved).when(approve).then_nothing()
    given(*approved).when(start).then(CampaignStarted())


@pytest.mark.parametrize("decision", [approve, decline])
def test_nobody_decides_on_his_own_plan(decision: Any) -> None:
    given(*after(plan_it, submit)).when(replace(decision, by="sun")).rejected("four-eyes")
    given(*after(plan_it, replace(submit, by="ma"))).when(replace(decision, by="ma")).rejected("four-eyes")
    revised = after(plan_it, RevisePlan(plan=replace(plan, goal_leads=80), by="ma", at=noon), submit)
    given(*revised).when(replace(decision, by="ma")).rejected("four-eyes")


@pytest.mark.parametrize("history", [after(plan_it), after(plan_it, submit), after(plan_it, submit, decline)])
def test_an_unapproved_campaign_neither_starts_nor_spends(history: tuple[Event, ...]) -> None:
    given(*history).when(start).rejected("campaign-not-approved")
    given(*history).when(spend).rejected("campaign-not-approved")


def test_a_declined_plan_is_revised_and_handed_in_again() -> None:
    cheaper = replace(plan, budget=Money(1_000_000))
    again = RevisePlan(plan=cheaper, by="sun", at=noon)
    given(*after(plan_it, submit, decline)).when(again).then(PlanRevised(plan=cheaper, by="sun"))
    given(*after(plan_it, submit)).when(again).rejected("illegal-transition")
    assert after(plan_it, submit, decline, again, submit, approve)[-1] == CampaignApproved(starts_at=first_day, by="zhao")


def test_within_the_budget_a_spend_is_made_at_once() -> None:
    made = CampaignSpent(spend_id="p1", supplier="Print Co", purpose="posters", amount=Money(1_500_000), by="sun", approved_by=None)
    given(*approved).when(spend).then(made)
    given(*approved, made).when(spend).then_nothing()
    given(*approved).when(replace(spend, amount=plan.budget)).then(replace(made, amount=plan.budget))


def test_beyond_the_budget_it_waits_for_another_person() -> None:
    held = OverspendRequested(spend_id="p2", supplier="Tent Co", purpose="tents", amount=Money(600_000), by="sun")
    given(*spent).when(too_much).then(held)
    waiting = after(plan_it, submit, approve, spend, too_much)
    given(*waiting).when(replace(allow, by="sun")).rejected("four-eyes")
    given(*waiting).when(allow).then(
        CampaignSpent(spend_id="p2", supplier="Tent Co", purpose="tents", amount=Money(600_000), by="sun", approved_by="zhao")
    )
    given(*waiting).when(refuse).then(OverspendDeclined(spend_id="p2", by="zhao"))
    given(*waiting).when(too_much).then_nothing()
    given(*waiting, *campaign.decide(refuse, campaign.fold(waiting))).when(allow).then_nothing()
    given(*approved).when(allow).rejected("illegal-transition")


def test_a_declined_overspend_leaves_the_rest_of_the_budget() -> None:
    declined = after(plan_it, submit, approve, spend, too_much, refuse)
    rest = replace(too_much, spend_id="p3", amount=Money(500_000))
    (made,) = campaign.decide(rest, campaign.fold(declined))
    assert isinstance(made, CampaignSpent)


def test_money_is_of_the_budget_s_currency_and_more_than_zero() -> None:
    given(*approved).when(replace(spend, amount=Money(1, "USD"))).rejected("currency-differs")
    given(*approved).when(replace(spend, amount=Money(0))).rejected("amount-not-positive")


def test_late_bills_of_a_finished_campaign_are_recorded() -> None:
    (made,) = campaign.decide(spend, campaign.fold(finished))
    assert isinstance(made, CampaignSpent)


def test_a_campaign_ends_once() -> None:
    given(*finished).when(finish).then_nothing()
    given(*approved).when(finish).rejected("illegal-transition")
    given(*finished).when(cancel).rejected("illegal-transition")


def test_a_cancelled_campaign_never_starts() -> None:
    given(*approved).when(cancel).timers(Unschedule(key="start"))
    cancelled = after(plan_it, submit, approve, cancel)
    given(*cancelled).when(start).then_nothing()
    given(*cancelled).when(cancel).then_nothing()
    given(*cancelled).when(spend).rejected("illegal-transition")
    given(*cancelled).when(approve).rejected("illegal-transition")


@pytest.mark.parametrize("command", [submit, approve, start, spend, allow, finish, cancel])
def test_there_is_no_campaign_without_a_plan(command: Any) -> None:
    given().when(command).rejected("illegal-transition")
