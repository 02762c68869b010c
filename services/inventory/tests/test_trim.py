"""The catalogue: a trim is listed once, and a price always has a validity and a source."""

from dataclasses import replace
from datetime import date

from services.inventory.domain.trim import ListPrice, ListTrim, PriceListed, TrimListed, price_on, trim
from services.inventory.tests.cars import noon
from shared.decider import Take
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(trim)
guide = Money(18_980_000)
list_trim = ListTrim(
    trim_id="trim-1",
    brand="Aurora",
    series="A5",
    model_year=2026,
    name="A5 Long Range",
    powertrain="electric",
    imported=False,
    guide_price=guide,
    at=noon,
)
listed = TrimListed(
    trim_id="trim-1",
    brand="Aurora",
    series="A5",
    model_year=2026,
    name="A5 Long Range",
    powertrain="electric",
    imported=False,
    guide_price=guide,
)
list_price = ListPrice(store_id=None, price=Money(18_500_000), valid_from=date(2026, 3, 1), valid_to=None, source="HQ circular 12", at=noon)
for_all = PriceListed(store_id=None, price=Money(18_500_000), valid_from=date(2026, 3, 1), valid_to=None, source="HQ circular 12")
in_north = replace(for_all, store_id="north", price=Money(18_200_000), valid_from=date(2026, 4, 1), valid_to=date(2026, 4, 30))


def test_a_trim_is_listed_once() -> None:
    reason = "The catalogue has this trim already."
    key = "aurora/a5/2026/a5 long range"
    given().when(list_trim).then(listed).claims(Take(kind="trim", key=key, problem="already-exists", reason=reason))
    given(listed).when(list_trim).rejected("illegal-transition")


def test_prices_are_above_zero_and_in_one_currency() -> None:
    given().when(replace(list_trim, guide_price=Money(0))).rejected("amount-not-positive")
    given(listed).when(replace(list_price, price=Money(-1))).rejected("amount-not-positive")
    given(listed).when(replace(list_price, price=Money(1, "USD"))).rejected("currency-differs")


def test_a_price_has_a_validity_and_a_source() -> None:
    given(listed).when(list_price).then(for_all)
    given(listed).when(replace(list_price, valid_to=date(2026, 2, 1))).rejected("validity-invalid")


def test_listing_the_same_price_again_changes_nothing() -> None:
    given(listed, for_all).when(list_price).then_nothing()


def test_a_price_is_listed_for_a_known_trim() -> None:
    given().when(list_price).rejected("illegal-transition")


def test_the_stores_own_price_counts_before_the_one_for_all() -> None:
    prices = (for_all, in_north)
    assert price_on(prices, "north", date(2026, 2, 28)) is None
    assert price_on(prices, "north", date(2026, 3, 31)) == for_all
    assert price_on(prices, "north", date(2026, 4, 1)) == in_north
    assert price_on(prices, "north", date(2026, 4, 30)) == in_north
    assert price_on(prices, "north", date(2026, 5, 1)) == for_all
    assert price_on(prices, "south", date(2026, 4, 1)) == for_all


def test_of_two_valid_prices_the_one_that_began_last_counts_then_the_later_listed() -> None:
    later = replace(for_all, price=Money(18_400_000))
    assert price_on((for_all, later), "north", date(2026, 3, 2)) == later
    newer = replace(for_all, price=Money(18_300_000), valid_from=date(2026, 3, 2))
    assert price_on((newer, for_all, later), "north", date(2026, 3, 2)) == newer
    assert price_on((newer, for_all, later), "north", date(2026, 3, 1)) == later
    offer = replace(for_all, price=Money(17_900_000), valid_to=date(2026, 3, 31))
    assert price_on((for_all, offer), "north", date(2026, 3, 31)) == offer
    assert price_on((for_all, offer), "north", date(2026, 4, 1)) == for_all
