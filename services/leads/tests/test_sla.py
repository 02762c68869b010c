"""By when a lead must be contacted."""

from datetime import UTC, date, datetime, time

from services.leads.domain.lead.messages import Deadline
from services.leads.domain.sla import ContactRule, Hours, first_contact, second_contact

beijing = Hours(opens=time(9), closes=time(18), timezone="Asia/Shanghai")


def test_the_clock_runs_while_the_store_is_open() -> None:
    at = datetime(2026, 3, 2, 4, tzinfo=UTC)
    assert first_contact(at, beijing) == Deadline(
        remind_at=datetime(2026, 3, 2, 4, 20, tzinfo=UTC), due_at=datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
    )


def test_a_lead_of_the_night_is_due_in_the_morning() -> None:
    at = datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert first_contact(at, beijing).due_at == datetime(2026, 3, 3, 1, 30, tzinfo=UTC)


def test_a_lead_before_closing_is_due_the_next_open_day() -> None:
    at = datetime(2026, 3, 2, 9, 50, tzinfo=UTC)
    closed = Hours(opens=time(9), closes=time(18), timezone="Asia/Shanghai", closures=(date(2026, 3, 3),))
    assert first_contact(at, closed).due_at == datetime(2026, 3, 4, 1, 20, tzinfo=UTC)


def test_the_limits_are_data() -> None:
    at = datetime(2026, 3, 2, 4, tzinfo=UTC)
    assert first_contact(at, beijing, ContactRule(first_minutes=15)).due_at == datetime(2026, 3, 2, 4, 15, tzinfo=UTC)
    assert second_contact(at).due_at == datetime(2026, 3, 3, 4, tzinfo=UTC)
