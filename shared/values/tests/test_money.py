"""Amounts are whole minor units: read and written strictly, rounded once, split to the last cent."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values.money import DECIMALS, Money, divide, format_amount, parse_amount, permille, split, vat_inside

minors = st.integers(-(10**13), 10**13)
gross = st.integers(0, 10**13)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("189800.00", "CNY", 18980000),
        ("-0.05", "CNY", -5),
        ("0.00", "CNY", 0),
        ("189800", "JPY", 189800),
        ("1.234", "KWD", 1234),
        ("999999999999.99", "CNY", 99999999999999),
    ],
)
def test_an_amount_is_read_in_its_currencys_decimals(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == Money(minor, currency)
    assert format_amount(Money(minor, currency)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "189800", "189800.0", "0.001", "1e3", "1_000.00", "\uff11.\uff10\uff10", "\u0661.\u0660\u0660", "+1.00", " 1.00", "1.00\n"),
        *("1,000.00", "--1.00", ".50", "1.", "NaN", "1234567890123.00", "0x10.00", "1.00 CNY"),
    ],
)
def test_anything_else_is_no_amount_in_cny(text: str) -> None:
    with pytest.raises(ValueError, match="exactly 2 decimals"):
        parse_amount(text, "CNY")


def test_a_yen_amount_has_no_decimals() -> None:
    with pytest.raises(ValueError, match="exactly 0 decimals"):
        parse_amount("100.00", "JPY")


def test_an_unknown_currency_is_refused_without_echo() -> None:
    with pytest.raises(ValueError, match="not known") as refused:
        parse_amount("1.00", "<b>")
    assert "<b>" not in str(refused.value)


@given(minors, st.sampled_from(sorted(DECIMALS)))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    money = Money(minor % 10**12, currency)
    assert parse_amount(format_amount(money), currency) == money
    assert parse_amount(format_amount(-money), currency) == -money


def test_two_currencies_neither_add_up_nor_compare() -> None:
    yuan, dollar = Money(1), Money(1, "USD")
    assert yuan != dollar
    for operation in (lambda: yuan + dollar, lambda: yuan - dollar, lambda: yuan < dollar, lambda: yuan >= dollar):
        with pytest.raises(ValueError, match="different currencies"):
            operation()


@given(minors, minors)
def test_amounts_of_one_currency_add_and_compare_like_their_minor_units(one: int, other: int) -> None:
    assert Money(one) + Money(other) == Money(one + other)
    assert Money(one) - Money(other) == Money(one - other)
    assert (Money(one) < Money(other), Money(one) <= Money(other)) == (one < other, one <= other)
    assert (Money(one) > Money(other), Money(one) >= Money(other)) == (one > other, one >= other)


@given(minors, st.integers(1, 10**6))
def test_a_quotient_is_off_by_half_a_unit_at_most_and_halves_go_up_or_to_even(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    up, even = divide(numerator, denominator), divide(numerator, denominator, "half-even")
    assert even == round(exact)
    assert abs(up - exact) <= Fraction(1, 2)
    if abs(up - exact) == Fraction(1, 2):
        assert abs(up) > abs(exact)
    assert divide(-numerator, denominator) == -up


def test_a_quotient_needs_a_positive_denominator() -> None:
    with pytest.raises(ValueError, match="positive"):
        divide(1, 0)


def test_per_mille_rounds_once() -> None:
    assert permille(Money(18980000), 200) == Money(3796000)
    assert permille(Money(50), 10) == Money(1)
    assert permille(Money(50), 10, "half-even") == Money(0)
    assert permille(Money(-50), 10) == Money(-1)


def test_vat_is_inside_the_price_of_a_new_car() -> None:
    assert vat_inside(Money(11300000), 130) == (Money(10000000), Money(1300000))
    assert vat_inside(Money(18980000), 130) == (Money(16796460), Money(2183540))
    assert vat_inside(Money(10050000), 5) == (Money(10000000), Money(50000))


@given(gross, st.integers(0, 1000))
def test_net_and_vat_always_make_the_gross(minor: int, rate: int) -> None:
    net, vat = vat_inside(Money(minor), rate)
    assert net + vat == Money(minor)
    assert abs(net.minor - Fraction(minor * 1000, 1000 + rate)) <= Fraction(1, 2)


def test_a_hundred_in_three_shares_loses_no_cent() -> None:
    assert split(Money(10000), [1, 1, 1]) == [Money(3334), Money(3333), Money(3333)]
    assert split(Money(-10000), [1, 1, 1]) == [Money(-3334), Money(-3333), Money(-3333)]
    assert split(Money(5), [0, 3, 1]) == [Money(0), Money(4), Money(1)]


@given(minors, st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_a_split_sums_exactly_and_every_part_is_within_a_unit_of_its_share(minor: int, shares: list[int]) -> None:
    parts = split(Money(minor, "USD"), shares)
    assert sum(parts, Money(0, "USD")) == Money(minor, "USD")
    for part, share in zip(parts, shares, strict=True):
        assert abs(part.minor - Fraction(minor * share, sum(shares))) < 1


@pytest.mark.parametrize("shares", [[], [0, 0], [2, -1]])
def test_a_split_needs_shares(shares: list[int]) -> None:
    with pytest.raises(ValueError, match="Shares"):
        split(Money(1), shares)
