"""What an opportunity allows, from stage to stage."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.leads.domain import opportunity as o
from services.leads.domain.stages import STANDARD, Stage, Stages
from shared.testing.specs import spec

given = spec(o.opportunity)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
later = noon + timedelta(hours=3)
open_it = o.OpenOpportunity(
    opportunity_id="opp-1",
    lead_id="lead-1",
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
    at=noon,
)
opened = o.OpportunityOpened(
    opportunity_id="opp-1",
    lead_id="lead-1",
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
    stage="first-contact",
    stages_version=1,
    opened_at=noon,
)
advance = o.AdvanceOpportunity(to="needs", by="wang", at=later)
in_needs = o.StageEntered(stage_from="first-contact", stage_to="needs", since=noon, entered_at=later, by="wang", stages_version=1)
ask = o.RequestLoss(reason="price", competitor="Toyota", note="~p1.note", by="wang", at=later)
asked = o.LossRequested(reason="price", competitor="Toyota", note="~p1.note", by="wang")
approve = o.ApproveLoss(by="zhao", at=later)
lost = o.OpportunityLost(
    reason="price",
    competitor="Toyota",
    stage_from="first-contact",
    since=noon,
    requested_by="wang",
    approved_by="zhao",
    lost_at=later,
)
win = o.WinOpportunity(order_id="order-1", at=later)
won = o.OpportunityWon(order_id="order-1", stage_from="first-contact", since=noon, won_at=later)
follow_up = o.RecordFollowUp(follow_up_id="f-1", by="wang", kind="visit", text="~p1.text", next_at=later, at=noon)
followed_up = o.FollowUpRecorded(follow_up_id="f-1", seller_id="wang", kind="visit", text="~p1.text", doubts=(), plan="", next_at=later)


def test_it_opens_in_the_first_stage_and_opening_again_changes_nothing() -> None:
    given().when(open_it).then(opened)
    given(opened).when(open_it).then_nothing()


def test_moving_on_tells_how_long_the_stage_took() -> None:
    given(opened).when(advance).then(in_needs)
    given(opened, in_needs).when(advance).then_nothing()


@pytest.mark.parametrize("target", ["negotiation", "won", "lost", "after-sales-care"])
def test_an_illegal_move_is_refused_with_the_moves_allowed(target: str) -> None:
    given(opened).when(replace(advance, to=target)).rejected("illegal-transition", "first-contact", "needs", target)


def test_an_unknown_stage_is_refused() -> None:
    given(opened).when(replace(advance, to="party")).rejected("unknown-stage", "party")


def test_a_group_brings_its_own_stages() -> None:
    short = Stages(version=4, stages=(Stage(name="first-contact", next=("closing",)), Stage(name="closing")))
    closing = replace(in_needs, stage_to="closing", stages_version=4)
    given(opened).when(replace(advance, to="closing", stages=short)).then(closing)


def test_every_stage_named_by_a_move_exists() -> None:
    assert {target for stage in STANDARD.stages for target in stage.next} <= {stage.name for stage in STANDARD.stages}


def test_only_its_seller_or_a_manager_moves_it() -> None:
    given(opened).when(replace(advance, by="li")).rejected("not-yours")
    given(opened).when(replace(advance, by="zhao", manager=True)).then(replace(in_needs, by="zhao"))
    given(opened).when(replace(ask, by="li")).rejected("not-yours")


def test_an_order_delivered_wins_it_once_from_any_stage() -> None:
    given(opened).when(win).then(won)
    given(opened, won).when(win).then_nothing()
    given(opened, asked, lost).when(win).then(replace(won, stage_from="lost", since=later))
    given(opened, won).when(ask).rejected("opportunity-closed", "won")
    care = replace(in_needs, stage_from="won", stage_to="after-sales-care", since=later)
    given(opened, won).when(replace(advance, to="after-sales-care")).then(care)


def test_nobody_closes_his_own_deal_as_lost() -> None:
    given(opened).when(ask).then(asked)
    given(opened, asked).when(replace(approve, by="wang")).rejected("four-eyes")
    given(opened, asked).when(approve).then(lost)
    given(opened, asked, lost).when(approve).then_nothing()
    given(opened, asked).when(ask).rejected("loss-requested")
    given(opened).when(approve).rejected("no-loss-request")


def test_a_refused_request_leaves_it_open() -> None:
    refused = o.LossRefused(by="zhao", reason="offer a loan first")
    given(opened, asked).when(o.RefuseLoss(by="zhao", reason="offer a loan first", at=later)).then(refused)
    given(opened, asked, refused).when(advance).then(in_needs)
    given(opened, asked, refused).when(ask).then(asked)


def test_a_lost_one_is_closed() -> None:
    given(opened, asked, lost).when(ask).rejected("opportunity-closed")
    given(opened, asked, lost).when(advance).rejected("illegal-transition", "nowhere")


def test_follow_ups_are_recorded_once() -> None:
    given(opened).when(follow_up).then(followed_up)
    given(opened, followed_up).when(follow_up).then_nothing()
    given(opened).when(replace(follow_up, next_at=noon)).rejected("in-the-past")
    given(opened).when(replace(follow_up, by="li")).rejected("not-yours")


def test_there_is_nothing_to_move_before_it_is_opened() -> None:
    given().when(advance).rejected("illegal-transition")
