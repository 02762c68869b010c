"""Attacks on HTTP and JSON, A1 to A16, against every route of every service."""

import json
import socket
from collections.abc import Callable, Iterator

import httpx2
import pytest

from shared.testing.platform import Person, Platform
from shared.values.ids import new_id
from tests.acceptance.operations import GETS, JSON_POSTS, LISTS, OPERATIONS, POSTS, VIN, Operation
from tests.acceptance.refusals import CANARY, assert_refused, unlike
from tests.acceptance.shop import Shop

BODY_LIMIT = 1 << 20
MARKS = {"idempotency-key": "", "if-match": "*"}

pytestmark = pytest.mark.usefixtures("untouched")


def sent(person: Person, one: Operation, content: bytes | str | Iterator[bytes], **headers: str) -> httpx2.Response:
    """A body as it is, with all headers the route asks for."""
    named = {"content-type": "application/json", **MARKS, "idempotency-key": new_id(), **headers}
    return person.http.post(one.path(), content=content, headers={name: value for name, value in named.items() if value})


def everywhere(
    operations: tuple[Operation, ...], ask: Callable[[Operation], httpx2.Response], statuses: tuple[int, ...], *slugs: str
) -> None:
    """AssertionError naming every route that does not refuse as it must."""
    wrong = {one.name: found for one in operations if (found := unlike(ask(one), statuses, slugs))}
    assert wrong == {}


@pytest.mark.parametrize(
    "body", ['{"zq7canary93": ', "[1, 2", "{'zq7canary93': 1}", '{"a": 1}}', "tru", '{"a": 01}', '{"a": "\x01"}', "\ufeff{}"]
)
def test_a01_malformed_json(everybody: Person, body: str) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, body.encode()), (400,), "malformed-json")


@pytest.mark.parametrize("body", [b'{"zq7canary93": "\xff\xfe"}', b'{"a": "\xed\xa0\x80"}', b"\xff\xfe{\x00}\x00", b'{"a": "\xc0\xaf"}'])
def test_a02_invalid_utf8(everybody: Person, body: bytes) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, body), (400,), "malformed-json")


def test_a03_a_key_twice(everybody: Person) -> None:
    def twice(one: Operation) -> str:
        whole = json.dumps(one.body())
        return whole[:-1] + f', "{next(iter(one.body()))}": "{CANARY}"}}'

    everywhere(JSON_POSTS, lambda one: sent(everybody, one, twice(one)), (400,), "duplicate-key")
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, '{"a": {"b": 1, "b": 2}}'), (400,), "duplicate-key")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e309", "-1e400"])
def test_a04_what_is_no_number(everybody: Person, number: str) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, f'{{"x": "{CANARY}", "y": {number}}}'), (400, 422))


@pytest.mark.parametrize("body", ["[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "[" * 100_000, '{"a":[' * 5_000])
def test_a05_nested_too_deeply(everybody: Person, body: str) -> None:
    everywhere(
        JSON_POSTS, lambda one: sent(everybody, one, body), (400,), "too-deep", "malformed-json" if len(body) > 1_000 else "too-deep"
    )


def test_a06_a_body_above_the_limit(everybody: Person) -> None:
    large = json.dumps({CANARY: "x" * BODY_LIMIT}).encode()
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, large), (413,), "body-too-large")


def test_a06_a_body_above_the_limit_that_does_not_say_its_length(everybody: Person) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"zq7canary93": "'
        for _ in range(17):
            yield b"x" * 65_536

    first_of_each = tuple({one.context: one for one in JSON_POSTS}.values())
    everywhere(first_of_each, lambda one: sent(everybody, one, chunks()), (413,), "body-too-large")


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=gbk",
        "application/xml",
    ],
)
def test_a07_another_media_type(everybody: Person, media_type: str) -> None:
    body = f'{{"{CANARY}": 1}}'
    everywhere(
        JSON_POSTS, lambda one: sent(everybody, one, body.encode(), **{"content-type": media_type}), (415,), "unsupported-media-type"
    )


