"""RMB capitals as the banks' rules for bills write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values.money import Money, parse_amount
from shared.values.rmb import rmb_capitals

DIGITS = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1000}
WORTH = {"亿": 10**10, "万": 10**6, "元": 100, "角": 10, "分": 1}


@pytest.mark.parametrize(
    ("amount", "capitals"),
    [
        ("0.00", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("0.55", "伍角伍分"),
        ("1.00", "壹元整"),
        ("10.00", "壹拾元整"),
        ("15.00", "壹拾伍元整"),
        ("101.00", "壹佰零壹元整"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("1001.00", "壹仟零壹元整"),
        ("1010.00", "壹仟零壹拾元整"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("100010.00", "壹拾万零壹拾元整"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("189800.00", "壹拾捌万玖仟捌佰元整"),
        ("200000.50", "贰拾万元伍角整"),
        ("10000000.00", "壹仟万元整"),
        ("100000000.00", "壹亿元整"),
        ("100002000.00", "壹亿零贰仟元整"),
        ("100000001.01", "壹亿零壹元零壹分"),
        ("1000100000.00", "壹拾亿零壹拾万元整"),
        ("999999999999.99", "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        ("-12.30", "负壹拾贰元叁角整"),
    ],
)
def test_an_amount_in_capitals(amount: str, capitals: str) -> None:
    assert rmb_capitals(parse_amount(amount, "CNY")) == capitals


def value(capitals: str) -> int:
    """Reads capitals back into fen, by a way of its own."""
    total = section = digit = 0
    for character in capitals.removeprefix("负").removesuffix("整"):
        if character in DIGITS:
            digit = DIGITS[character]
            continue
        if character in UNITS:
            section += digit * UNITS[character]
        elif character in WORTH:
            total += (section + digit) * WORTH[character]
            section = 0
        digit = 0
    return -total if capitals.startswith("负") else total


@given(st.integers(-(10**14) + 1, 10**14 - 1))
def test_capitals_say_the_amount_and_never_two_zeros(minor: int) -> None:
    capitals = rmb_capitals(Money(minor))
    assert value(capitals) == minor
    assert "零零" not in capitals
    assert capitals.endswith(("整", "分"))


@pytest.mark.parametrize("amount", [Money(1, "USD"), Money(10**14), Money(-(10**14))])
def test_other_currencies_and_a_trillion_are_refused(amount: Money) -> None:
    with pytest.raises(ValueError, match="capitals"):
        rmb_capitals(amount)
