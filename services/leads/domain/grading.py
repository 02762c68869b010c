"""How warm a lead is: ordered rules over intent, budget and time frame give a grade. The rules are data with a version."""

from shared.decider import message
from shared.values.money import Money, format_amount

INTENTS = ("order", "buy", "test-drive", "compare", "browse")
"""What the person wants, warmest first."""


@message
class Interest:
    """What is known of a person's interest; `within_days` is the time frame in days from now."""

    intent: str = "browse"
    budget: Money | None = None
    within_days: int | None = None


@message
class GradeRule:
    """Matches when every condition it states holds; a rule without conditions always matches."""

    id: str
    grade: str
    intents: tuple[str, ...] = ()
    within_days: int | None = None
    min_budget: Money | None = None


@message
class Grading:
    """Rules in order, the first match wins; `version` goes up with every change."""

    version: int
    rules: tuple[GradeRule, ...]


@message
class Grade:
    """A grade with the rule that gave it and the facts the rule relied on."""

    grade: str
    rule: str
    version: int
    reason: str


STANDARD = Grading(
    version=1,
    rules=(
        GradeRule(id="buys-within-a-week", grade="H", intents=("order", "buy", "test-drive"), within_days=7),
        GradeRule(id="orders-now", grade="H", intents=("order",)),
        GradeRule(id="within-a-fortnight", grade="A", within_days=15),
        GradeRule(id="buys-with-a-budget", grade="A", intents=("buy", "test-drive"), min_budget=Money(10_000_000)),
        GradeRule(id="within-a-month", grade="B", within_days=30),
        GradeRule(id="wants-to-buy", grade="B", intents=("buy", "test-drive")),
        GradeRule(id="later", grade="C"),
    ),
)


def grade(interest: Interest, grading: Grading) -> Grade:
    """The grade by the first rule that matches; ValueError when none does, so end the rules with one that always matches."""
    for rule in grading.rules:
        reasons = _matched(rule, interest)
        if reasons is not None:
            return Grade(grade=rule.grade, rule=rule.id, version=grading.version, reason="; ".join(reasons) or "no earlier rule matched")
    raise ValueError(f"Grading {grading.version} has no rule for {interest}.")


def _matched(rule: GradeRule, interest: Interest) -> list[str] | None:
    """The facts that satisfy the rule, or None when one of its conditions fails."""
    reasons = []
    if rule.intents:
        if interest.intent not in rule.intents:
            return None
        reasons.append(f"intent {interest.intent}")
    if rule.within_days is not None:
        if interest.within_days is None or interest.within_days > rule.within_days:
            return None
        reasons.append(f"within {interest.within_days} days")
    if rule.min_budget is not None:
        budget = interest.budget
        if budget is None or budget.currency != rule.min_budget.currency or budget.minor < rule.min_budget.minor:
            return None
        reasons.append(f"budget from {format_amount(rule.min_budget)} {rule.min_budget.currency}")
    return reasons
