"""By when a lead must be contacted, on the clock of its store."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from services.leads.domain.lead.messages import Deadline
from shared.decider import message
from shared.values.worktime import add_working_minutes


@message
class Hours:
    """A store's opening hours on its own wall clock; `timezone` is an IANA name."""

    opens: time
    closes: time
    timezone: str
    closures: Collection[date] = ()


@message
class ContactRule:
    """Working minutes to the first contact and hours to the second, and how long before each the seller is reminded."""

    first_minutes: int = 30
    first_reminder_minutes: int = 10
    second_hours: int = 24
    second_reminder_hours: int = 4


STANDARD = ContactRule()


def first_contact(assigned_at: datetime, hours: Hours, rule: ContactRule = STANDARD) -> Deadline:
    """The deadline runs only while the store is open."""

    def after(minutes: int) -> datetime:
        return add_working_minutes(assigned_at, minutes, hours.opens, hours.closes, hours.timezone, hours.closures)

    return Deadline(remind_at=after(rule.first_minutes - rule.first_reminder_minutes), due_at=after(rule.first_minutes))


def second_contact(contacted_at: datetime, rule: ContactRule = STANDARD) -> Deadline:
    """The second contact follows within hours of the day, open or not."""
    due_at = contacted_at + timedelta(hours=rule.second_hours)
    return Deadline(remind_at=due_at - timedelta(hours=rule.second_reminder_hours), due_at=due_at)
