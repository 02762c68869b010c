"""A1–A8, A15–A17, A21, A97: the head, the JSON and the shape of every answer."""

import json
from collections.abc import AsyncIterator

import pytest

from shared.web.tests.client import Client
from shared.web.tests.example import NORTH, running

TAG = {"store_id": NORTH, "title": "Golf", "price": {"amount": "189800.00", "currency": "CNY"}}
KEY = {"idempotency-key": "k1"}


@pytest.fixture
async def lin() -> AsyncIterator[Client]:
    """Lin of the north store."""
    async with running() as client:
        yield client


@pytest.mark.parametrize("body", [b"{", b"[1,]", b"{'a':1}", b"nul", b"{}{}", b'{"a":01}', b"\xef\xbb\xbf{}", b'"a\nb"', b'{"a":"\x00"}'])
async def test_a01_malformed_json(lin: Client, body: bytes) -> None:
    answer = await lin.post("/api/v1/tags", body, KEY)
    assert (answer.status, answer.problem) == (400, "malformed-json")


@pytest.mark.parametrize(
    "body", [b'{"title":"\xff\xfe"}', b'{"title":"\xed\xa0\x80"}', '{"title":"高尔夫"}'.encode("gb18030"), '{"a":1}'.encode("utf-16")]
)
async def test_a02_invalid_utf8(lin: Client, body: bytes) -> None:
    answer = await lin.post("/api/v1/tags", body, KEY)
    assert (answer.status, answer.problem) == (400, "malformed-json")


@pytest.mark.parametrize(
    "body", [b'{"title":"a","title":"b"}', b'{"price":{"amount":"1","amount":"2"}}', b'{"title":"a","t\\u0069tle":"b"}']
)
async def test_a03_duplicate_keys(lin: Client, body: bytes) -> None:
    answer = await lin.post("/api/v1/tags", body, KEY)
    assert (answer.status, answer.problem) == (400, "duplicate-key")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e309", "-1e400"])
async def test_a04_numbers_that_are_none(lin: Client, number: str) -> None:
    answer = await lin.post("/api/v1/tags", f'{{"copies":{number}}}'.encode(), KEY)
    assert (answer.status, answer.problem) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[" * 65 + b"]" * 65, "too-deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too-deep"),
        (b"[{" * 500_000, "too-deep"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too-deep"),
        (b"[" * 64 + b"]" * 64, "validation"),
        (b"[" + b"[]," * 300 + b"[]]", "validation"),
        (b'{"title":"' + b"[" * 150 + b'","labels":[]}', "validation"),
        (b'{"title":"' + b'\\"' * 400_000, "malformed-json"),
    ],
)
async def test_a05_depth(lin: Client, body: bytes, problem: str) -> None:
    assert (await lin.post("/api/v1/tags", body, KEY)).problem == problem


async def test_a06_body_too_large_with_and_without_a_declared_length(lin: Client) -> None:
    large = b'{"title":"' + b"a" * (1 << 20) + b'"}'
    declared = await lin.post("/api/v1/tags", large, {**KEY, "content-length": str(len(large))})
    assert (declared.status, declared.problem) == (413, "body-too-large")
    chunks = [large[i : i + 65536] for i in range(0, len(large), 65536)]
    chunked = await lin.send("POST", "/api/v1/tags", chunks, {**KEY, "content-type": "application/json", "transfer-encoding": "chunked"})
    assert (chunked.status, chunked.problem) == (413, "body-too-large")


async def test_a06_a_raw_body_has_the_limit_of_its_route(lin: Client) -> None:
    good = await lin.post("/api/v1/feeds", b"<adf/>", {"content-type": "text/xml; charset=utf-8"})
    assert good.json == {"length": 6}
    large = await lin.post("/api/v1/feeds", b"<adf>" + b"a" * 1000, {"content-type": "text/xml"})
    assert large.problem == "body-too-large"


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=gbk"]
)
async def test_a07_media_type(lin: Client, media_type: str) -> None:
    answer = await lin.post("/api/v1/tags", TAG, {**KEY, "content-type": media_type})
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize("accept", ["text/html", "application/pdf", "image/*", "application/json;q=0", "application/json;q=0, text/*"])
async def test_a08_accept(lin: Client, accept: str) -> None:
    answer = await lin.get("/api/v1/motd", {"accept": accept})
    assert (answer.status, answer.problem) == (406, "not-acceptable")


@pytest.mark.parametrize("accept", ["", "*/*", "application/*", "text/html, application/json;q=0.5", "APPLICATION/JSON"])
async def test_a08_servable(lin: Client, accept: str) -> None:
    assert (await lin.get("/api/v1/motd", {"accept": accept})).status == 200