def test_a07_a_compressed_body(everybody: Person) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, b"\x1f\x8b", **{"content-encoding": "gzip"}), (415,), "unsupported-media-type")


@pytest.mark.parametrize("accept", ["text/html", "image/png, text/plain;q=0.5", "application/json;q=0", "*/*;q=0"])
def test_a08_an_answer_of_another_type(everybody: Person, accept: str) -> None:
    everywhere(POSTS, lambda one: sent(everybody, one, b"", accept=accept), (406,), "not-acceptable")
    everywhere(GETS, lambda one: everybody.http.get(one.path(), headers={"accept": accept}), (406,), "not-acceptable")


def test_a09_a_field_nobody_knows(everybody: Person) -> None:
    everywhere(
        tuple(one for one in POSTS if one.takes_json or one.route.plan.raw is None),
        lambda one: sent(everybody, one, json.dumps({**(one.body() or {}), f"<b>{CANARY}": CANARY})),
        (422,),
        "unknown-field",
    )


@pytest.mark.parametrize("text", ["a\\u0000b", "\\u0007", "\\u001b[31m", "a\\u0085b", "\\u007f"])
def test_a10_control_characters(everybody: Person, text: str) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, f'{{"x": "{CANARY}{text}"}}'), (422,), "validation")


@pytest.mark.parametrize("query", ["%00", "a%00b", "%1b%5b31m"])
def test_a10_control_characters_in_a_query(everybody: Person, query: str) -> None:
    def ask(one: Operation) -> httpx2.Response:
        return everybody.http.get(f"{one.path()}?{next(iter(one.route.plan.query), 'cursor')}={query}")

    everywhere(GETS, ask, (422,), "validation", "unknown-parameter")


@pytest.mark.parametrize("text", ["\\ud800", "a\\udfffb", "\\udc00\\ud800"])
def test_a11_half_a_character(everybody: Person, text: str) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, f'{{"x": "{CANARY}{text}"}}'), (422,), "validation")


@pytest.mark.parametrize("number", [str(2**63), str(-(2**63) - 1), "9" * 5_000])
def test_a12_a_number_beyond_the_range(everybody: Person, number: str) -> None:
    everywhere(JSON_POSTS, lambda one: sent(everybody, one, f'{{"x": "{CANARY}", "y": {number}}}'), (422,), "validation")


@pytest.fixture(scope="module")
def listed(shop: Shop, everybody: Person) -> Callable[..., httpx2.Response]:
    """`listed(one, **query)` asks for a list; one that belongs to a customer, for a customer's whom the attacker may see."""
    customer = shop.customer()
    named = {"/reports/events": {"vin": VIN}}
    return lambda one, **query: everybody.http.get(one.path(customer_id=customer), params={**named.get(one.template, {}), **query})


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1000000000", "9" * 30, "1e2", "ten", "", "1.5"])
def test_a13_a_page_of_no_size(listed: Callable[..., httpx2.Response], limit: str) -> None:
    everywhere(LISTS, lambda one: listed(one, limit=limit), (422,), "validation")


def test_a13_a_cursor_that_was_not_made_here(listed: Callable[..., httpx2.Response], shop: Shop) -> None:
    assert shop.lead() != shop.lead()
    made = shop.sales.get("/leads", limit=1).json()["next_cursor"]
    turned = made[:-2] + ("A" if made[-2] != "A" else "B") + made[-1]
    for cursor in (turned, made[:-4], "x" * 40, "../../etc/passwd", "A" * 2_000, made.swapcase()):
        everywhere(LISTS, lambda one, cursor=cursor: listed(one, cursor=cursor), (400,), "bad-cursor")  # type: ignore[misc]
    everywhere(LISTS, lambda one: listed(one, cursor=made), (400,), "bad-cursor")
    assert_refused(shop.manager.get("/leads", cursor=made, limit=1), 400, "bad-cursor")
    assert_refused(shop.sales.get("/leads", cursor=made, status="queued"), 400, "bad-cursor")
    assert shop.sales.get("/leads", cursor=made, limit=1).status_code == 200


