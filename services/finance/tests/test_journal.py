"""Entries by hand, and the periods they fall in."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.finance.domain.entry import CLOSED, Line, period_count
from services.finance.domain.journal import ManualEntryPosted, PostEntry, ReverseEntry, journal
from services.finance.domain.period import ClosePeriod, PeriodClosed, PeriodReopened, ReopenPeriod, period
from services.finance.tests.ledger import totals
from shared.decider import Count
from shared.testing.specs import spec

given = spec(journal)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
post = PostEntry(
    journal_id="j1",
    entity_id="e1",
    store_id="s1",
    currency="CNY",
    text="Rent of March",
    lines=(Line(account="6602", amount=3_000_000), Line(account="1002", amount=-3_000_000)),
    on=date(2026, 3, 2),
    by="wang",
    at=noon,
)
reverse = ReverseEntry(reason="wrong store", on=date(2026, 3, 3), by="wang", at=noon)
close = ClosePeriod(entity_id="e1", period="2026-02", on=date(2026, 3, 2), by="wang", at=noon)
closed = PeriodClosed(entity_id="e1", period="2026-02", by="wang")


def posted() -> ManualEntryPosted:
    (event,) = journal.decide(post, journal.initial)
    assert isinstance(event, ManualEntryPosted)
    return event


def test_an_entry_is_posted_once() -> None:
    assert totals([posted()]) == {"6602": 3_000_000, "1002": -3_000_000}
    given(posted()).when(post).then_nothing()


@pytest.mark.parametrize("credit", [-2_999_999, -3_000_001])
def test_an_unbalanced_entry_is_refused(credit: int) -> None:
    given().when(replace(post, lines=(post.lines[0], Line(account="1002", amount=credit)))).rejected("unbalanced")


def test_an_empty_entry_is_refused() -> None:
    given().when(replace(post, lines=())).rejected("unbalanced")
    given().when(replace(post, lines=(Line(account="1002", amount=0),))).rejected("unbalanced")


def test_accounts_are_those_of_the_chart() -> None:
    given().when(replace(post, lines=(post.lines[0], Line(account="9999", amount=-3_000_000)))).rejected("unknown-reference")


@pytest.mark.parametrize("account", ["1405", "1402", "2202", "2204", "1122", "2221-pending"])
def test_the_sum_of_a_sub_ledger_takes_no_entry_by_hand(account: str) -> None:
    given().when(replace(post, lines=(post.lines[0], Line(account=account, amount=-3_000_000)))).rejected("control-account")


def test_a_mistake_is_reversed_once() -> None:
    reversed_too = [posted(), *journal.decide(reverse, journal.fold([posted()]))]
    assert totals(reversed_too) == {}
    given(*reversed_too).when(reverse).then_nothing()
    given().when(reverse).rejected("illegal-transition")


def test_an_entry_takes_a_place_in_its_period() -> None:
    given().when(post).claims(period_count("e1", "2026-03", by=1, most=CLOSED - 1))


def test_a_period_is_closed_when_it_is_over() -> None:
    given_period = spec(period)
    given_period().when(close).then(closed)
    given_period(closed).when(close).then_nothing()
    given_period().when(replace(close, period="2026-03")).rejected("period-not-over")


def test_a_period_may_be_opened_again() -> None:
    reopen = ReopenPeriod(reason="audit", by="zhao", at=noon)
    spec(period)(closed).when(reopen).then(PeriodReopened(entity_id="e1", period="2026-02", reason="audit", by="zhao"))
    spec(period)().when(reopen).then_nothing()


def test_a_closed_period_has_no_room_for_an_entry() -> None:
    """The tally as the store keeps it: n, and the most of the claim that counts up."""
    (closing,) = period.claims(closed)
    (posting,) = journal.claims(posted())
    assert isinstance(closing, Count)
    assert isinstance(posting, Count)
    entries = 12_345
    assert entries + closing.by <= closing.most
    assert entries + closing.by + posting.by > posting.most
    assert entries + 2 * closing.by > closing.most
    assert closing.most < 2**31
