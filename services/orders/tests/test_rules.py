"""Rules are rows with a validity and a source; the newest that has begun is in force."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.orders.domain.rules import (
    SALES_RULES,
    TAX_RULES,
    EnactSalesRules,
    EnactTaxRules,
    Rulebook,
    SalesRulesEnacted,
    TaxRulesEnacted,
    rulebook,
    sales_rules,
    tax_rule,
)
from shared.decider import Rejected
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(rulebook)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
stricter = replace(SALES_RULES[0], valid_from=date(2026, 5, 1), minimum_down_permille=300, source="board decision 7")
kinder = replace(TAX_RULES[1], valid_from=date(2026, 6, 1), relief_cap=Money(2_000_000), source="a later announcement")


def test_an_administrator_enacts_rules() -> None:
    given().when(EnactSalesRules(rules=stricter, by="admin", at=noon)).then(SalesRulesEnacted(rules=stricter, by="admin"))
    given(SalesRulesEnacted(rules=stricter, by="admin")).when(EnactSalesRules(rules=stricter, by="root", at=noon)).then_nothing()
    given().when(EnactTaxRules(rules=kinder, by="admin", at=noon)).then(TaxRulesEnacted(rules=kinder, by="admin"))
    given(TaxRulesEnacted(rules=kinder, by="admin")).when(EnactTaxRules(rules=kinder, by="root", at=noon)).then_nothing()


def test_rules_that_make_no_sense_are_refused() -> None:
    given().when(EnactSalesRules(rules=replace(stricter, checklist=("keys", "keys")), by="admin", at=noon)).rejected("bad-rule")
    given().when(EnactTaxRules(rules=replace(kinder, currency="USD"), by="admin", at=noon)).rejected("bad-rule")
    given().when(EnactTaxRules(rules=replace(kinder, valid_to=date(2026, 1, 1)), by="admin", at=noon)).rejected("bad-rule")


def test_the_newest_rules_that_have_begun_are_in_force() -> None:
    enacted = rulebook.fold([SalesRulesEnacted(rules=stricter, by="admin"), TaxRulesEnacted(rules=kinder, by="admin")])
    assert enacted == Rulebook(sales=(stricter,), tax=(kinder,))
    assert sales_rules(date(2026, 4, 30), enacted.sales) == SALES_RULES[0]
    assert sales_rules(date(2026, 5, 1), enacted.sales) == stricter
    before, after = tax_rule(date(2026, 5, 31), "electric", "CNY", enacted.tax), tax_rule(date(2026, 6, 1), "electric", "CNY", enacted.tax)
    assert before is not None
    assert after is not None
    assert (before.relief_cap, after.relief_cap) == (Money(1_500_000), Money(2_000_000))


def test_what_was_enacted_wins_over_a_default_of_the_same_day() -> None:
    ours = replace(SALES_RULES[0], quote_days=14)
    assert sales_rules(date(2026, 1, 1), [ours]).quote_days == 14


def test_no_rules_before_the_first() -> None:
    with pytest.raises(Rejected, match="No rules of selling"):
        sales_rules(date(1999, 1, 1))
