"""VINs: normalised, checked, warned about."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values.vin import CHECK_DIGIT, Vin, check_digit, check_digit_ok, parse_vin, read_vin

ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
vins = st.text(ALPHABET, min_size=17, max_size=17)


def test_real_vins_pass_in_lower_case_and_with_spaces_around() -> None:
    assert read_vin(" 5xyktca69fg566472\n") == Vin("5XYKTCA69FG566472")
    assert read_vin("1HGCM82633A004352").warnings == ()
    assert read_vin("1M8GDM9AXKP042788").warnings == ()


def test_a_wrong_check_digit_warns() -> None:
    assert read_vin("1HGCM82643A004352") == Vin("1HGCM82643A004352", (CHECK_DIGIT,))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "17 characters"),
        ("1HGCM82633A00435", "17 characters"),
        ("1HGCM82633A0043522", "17 characters"),
        ("IHGCM82633A004352", "never I, O or Q"),
        ("1HGCM82633A00435O", "never I, O or Q"),
        ("1HGCM82633A00435Q", "never I, O or Q"),
        ("1HGCM-2633A004352", "only letters and digits"),
        ("1HGCM 2633A004352", "only letters and digits"),
        ("1HGCM\x002633A004352", "only letters and digits"),
        ("1HG\u0421M82633A004352", "A to Z"),
        ("\uff11HGCM82633A004352", "A to Z"),
        ("1HGCM82633A00435ß", "A to Z"),
        ("1HGCM82633A00435\u017f", "A to Z"),
    ],
)
def test_what_cannot_be_a_vin_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_vin(text)


@given(vins)
def test_the_right_check_digit_always_passes(vin: str) -> None:
    right = vin[:8] + check_digit(vin) + vin[9:]
    assert check_digit_ok(right)
    assert parse_vin(right.lower()) == right
    wrong = vin[:8] + ("1" if check_digit(vin) == "0" else "0") + vin[9:]
    assert not check_digit_ok(wrong)


@given(vins, st.integers(0, 16).filter(lambda place: place != 8), st.sampled_from(string.digits))
def test_one_mistyped_digit_is_always_noticed(vin: str, place: int, typed: str) -> None:
    right = vin[:place] + "5" + vin[place + 1 :]
    right = right[:8] + check_digit(right) + right[9:]
    assert check_digit_ok(right[:place] + typed + right[place + 1 :]) == (typed == "5")