async def test_a08_a_route_that_produces_a_file(lin: Client) -> None:
    assert (await lin.get("/api/v1/leaflet.pdf", {"accept": "application/pdf"})).body == b"%PDF-1.7"
    assert (await lin.get("/api/v1/leaflet.pdf", {"accept": "application/json"})).status == 406


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/api/v1/tags", "GET, HEAD, POST"),
        ("TRACE", "/api/v1/tags", "GET, HEAD, POST"),
        ("BREW", "/api/v1/motd", "GET, HEAD"),
        ("POST", "/livez", "GET, HEAD"),
        ("TRACE", "/nowhere", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ],
)
async def test_a15_method(lin: Client, method: str, path: str, allow: str) -> None:
    answer = await lin.send(method, path)
    assert (answer.status, answer.problem, answer.headers["allow"]) == (405, "method-not-allowed", allow)


@pytest.mark.parametrize("host", ["", "a b", "evil/..", "a@b", "a:123456", "[::1", "a,b", "a\x00b", "é.fr", "..", "a?b"])
async def test_a16_host(lin: Client, host: str) -> None:
    answer = await lin.get("/api/v1/motd", {"host": host})
    assert (answer.status, answer.problem) == (400, "bad-request")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:80", "forecourt.example.com."])
async def test_a16_good_hosts(lin: Client, host: str) -> None:
    assert (await lin.get("/api/v1/motd", {"host": host})).status == 200


@pytest.mark.parametrize("path", ["api/v1/motd", "http://evil/api/v1/motd", "*", "", "/api\\v1", "/a\x00b", "/a b", "/a\nb"])
async def test_a16_path(lin: Client, path: str) -> None:
    answer = await lin.get(path)
    assert (answer.status, answer.problem) == (400, "bad-request")


async def test_a16_two_hosts(lin: Client) -> None:
    answer = await lin.send("GET", "/api/v1/motd", more_headers=[("host", "evil.test")])
    assert (answer.status, answer.problem) == (400, "bad-header")


async def test_a17_two_lengths(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", TAG, {**KEY, "content-length": "5", "transfer-encoding": "chunked"})
    assert (answer.status, answer.headers["connection"]) == (400, "close")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
async def test_a21_compressed_body(lin: Client, encoding: str) -> None:
    answer = await lin.post("/api/v1/tags", b"\x1f\x8b", {**KEY, "content-encoding": encoding})
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api/v1/nothing", "/api/v1/tags/", "/api/v1//tags", "/docs", "/api/v1/tags/x/y/z", "/api/v1/tags//price"]
)
async def test_unknown_path(lin: Client, path: str) -> None:
    answer = await lin.get(path)
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_head_is_get(lin: Client) -> None:
    assert (await lin.send("HEAD", "/api/v1/motd")).status == 200


async def test_a97_an_unexpected_error_tells_nothing_but_its_trace(lin: Client) -> None:
    answer = await lin.get("/api/v1/broken", {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    assert (answer.status, answer.problem) == (500, "internal")
    assert b"secret" not in answer.body
    assert answer.json["instance"] == "/traces/4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_database_that_does_not_answer_is_503(lin: Client) -> None:
    answer = await lin.get("/api/v1/down")
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "2")


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "未找到"),
        ("en;q=0.9, zh;q=0.1", "Not found"),
        ("fr", "Not found"),
        ("", "Not found"),
        ("x" * 5000, "Not found"),
    ],
)
async def test_problems_speak_chinese_to_who_prefers_it(lin: Client, language: str, title: str) -> None:
    answer = await lin.get("/nowhere", {"accept-language": language})
    assert answer.json["title"] == title


async def test_every_answer_forbids_sniffing_and_storing(lin: Client) -> None:
    for path in ("/api/v1/motd", "/nowhere", "/api/v1/leaflet.pdf"):
        answer = await lin.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


async def test_health_and_metrics(lin: Client) -> None:
    await lin.get("/api/v1/motd")
    assert (await lin.get("/livez")).json == {"status": "alive"}
    ready = await lin.get("/readyz")
    assert (ready.status, ready.problem, ready.errors) == (503, "not-ready", {"database": "is down"})
    metrics = (await lin.get("/metrics")).body.decode()
    assert 'forecourt_http_requests_total{method="GET",route="/api/v1/motd",status="200"}' in metrics


async def test_json_answers_keep_unicode(lin: Client) -> None:
    assert json.loads((await lin.get("/api/v1/counts?day=2026-11-22&title=%E9%AB%98")).body)["title"] == "高"


async def test_a19_a_body_that_drips(lin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.web.incoming.BODY_WITHIN", 0.05)
    json_ = KEY | {"content-type": "application/json"}
    answer = await lin.send("POST", "/api/v1/tags", [b" "] * 100, json_, pause=0.01)
    assert (answer.status, answer.problem) == (408, "request-timeout")
    assert answer.headers["connection"] == "close"
