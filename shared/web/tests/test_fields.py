"""A9–A12, A22–A24, A63, A64: fields and parameters."""

import json as standard
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.values.money import Money
from shared.web import json
from shared.web.body import Clean, MoneyRule, amount
from shared.web.problems import Problem
from shared.web.tests.client import Client
from shared.web.tests.example import NORTH, running

CNY = {"amount": "189800.00", "currency": "CNY"}
TAG = {"store_id": NORTH, "title": "Golf", "price": CNY}
KEY = {"idempotency-key": "k1"}


@pytest.fixture
async def lin() -> AsyncIterator[Client]:
    """Lin of the north store."""
    async with running() as client:
        yield client


async def refused(lin: Client, **fields: Any) -> tuple[str, dict[str, str]]:
    """The problem of a tag with these fields, which must be 422."""
    answer = await lin.post("/api/v1/tags", {**TAG, **fields}, KEY)
    assert answer.status == 422, answer
    return answer.problem, answer.errors


async def test_a09_unknown_field(lin: Client) -> None:
    assert await refused(lin, role="owner") == ("unknown-field", {"role": "is not a known field"})
    assert await refused(lin, price={**CNY, "tax": "1"}) == ("unknown-field", {"price.tax": "is not a known field"})


async def test_a09_the_name_of_an_unknown_field_is_not_echoed_when_it_is_no_name(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", {**TAG, "<script>alert(1)</script>": "hunter2"}, KEY)
    assert answer.errors == {"?": "is not a known field"}
    assert b"script" not in answer.body
    assert b"hunter2" not in answer.body


@pytest.mark.parametrize("title", ["a\u0000b", "a\u0007b", "a\u001bb", "a\u007fb", "a\u0085b", "\b", "\f"])
async def test_a10_control_characters(lin: Client, title: str) -> None:
    assert await refused(lin, title=title) == ("validation", {"title": "holds control characters"})


async def test_a10_in_the_name_of_a_field_or_the_query(lin: Client) -> None:
    assert (await refused(lin, **{"a\u0000": 1}))[0] == "validation"
    answer = await lin.get("/api/v1/counts?day=2026-11-22&title=a%00b")
    assert (answer.status, answer.errors) == (422, {"title": "holds control characters"})


async def test_a10_a_line_has_no_breaks_and_a_text_may(lin: Client) -> None:
    assert await refused(lin, title="a\nb") == ("validation", {"title": "must be a single line"})
    assert await refused(lin, title="a\u2028b") == ("validation", {"title": "must be a single line"})
    assert (await lin.post("/api/v1/tags", {**TAG, "note": "a\r\nb\tc"}, KEY)).status == 201


@pytest.mark.parametrize("raw", [b'"\\ud800"', b'"\\udfff\\ud800"', b'"a\\uDC00b"'])
async def test_a11_lone_surrogate(lin: Client, raw: bytes) -> None:
    answer = await lin.post("/api/v1/tags", b'{"title":' + raw + b"}", KEY)
    assert (answer.status, answer.problem) == (422, "validation")


async def test_a11_a_pair_is_a_character(lin: Client) -> None:
    answer = await lin.post(
        "/api/v1/tags", b'{"store_id":"%s","title":"\\ud83d\\ude97","price":{"amount":"1.00","currency":"CNY"}}' % NORTH.encode(), KEY
    )
    assert answer.status == 201


@pytest.mark.parametrize("number", [str(2**63), str(-(2**63) - 1), "9" * 5000, "-" + "1" * 4301])
async def test_a12_integers_beyond_int64(lin: Client, number: str) -> None:
    answer = await lin.post("/api/v1/tags", f'{{"copies":{number}}}'.encode(), KEY)
    assert (answer.status, answer.problem) == (422, "validation")


@pytest.mark.parametrize("copies", ["1", 1.0, 1.5, True, None, [1]])
async def test_nothing_is_converted(lin: Client, copies: object) -> None:
    assert await refused(lin, copies=copies) == ("validation", {"copies": "must be a whole number"})


async def test_what_was_sent_is_not_echoed(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", {"store_id": "hunter2", "title": ["hunter2"], "price": "hunter2", "vin": "hunter2"}, KEY)
    assert set(answer.errors) == {"store_id", "title", "price", "vin"}
    assert b"hunter2" not in answer.body


async def test_reasons_speak_chinese(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", {}, {**KEY, "accept-language": "zh"})
    assert answer.errors == {"store_id": "必填", "title": "必填", "price": "必填"}


async def test_missing_body_and_wrong_shape(lin: Client) -> None:
    assert (await lin.post("/api/v1/tags", None, KEY)).errors == {"": "is required"}
    assert (await lin.post("/api/v1/tags", [], KEY)).errors == {"": "must be an object"}


@pytest.mark.parametrize("query", ["day=2026-11-22&day=2026-11-23", "day=2026-11-22&copies=1&copies=1"])
async def test_a22_repeated_parameter(lin: Client, query: str) -> None:
    answer = await lin.get(f"/api/v1/counts?{query}")
    assert (answer.status, answer.problem) == (422, "validation")
    assert "is given more than once" in answer.errors.values()


@pytest.mark.parametrize(
    "query",
    [
        "day=2026-11-22&user=wu",
        "day=2026-11-22&" + "&".join(f"a{i}=1" for i in range(100)),
        "day=2026-11-22&=1",
        "day=2026-11-22&%ff=1",
        "day=2026-11-22&title=%ff",
    ],
)
async def test_a53_unknown_or_unreadable_parameter(lin: Client, query: str) -> None:
    assert (await lin.get(f"/api/v1/counts?{query}")).status == 422


@pytest.mark.parametrize("copies", ["1_0", "+1", " 1", "1.0", "1e2", "٣", "9" * 30, ""])
async def test_query_numbers_are_plain(lin: Client, copies: str) -> None:
    answer = await lin.send(
        "GET", "/api/v1/counts?day=2026-11-22&copies=" + copies.replace("+", "%2B").replace(" ", "%20").replace("٣", "%D9%A3")
    )
    assert (answer.status, answer.errors) == (422, {"copies": "must be a whole number"})


async def test_query_values(lin: Client) -> None:
    answer = await lin.get("/api/v1/counts?day=2026-11-22&copies=-3&shown=false")
    assert answer.json == {"day": "2026-11-22", "copies": -3, "shown": False, "title": None}
    assert (await lin.get("/api/v1/counts")).errors == {"day": "is required"}
    assert (await lin.get("/api/v1/counts?day=2026-11-22&shown=1")).errors == {"shown": "must be true or false"}


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1999-12-31T23:59:59Z", "2026-02-31T00:00:00Z", "2026-11-22T09:30:00"]
)
@pytest.mark.parametrize("shape", ["{}", " {}"])
async def test_a23_moments(lin: Client, at: str, shape: str) -> None:
    assert "valid_from" in (await refused(lin, valid_from=shape.format(at)))[1]


@pytest.mark.parametrize(
    "at", ["2026-11-22T09:30:00+25:00", "2026-11-22", "1700000000", 1700000000, "2026-11-22 09:30:00Z", "２０２６-11-22T09:30:00Z"]
)
async def test_a23_more_moments(lin: Client, at: object) -> None:
    assert "valid_from" in (await refused(lin, valid_from=at))[1]


@pytest.mark.parametrize("day", ["2026-02-31", "0001-01-01", "9999-12-31", "20261122", "2026-W47-7", 20261122])
async def test_a23_days(lin: Client, day: object) -> None:
    assert "first_day" in (await refused(lin, first_day=day))[1]


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("a" + "\u0301" * 6, "holds too many combining marks"),
        ("a" + "\u0301" * 10**5, "has more than 200 characters"),
        ("abc\u202etxt.exe", "holds marks that change the direction of writing"),
        ("abc\u2066x", "holds marks that change the direction of writing"),
        ("a" * 201, "has more than 200 characters"),
        ("", "must not be empty"),
        (" \t ", "must not be empty"),
        (5, "must be text"),
    ],
)
async def test_a24_text(lin: Client, title: object, reason: str) -> None:
    assert await refused(lin, title=title) == ("validation", {"title": reason})


