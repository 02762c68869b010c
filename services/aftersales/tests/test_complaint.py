"""What a complaint allows: clock, escalation, feedback, and a history that stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.aftersales.domain.complaint import (
    AssignComplaint,
    ComplaintAssigned,
    ComplaintEscalated,
    ComplaintOpened,
    ComplaintReopened,
    ComplaintResolved,
    EscalateComplaint,
    FeedbackRecorded,
    OpenComplaint,
    ProgressRecorded,
    RecordFeedback,
    RecordProgress,
    ReopenComplaint,
    ResolveComplaint,
    complaint,
)
from shared.decider import Schedule, Unschedule
from shared.testing.specs import spec

given = spec(complaint)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
due = noon + timedelta(hours=4)
later = noon + timedelta(days=3)
open_it = OpenComplaint(
    complaint_id="p1",
    number="CP-BJ1-20260302-001",
    customer_id="lin",
    store_id="s1",
    vin=None,
    severity="urgent",
    text="~p1.squeaks",
    due_at=due,
    by="li",
    at=noon,
)
assign = AssignComplaint(staff_id="wu", by="zhao", at=noon)
progress = RecordProgress(text="~p1.called", by="wu", at=noon)
resolve = ResolveComplaint(text="~p1.oiled", by="wu", at=noon)
rate = RecordFeedback(score=4, text="~p1.fine", by="li", at=noon)
reopen = ReopenComplaint(text="~p1.again", due_at=later, by="li", at=noon)
escalate = EscalateComplaint(due_at=due, at=due)

opened = ComplaintOpened(
    complaint_id="p1",
    number=open_it.number,
    customer_id="lin",
    store_id="s1",
    vin=None,
    severity="urgent",
    text="~p1.squeaks",
    due_at=due,
    by="li",
)
assigned = ComplaintAssigned(staff_id="wu", by="zhao")
progressed = ProgressRecorded(text="~p1.called", by="wu")
escalated = ComplaintEscalated(due_at=due, escalated_to="sales-manager")
resolved = ComplaintResolved(text="~p1.oiled", by="wu")
rated = FeedbackRecorded(score=4, text="~p1.fine", by="li")
reopened = ComplaintReopened(text="~p1.again", due_at=later, by="li")


def test_a_complaint_has_a_clock_from_the_start() -> None:
    given().when(open_it).then(opened).timers(Schedule(key="due", command=escalate, at=due))
    given(opened).when(open_it).then_nothing()


def test_it_is_somebody_s_and_moves_on() -> None:
    given(opened).when(assign).then(assigned)
    given(opened, assigned).when(assign).then_nothing()
    given(opened, assigned).when(replace(assign, staff_id="he")).then(replace(assigned, staff_id="he"))
    given(opened).when(progress).then(progressed)


def test_a_late_one_is_told_to_the_manager_once() -> None:
    given(opened).when(escalate).then(escalated)
    given(opened, escalated).when(escalate).then_nothing()
    given(opened, resolved).when(escalate).then_nothing()


def test_a_resolution_stops_the_clock() -> None:
    given(opened).when(resolve).then(resolved).timers(Unschedule(key="due"))
    given(opened, resolved).when(resolve).then_nothing()


def test_feedback_comes_once_after_each_resolution() -> None:
    given(opened, resolved).when(rate).then(rated)
    given(opened, resolved, rated).when(rate).rejected("illegal-transition")
    given(opened).when(rate).rejected("illegal-transition")
    given(opened, resolved, rated, reopened, resolved).when(rate).then(rated)


def test_opened_again_it_has_a_new_clock_and_may_be_late_again() -> None:
    clock = Schedule(key="due", command=EscalateComplaint(due_at=later, at=later), at=later)
    given(opened, escalated, resolved).when(reopen).then(reopened).timers(clock)
    again = (opened, escalated, resolved, reopened)
    given(*again).when(reopen).then_nothing()
    given(*again).when(escalate).then_nothing()
    given(*again).when(EscalateComplaint(due_at=later, at=later)).then(replace(escalated, due_at=later))


@pytest.mark.parametrize("command", [assign, progress])
def test_a_resolved_complaint_must_be_opened_again_first(command: Any) -> None:
    given(opened, resolved).when(command).rejected("illegal-transition")


@pytest.mark.parametrize("command", [assign, progress, resolve, rate, reopen, escalate])
def test_there_is_no_complaint_nobody_made(command: Any) -> None:
    given().when(command).rejected("illegal-transition")
