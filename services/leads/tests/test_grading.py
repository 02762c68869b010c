"""Which rule gives which grade."""

import pytest

from services.leads.domain.grading import STANDARD, GradeRule, Grading, Interest, grade
from shared.values.money import Money


@pytest.mark.parametrize(
    ("interest", "expected", "rule"),
    [
        (Interest(intent="buy", within_days=7), "H", "buys-within-a-week"),
        (Interest(intent="buy", within_days=8), "A", "within-a-fortnight"),
        (Interest(intent="order"), "H", "orders-now"),
        (Interest(intent="buy", budget=Money(10_000_000)), "A", "buys-with-a-budget"),
        (Interest(intent="buy", budget=Money(9_999_999)), "B", "wants-to-buy"),
        (Interest(intent="buy", budget=Money(99_000_000, "USD")), "B", "wants-to-buy"),
        (Interest(within_days=30), "B", "within-a-month"),
        (Interest(within_days=31), "C", "later"),
        (Interest(), "C", "later"),
    ],
)
def test_the_first_rule_that_matches_gives_the_grade(interest: Interest, expected: str, rule: str) -> None:
    graded = grade(interest, STANDARD)
    assert (graded.grade, graded.rule, graded.version) == (expected, rule, 1)


def test_the_reason_names_the_facts_relied_on() -> None:
    assert grade(Interest(intent="buy", within_days=5), STANDARD).reason == "intent buy; within 5 days"
    assert grade(Interest(intent="test-drive", budget=Money(20_000_000)), STANDARD).reason == "intent test-drive; budget from 100000.00 CNY"
    yen = Grading(version=1, rules=(GradeRule(id="rich", grade="A", min_budget=Money(5_000_000, "JPY")),))
    assert grade(Interest(budget=Money(6_000_000, "JPY")), yen).reason == "budget from 5000000 JPY"
    assert grade(Interest(), STANDARD).reason == "no earlier rule matched"


def test_a_group_brings_its_own_rules_and_names() -> None:
    own = Grading(version=7, rules=(GradeRule(id="soon", grade="hot", within_days=3), GradeRule(id="rest", grade="cold")))
    assert grade(Interest(within_days=2), own).grade == "hot"
    assert grade(Interest(within_days=4), own).version == 7


def test_rules_that_leave_somebody_out_are_an_error() -> None:
    with pytest.raises(ValueError, match="no rule"):
        grade(Interest(), Grading(version=1, rules=(GradeRule(id="soon", grade="H", within_days=3),)))