@pytest.mark.parametrize(
    "vin",
    ["LSGXE83L3KD12345", "LSGXE83L3KD1234567", "LSGXE83LOKD123456", "LSGXE83L3KD12345６", "ＬSGXE83L3KD123456", "LSGXE83L3KD12345\u0410"],
)
async def test_a24_vin(lin: Client, vin: str) -> None:
    assert "vin" in (await refused(lin, vin=vin))[1]


def test_a24_text_is_normalised() -> None:
    assert Clean(most=10)(" e\u0301 ") == "é"
    assert Clean(most=10)("\u1100\u1161") == "가"
    assert Clean(most=10, lines=True)("a\r\nb\rc") == "a\nb\nc"


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
@settings(max_examples=300)
def test_a24_clean_text_is_clean_again(text: str) -> None:
    clean = Clean(most=200, lines=True)
    try:
        once = clean(text)
    except (PydanticCustomError, PydanticKnownError):
        return
    assert clean(once) == once
    once.encode()


@pytest.mark.parametrize(
    "sum",
    [
        1.5,
        189800,
        "0.001",
        "1e3",
        "1_000.00",
        "１.00",
        "٣.00",
        "+1.00",
        " 1.00",
        "1.00 ",
        "1",
        "1.0",
        "-0.00",
        "NaN",
        "1,000.00",
        "1" * 13 + ".00",
        ".50",
        "",
    ],
)
async def test_a63_amounts_that_are_none(lin: Client, sum: object) -> None:
    assert any(field.startswith("price") for field in (await refused(lin, price={"amount": sum, "currency": "CNY"}))[1])


@pytest.mark.parametrize("currency", ["cny", "XXX", "", "CNYY", None])
async def test_a63_currency(lin: Client, currency: object) -> None:
    assert any(field.startswith("price") for field in (await refused(lin, price={"amount": "1.00", "currency": currency}))[1])


def test_a63_each_currency_has_its_decimals() -> None:
    rule = MoneyRule()
    for text, currency, minor in [("189800.00", "CNY", 18980000), ("-5", "JPY", -5), ("1.234", "KWD", 1234)]:
        assert rule({"amount": text, "currency": currency}) == Money(minor, currency)
        assert amount(Money(minor, currency)) == {"amount": text, "currency": currency}
    with pytest.raises(Exception, match="amount"):
        rule({"amount": "5.00", "currency": "JPY"})


@pytest.mark.parametrize("sum", ["0.00", "-0.01", "-189800.00"])
async def test_a64_a_price_is_positive(lin: Client, sum: str) -> None:
    assert await refused(lin, price={"amount": sum, "currency": "CNY"}) == ("validation", {"price": "must be more than zero"})


async def test_a64_a_discount_is_not_negative(lin: Client) -> None:
    assert await refused(lin, discount={"amount": "-0.01", "currency": "CNY"}) == ("validation", {"discount": "must not be negative"})


_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
_LEAF = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT


@given(st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=20))
@settings(max_examples=200)
def test_json_that_is_fine_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    assert json.parse(standard.dumps(value).encode()) == value
    assert json.parse(standard.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\u0123456789eE.-ntrfalse \t', max_size=80).map(str.encode))
@settings(max_examples=500)
def test_any_bytes_are_json_or_a_problem(raw: bytes) -> None:
    with suppress(Problem):
        json.parse(raw)
