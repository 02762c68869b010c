"""The group's own grading rules: each setting is a version, so that an old grade still names what gave it."""

from datetime import datetime

from services.leads.domain.grading import STANDARD, GradeRule, Grading
from shared.decider import Decider, Rejected, message


@message
class SetGrading:
    rules: tuple[GradeRule, ...]
    by: str
    at: datetime


@message
class GradingSet:
    grading: Grading
    by: str


def decide(command: SetGrading, state: Grading) -> list[GradingSet]:
    """The last rule must match everybody, and no two rules share an id."""
    if command.rules == state.rules:
        return []
    if not command.rules or command.rules[-1] != GradeRule(id=command.rules[-1].id, grade=command.rules[-1].grade):
        raise Rejected("no-last-rule", "The last rule has no conditions, so that every lead gets a grade.")
    if len({rule.id for rule in command.rules}) < len(command.rules):
        raise Rejected("already-exists", "Two rules have the same id.")
    return [GradingSet(grading=Grading(version=state.version + 1, rules=command.rules), by=command.by)]


def evolve(state: Grading, event: GradingSet) -> Grading:
    """The state after one more event."""
    return event.grading


grading = Decider[SetGrading, Grading, GradingSet](STANDARD, decide, evolve)
