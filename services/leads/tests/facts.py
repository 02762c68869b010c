"""One lead's history in the words of the tests."""

from datetime import UTC, datetime, timedelta

from services.leads.domain.assignment import Candidate
from services.leads.domain.grading import Interest
from services.leads.domain.lead import messages as m

noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
deadline = m.Deadline(remind_at=noon + timedelta(minutes=20), due_at=noon + timedelta(minutes=30))
second = m.Deadline(remind_at=noon + timedelta(hours=20), due_at=noon + timedelta(hours=24))

capture = m.CaptureLead(
    lead_id="lead-1",
    person_id="person-1",
    store_id="store-1",
    entity_id="entity-1",
    brand="Volkswagen",
    series="Lavida",
    channel="website",
    campaign_id="campaign-1",
    source="site/17",
    consent="privacy-2026-01",
    interest=Interest(intent="buy", within_days=5),
    identity="phone-index",
    phone_valid=True,
    name="~p1.name",
    phone="~p1.phone",
    email="",
    comments="~p1.comments",
    at=noon,
)
captured = m.LeadCaptured(
    lead_id="lead-1",
    person_id="person-1",
    store_id="store-1",
    entity_id="entity-1",
    brand="Volkswagen",
    series="Lavida",
    channel="website",
    campaign_id="campaign-1",
    source="site/17",
    consent="privacy-2026-01",
    interest=Interest(intent="buy", within_days=5),
    identity="phone-index",
    phone_valid=True,
    name="~p1.name",
    phone="~p1.phone",
    email="",
    wechat="",
    comments="~p1.comments",
    captured_at=noon,
)
graded = m.LeadGraded(grade="H", rule="buys-within-a-week", rule_version=1, reason="intent buy; within 5 days")
li = Candidate(seller_id="li", store_ids=("store-1",), on_shift=True, open_leads=2, capacity=10)
wang = Candidate(seller_id="wang", store_ids=("store-1",), on_shift=True, open_leads=1, capacity=10)
assigned = m.LeadAssigned(
    seller_id="wang",
    previous_seller=None,
    capacity=10,
    by="rule",
    reason="lowest-load",
    rule="relationship-then-load",
    rule_version=1,
    considered=(),
    deadline=deadline,
)
contacted = m.LeadContacted(seller_id="wang", kind="phone", due_at=deadline.due_at, within_sla=True, second=second)
followed_up = m.FollowUpRecorded(
    follow_up_id="follow-up-1",
    seller_id="wang",
    kind="phone",
    contact=1,
    text="~p1.text",
    doubts=("price",),
    plan="~p1.plan",
    next_at=noon + timedelta(days=1),
)
disqualified = m.LeadDisqualified(seller_id="wang", reason="bought-elsewhere", note="", by="wang", remine_at=noon + timedelta(days=90))