@pytest.mark.parametrize("sort", ["name", "phone", "version; drop table events", "1", "captured_at desc", "", "(select 1)", "''"])
def test_a14_sorted_by_what_is_not_offered(listed: Callable[..., httpx2.Response], sort: str) -> None:
    everywhere(LISTS, lambda one: listed(one, sort=sort), (422,), "validation")


@pytest.mark.parametrize("name", ["phone_index", "1=1 or x", "document", "<b>zq7canary93", "fields", "order", "where"])
def test_a14_filtered_by_what_is_not_offered(everybody: Person, name: str) -> None:
    everywhere(GETS, lambda one: everybody.http.get(one.path(), params={name: "1"}), (422,), "unknown-parameter", "validation")


@pytest.mark.parametrize("value", ["' or '1'='1", "1); drop table events; --", "%27%20or%201=1", "$where", "{{7*7}}", "*", "../.."])
def test_a14_filtered_by_an_injection(everybody: Person, value: str) -> None:
    filtered = tuple(one for one in GETS if one.route.plan.query)
    for name in {name for one in filtered for name in one.route.plan.query} - {"brand", "series", "stage", "grade", "phone"}:
        having = tuple(one for one in filtered if name in one.route.plan.query)
        everywhere(having, lambda one, name=name: everybody.http.get(one.path(), params={name: value}), (422,), "validation")  # type: ignore[misc]


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE", "PROPFIND"])
def test_a15_a_method_that_is_not_there(everybody: Person, method: str) -> None:
    wrong = {}
    for one in {one.template: one for one in OPERATIONS}.values():
        answer = everybody.http.request(method, one.path(), headers=MARKS | {"idempotency-key": new_id()})
        if found := unlike(answer, (405,), ("method-not-allowed",)):
            wrong[one.template] = found
        elif one.method not in answer.headers.get("allow", "") and method != "PROPFIND":
            wrong[one.template] = f"Allow: {answer.headers.get('allow')}"
    assert wrong == {}


def raw(platform: Platform, head: str) -> tuple[int, str]:
    """Status and text of the answer to a request as it is."""
    with socket.create_connection(("127.0.0.1", platform.base + 80), timeout=10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        text = b""
        while chunk := connection.recv(65_536):
            text += chunk
    return int(text.split(b" ", 2)[1]), text.decode("latin-1")


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/v1/stores HTTP/1.1\n",
        "GET /api/v1/stores HTTP/1.1\nHost: \n",
        "GET /api/v1/stores HTTP/1.1\nHost: a b\n",
        "GET /api/v1/stores HTTP/1.1\nHost: evil/zq7canary93\n",
        "GET /api/v1/stores HTTP/1.1\nHost: evil?zq7canary93\n",
        "GET /api/v1/stores HTTP/1.1\nHost: user@evil\n",
        "GET /api/v1/stores HTTP/1.1\nHost: evil:99999999\n",
        "GET /api/v1/stores HTTP/1.1\nHost: a\nHost: b\n",
        "GET api/v1/stores HTTP/1.1\nHost: a\n",
        "GET ?zq7canary93 HTTP/1.1\nHost: a\n",
        "GET /api/v1/stores%00zq7canary93 HTTP/1.1\nHost: a\n",
        "GET /api/v1/stores%0d%0aX:1 HTTP/1.1\nHost: a\n",
        "GET /api/v1\\stores HTTP/1.1\nHost: a\n",
    ],
)
def test_a16_a_malformed_host_or_path(platform: Platform, everybody: Person, head: str) -> None:
    token = everybody.token
    status, text = raw(platform, f"{head}Authorization: Bearer {token}\nConnection: close\n\n")
    assert status == 400, text
    assert CANARY not in text
    assert "application/problem+json" in text
    assert '"/problems/bad-' in text


def test_a16_a_host_of_somebody_else_is_never_believed(platform: Platform, everybody: Person) -> None:
    """What an answer says of its own address is a path."""
    answer = everybody.http.get("/stores", headers={"host": "evil.example"})
    assert "evil.example" not in answer.text
    assert "evil.example" not in str(answer.headers)
