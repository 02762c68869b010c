"""Phones: one form to match by, one to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.values.phone import Phone, mask, normalise


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86 138-0013-8000", "US", "+8613800138000"),
        ("0086 13800138000", "CN", "+8613800138000"),
        ("\uff11\uff13\uff1800138000", "CN", "+8613800138000"),
        ("(425) 555-1212", "us", "+14255551212"),
        ("1-888-755-4460 ext. 3", "CA", "+18887554460"),
        ("010-62345678", "CN", "+861062345678"),
    ],
)
def test_a_number_is_read_with_its_countrys_customs(raw: str, region: str, e164: str) -> None:
    assert normalise(raw, region) == Phone(raw, e164, region)


@pytest.mark.parametrize("raw", ["", "call me", "12345", "1234567890", "9999999999", "138001380001", "\x00", "+" * 300, "微信同号"])
def test_what_is_no_number_stays_raw_and_is_flagged(raw: str) -> None:
    assert normalise(raw, "US") == Phone(raw, None, "US")


def test_without_a_known_region_only_international_numbers_parse() -> None:
    assert normalise("13800138000", "??").e164 is None
    assert normalise("+8613800138000", "??").e164 == "+8613800138000"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+8613800000000", "138****0000"),
        ("+14255551212", "+1 425****1212"),
        ("+6581234567", "+65 ****67"),
        ("call 555", "****55"),
        ("1234", "****"),
        ("", ""),
    ],
)
def test_a_masked_number_shows_what_a_colleague_needs(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.text(max_size=40))
def test_any_text_is_read_and_masked_without_a_fault(text: str) -> None:
    assert normalise(text, "CN").raw == text
    if len(text) > 7:
        assert text not in mask(text)
