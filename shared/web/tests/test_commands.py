"""A25–A31: idempotency keys and versions, decided by the real handler on the store in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.deciding import VersionConflict
from shared.handling import Done, InFlight, Request
from shared.web.app import create_app
from shared.web.tests.client import Client
from shared.web.tests.example import NORTH, SOUTH, Runtime, bearer, running, service

PRICE = {"amount": "189800.00", "currency": "CNY"}
TAG = {"store_id": NORTH, "title": "Golf", "price": PRICE}
WU = bearer("wu", stores=(NORTH, SOUTH))


@pytest.fixture
async def lin() -> AsyncIterator[Client]:
    """Lin of the north store."""
    async with running() as client:
        yield client


async def written(lin: Client, key: str = "k1") -> str:
    return str((await lin.post("/api/v1/tags", TAG, {"idempotency-key": key})).json["id"])


async def test_a_created_thing_tells_where_it_is(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", TAG, {"idempotency-key": "k1"})
    assert answer.status == 201
    assert answer.json["version"] == 1
    assert answer.headers["location"] == f"/api/v1/tags/{answer.json['id']}"
    assert answer.headers["etag"] == '"1"'


async def test_a_numbered_thing_and_a_location_of_its_own(lin: Client) -> None:
    first = await lin.post("/api/v1/tags/numbered", TAG, {"idempotency-key": "k1"})
    again = await lin.post("/api/v1/tags/numbered", TAG, {"idempotency-key": "k1"})
    assert first.headers["location"] == f"/api/v1/tags/{first.json['id']}"
    assert again.json == first.json


async def test_a25_missing_key(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", TAG)
    assert (answer.status, answer.problem) == (400, "idempotency-key-missing")


async def test_a26_same_key_other_body(lin: Client) -> None:
    await written(lin)
    answer = await lin.post("/api/v1/tags", {**TAG, "title": "Polo"}, {"idempotency-key": "k1"})
    assert (answer.status, answer.problem) == (422, "idempotency-key-reused")


async def test_a27_a_copy_in_flight_is_answered_409_when_the_first_takes_too_long() -> None:
    class Slow:
        async def handle(self, request: Request) -> Done:
            raise InFlight

    async with running() as lin:
        running_runtime = lin.app.state.runtime  # type: ignore[attr-defined]
        slow = Client(create_app(service, Runtime(running_runtime.store, Slow())), lin.headers)  # type: ignore[arg-type]
        answer = await slow.post("/api/v1/tags", TAG, {"idempotency-key": "k1"})
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (409, "request-in-flight", "1")


async def test_a28_a_key_belongs_to_its_user_and_route(lin: Client) -> None:
    first = await written(lin)
    assert (await lin.post("/api/v1/tags", TAG, {"idempotency-key": "k1", **WU})).json["id"] != first
    assert (await lin.post("/api/v1/tags/numbered", TAG, {"idempotency-key": "k1"})).json["id"] != first
    second = await written(lin, "k2")
    repriced = [
        await lin.post(
            f"/api/v1/tags/{tag}/price", {"price": {**PRICE, "amount": "5.00"}}, {"idempotency-key": "k9", "if-match": "*", **WU}
        )
        for tag in (first, second)
    ]
    assert [answer.json["version"] for answer in repriced] == [2, 2]


@pytest.mark.parametrize("key", ["k" * 256, "k\x01", "schlüssel", "\x7f"])
async def test_a29_key_too_long_or_not_printable(lin: Client, key: str) -> None:
    answer = await lin.post("/api/v1/tags", TAG, {"idempotency-key": key})
    assert (answer.status, answer.problem) == (400, "idempotency-key-invalid")


async def test_a29_two_keys(lin: Client) -> None:
    answer = await lin.send(
        "POST",
        "/api/v1/tags",
        headers={"idempotency-key": "k1", "content-type": "application/json"},
        more_headers=[("idempotency-key", "k2")],
    )
    assert (answer.status, answer.problem) == (400, "bad-header")


async def test_a30_stale_version(lin: Client) -> None:
    tag = await written(lin)
    change = {"price": {**PRICE, "amount": "5.00"}}
    assert (await lin.post(f"/api/v1/tags/{tag}/price", change, {"if-match": '"1"', **WU})).headers["etag"] == '"2"'
    stale = await lin.post(f"/api/v1/tags/{tag}/price", change, {"if-match": '"1"', **WU})
    assert (stale.status, stale.problem, stale.headers["etag"]) == (412, "version-conflict", '"2"')
    assert str(VersionConflict(2))


async def test_a30_missing_version(lin: Client) -> None:
    tag = await written(lin)
    answer = await lin.post(f"/api/v1/tags/{tag}/price", {"price": PRICE})
    assert (answer.status, answer.problem) == (428, "version-required")


@pytest.mark.parametrize("match", ["1", 'W/"1"', '"1", "2"', '"x"', '""', '"-1"', '"99999999999"'])
async def test_a30_a_version_that_is_none(lin: Client, match: str) -> None:
    tag = await written(lin)
    answer = await lin.post(f"/api/v1/tags/{tag}/price", {"price": PRICE}, {"if-match": match, **WU})
    assert (answer.status, answer.problem) == (400, "bad-header")


async def test_a30_a_retry_after_success_gets_the_first_answer_though_its_version_is_stale(lin: Client) -> None:
    tag = await written(lin)
    headers = {"if-match": '"1"', "idempotency-key": "k5", **WU}
    change = {"price": {**PRICE, "amount": "5.00"}}
    first, again = [await lin.post(f"/api/v1/tags/{tag}/price", change, headers) for _ in range(2)]
    assert (first.status, first.json) == (again.status, again.json) == (200, {"id": tag, "version": 2})


async def test_a31_a_hundred_copies_have_one_effect(lin: Client) -> None:
    answers = await asyncio.gather(*(lin.post("/api/v1/tags", TAG, {"idempotency-key": "k1"}) for _ in range(100)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    store = lin.app.state.runtime.store  # type: ignore[attr-defined]
    assert len(store.data.events) == 1


async def test_a_command_that_changes_nothing_is_fine(lin: Client) -> None:
    tag = await written(lin)
    assert (await lin.post(f"/api/v1/tags/{tag}/price", {"price": PRICE}, {"if-match": '"1"', **WU})).json["version"] == 1


async def test_a_command_without_a_body_takes_none(lin: Client) -> None:
    path = f"/api/v1/tags/{NORTH}/touch"
    assert (await lin.post(path)).status == 200
    assert (await lin.post(path, {})).status == 200
    refused = await lin.post(path, {"note": "x"})
    assert (refused.status, refused.problem) == (422, "unknown-field")


async def test_events_carry_who_where_and_the_trace(lin: Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await lin.post("/api/v1/tags", TAG, {"idempotency-key": "k1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    store = lin.app.state.runtime.store  # type: ignore[attr-defined]
    ((row,),) = store.data.events.values()
    assert '"actor":"lin"' in row.meta
    assert f'"store_id":"{NORTH}"' in row.meta
    assert f'"correlation_id":"{trace}"' in row.meta
    assert f'"traceparent":"00-{trace}-' in row.meta
    assert "00f067aa0ba902b7" not in row.meta
