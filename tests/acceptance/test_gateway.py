"""The one API: its document, its limits, its events, and one trace from a click to a report."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from services.gateway.limiter import ADDRESS, PERSON
from shared.testing.platform import Person, Platform
from shared.values.ids import new_id
from tests.acceptance.databases import Databases
from tests.acceptance.operations import GETS, GROUPS_RULES, JSON_POSTS, OPERATIONS
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, did, every, phone, until
from tests.acceptance.sse import gathered, listening

ENTRY_POINTS = """
auth/token auth/password users stores leads leads/{}/assign leads/{}/follow-ups leads/{}/convert leads/{}/disqualify intake/adf opportunities
opportunities/{}/advance test-drives customers customers/{}/timeline trims vehicles vehicles/{}/reserve purchase-orders transfers
transfers/{}/approve transfers/{}/dispatch transfers/{}/receive quotes orders orders/{}/submit orders/{}/approve orders/{}/sign orders/{}/deliver
orders/{}/change orders/{}/cancel orders/{}/contract.pdf receipts payments ledger/trial-balance ledger/entries appointments work-orders complaints
campaigns reports/funnel reports/inventory-turnover reports/profit events openapi.json
""".split()
REFUSED_FOR_ITS_FORM = {"/problems/malformed-json", "/problems/unknown-field", "/problems/validation", "/problems/unsupported-media-type"}
JOINTLY = frozenset({"POST /work-orders", "POST /auth/password"})
"""Whose example shows every field, though not all go together, or is a guess at a password."""


@pytest.fixture(scope="module")
def document(shop: Shop) -> dict[str, Any]:
    """The merged OpenAPI document as anyone logged in reads it."""
    answer = shop.sales.get("/openapi.json")
    assert answer.status_code == 200
    made: dict[str, Any] = answer.json()
    return made


@pytest.mark.feature("GTW-01")
def test_the_contract_holds_and_the_limits_answer(
    platform: Platform, shop: Shop, everybody: Person, databases: Databases, document: dict[str, Any]
) -> None:
    """The document is valid, whole and true; what goes beyond the limits is told when to come again."""
    _is_valid(document)
    _names_every_entry_point(document)
    _examples_are_accepted(everybody, document)
    _answers_have_the_documented_shape(shop, document)
    _pages_are_walked(shop)
    _limits_answer_429(shop, databases)
    assert_refused(Person(platform.url).get("/openapi.json"), 401, "unauthenticated")
    assert_refused(shop.sales.http.get(f"{platform.url}/api/v2/stores"), 404, "not-found")


def _is_valid(document: dict[str, Any]) -> None:
    """By the model of OpenAPI 3.1; every reference, scheme and path parameter leads somewhere; no id twice."""
    OpenAPI.model_validate(document)
    names = {f"#/components/{kind}/{name}" for kind, entries in document["components"].items() for name in entries}
    assert {value for key, value in _leaves(document) if key == "$ref"} <= names
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    schemes = {name for operation in [document, *operations] for need in operation.get("security", []) for name in need}
    assert schemes <= document["components"]["securitySchemes"].keys()
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path
            assert operation["summary"]
            assert {"200", "201"} & operation["responses"].keys() and {"400", "429", "503"} <= operation["responses"].keys()


def _leaves(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value) if isinstance(value, dict | list) else [(key, value)]
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)


def _names_every_entry_point(document: dict[str, Any]) -> None:
    shown = {re.sub(r"{\w+}", "{}", path) for path in document["paths"]}
    assert {f"/api/v1/{entry}" for entry in ENTRY_POINTS} <= shown
    assert {f"/api/v1{one.template}" for one in OPERATIONS} <= document["paths"].keys()


def _examples_are_accepted(everybody: Person, document: dict[str, Any]) -> None:
    """What the document shows as an example is never refused for its form."""
    wrong = {}
    for one in JSON_POSTS:
        content = document["paths"][f"/api/v1{one.template}"]["post"]["requestBody"]["content"]
        assert content["application/json"]["example"], one.name
        if one.template in GROUPS_RULES:
            assert one.accepts(content["application/json"]["example"]), one.name
        if one.name in JOINTLY or one.template in GROUPS_RULES:
            continue
        headers = {"idempotency-key": new_id(), "if-match": "*"}
        answer = everybody.http.post(one.path(), json=content["application/json"]["example"], headers=headers)
        if answer.status_code >= 400 and answer.json()["type"] in REFUSED_FOR_ITS_FORM:
            wrong[one.name] = answer.text
    assert wrong == {}


def _answers_have_the_documented_shape(shop: Shop, document: dict[str, Any]) -> None:
    """Each list and report answers what it says it answers."""
    chosen = {"/reports/events": {"vin": "LSVAA49J9R2999990"}, "/reports/funnel/leads": {"stage": "captured"}}
    for one in GETS:
        if one.parameters or "day" in one.route.plan.query:
            continue
        shown = document["paths"][f"/api/v1{one.template}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        who = next(person for person in shop.people.values() if person.get(one.path(), **chosen.get(one.template, {})).status_code == 200)
        found = who.get(one.path(), **chosen.get(one.template, {})).json()
        assert list(_unfit(found, shown, document["components"]["schemas"])) == [], one.name


def _unfit(value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where a value is not what its schema says."""
    if "$ref" in schema:
        yield from _unfit(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, at)
    elif "anyOf" in schema:
        if all(list(_unfit(value, arm, schemas, at)) for arm in schema["anyOf"]):
            yield f"{at}: {value!r}"
    elif kind := schema.get("type"):
        types: dict[str, Any] = {
            "object": dict,
            "array": list,
            "string": str,
            "integer": int,
            "number": (int, float),
            "boolean": bool,
            "null": type(None),
        }
        if not isinstance(value, types[kind]):
            yield f"{at}: {value!r} is no {kind}"
        elif kind == "object":
            yield from (f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value)
            for name, part in schema.get("properties", {}).items():
                yield from _unfit(value[name], part, schemas, f"{at}.{name}") if name in value else ()
        elif kind == "array":
            for inner in value[:20]:
                yield from _unfit(inner, schema.get("items", {}), schemas, f"{at}[]")


def _pages_are_walked(shop: Shop) -> None:
    """A list read page by page has every row once, in order."""
    for _ in range(3):
        shop.lead()
    whole = [row["lead_id"] for row in every(shop.manager, "/leads")]
    paged: list[str] = []
    cursor: dict[str, str] = {}
    while cursor is not None:
        found = shop.manager.get("/leads", limit=2, **cursor).json()
        paged += [row["lead_id"] for row in found["items"]]
        if found["next_cursor"] is None:
            break
        cursor = {"cursor": found["next_cursor"]}
    assert paged[-len(whole) :] == whole
    assert len(set(paged)) == len(paged)


def _limits_answer_429(shop: Shop, databases: Databases) -> None:
    """As if all requests of this second's allowance had come."""

    async def exhaust(item: Any, kind: str, name: str) -> None:
        storage = RedisStorage(f"async+{databases.environment('gateway')['FORECOURT_REDIS_URL']}", implementation="redispy")
        await FixedWindowRateLimiter(storage).hit(item, kind, name, cost=item.amount)

    for item, kind, name in ((PERSON, "person", shop.values["sales"]), (ADDRESS, "address", "127.0.0.1")):

        def refused(item: Any = item, kind: str = kind, name: str = name) -> bool:
            asyncio.run(exhaust(item, kind, name))
            answer = shop.sales.get("/auth/me")
            if answer.status_code != 429:
                return False
            assert_refused(answer, 429, "too-many-requests")
            return int(answer.headers["retry-after"]) > 0

        until(refused)
        until(lambda: shop.sales.get("/auth/me").status_code == 200)


@pytest.mark.touches("GTW-01")
@pytest.mark.touches("REP-13")
def test_events_resume_after_the_last_one_without_gap_or_repeat(shop: Shop, databases: Databases) -> None:
    name, number = "Canary Bird", phone()
    with listening(shop.manager) as events:
        leads = [shop.lead(name=name, phone=number)] + [shop.lead() for _ in range(4)]
        first = gathered(events, lambda found: len(found) >= 6)
    leads += [shop.lead() for _ in range(4)]
    with listening(shop.manager, first[-1].id) as events:
        leads.append(shop.lead())
        last = f"lead-{leads[-1]}"
        rest = gathered(events, lambda found: any(one.body["stream"] == last and one.name == "leads.LeadGraded.v1" for one in found))
        more = f"lead-{shop.lead()}"
        rest += gathered(events, lambda found: any(one.body["stream"] == more for one in found))
    ours = {f"lead-{lead}" for lead in leads}
    seen = [
        one.body["id"]
        for one in first + rest
        if one.body["stream"] in ours and one.name in ("leads.LeadCaptured.v1", "leads.LeadGraded.v1")
    ]
    sql = "select event_id from heard_1 where stream = any(%s) and type in ('leads.LeadCaptured.v1', 'leads.LeadGraded.v1')"
    heard = until(lambda: rows if len(rows := databases.rows("reporting", sql, list(ours))) == 2 * len(ours) else None)
    assert len(seen) == len(set(seen))
    assert set(seen) == {row["event_id"] for row in heard}
    text = "".join(one.text for one in first + rest)
    assert name not in text
    assert number not in text
    assert "~p1." not in text
    for one in first + rest:
        assert not {"name", "phone", "email", "text"} & one.body["data"].keys()


@pytest.mark.touches("REP-13")
def test_events_can_be_replayed_from_the_very_beginning(shop: Shop) -> None:
    """An id that knows no partition begins at the start of all."""
    with listening(shop.owner, "e30") as events:
        first = next(events)
        found = [first, *gathered(events, lambda found: len(found) >= 50)]
    assert len({one.body["id"] for one in found}) == len(found)
    assert {one.name for one in found} <= schemas()


def schemas() -> set[str]:
    """The types with a published schema."""
    from pathlib import Path

    return {file.stem for file in (Path(__file__).parents[2] / "shared" / "contracts" / "schemas").glob("*.json")}


@pytest.mark.touches("GTW-01")
def test_events_are_for_those_who_may_see_them(platform: Platform, shop: Shop, foreigner: Person) -> None:
    assert_refused(Person(platform.url).get("/events"), 401, "unauthenticated")
    for wrong in ("x", "bm9uc2Vuc2U", "e30=e30", "eyJhIjotMX0", "../"):
        with shop.sales.http.stream("GET", "/events", headers={"last-event-id": wrong}) as answer:
            assert answer.status_code == 400
            answer.read()
        assert_refused(answer, 400, "bad-cursor")
    with listening(foreigner) as events:
        trim = shop.trim()
        vin = shop.car(trim)
        lead = {"store_id": shop.values["elsewhere"], "brand": "Aurora", "channel": "phone", "name": "Own", "phone": phone()}
        mine = did(foreigner, "/leads", lead)
        found = gathered(events, lambda found: any(one.body["stream"] == f"lead-{mine}" for one in found))
    assert {one.body["store_id"] for one in found} <= {shop.values["elsewhere"], None}
    assert vin not in "".join(one.text for one in found)


@pytest.mark.touches("GTW-01")
def test_one_trace_from_a_click_to_the_report(shop: Shop) -> None:
    """The manager's click on approve, the request to inventory, its answer, the order's confirmation: one id, and in the report's events."""
    trace = new_id().replace("-", "")
    trim = shop.trim()
    order = shop.order(trim, shop.car(trim))
    shop.sales.did(f"/orders/{order}/submit")
    shop.manager.did(f"/orders/{order}/approve", traceparent=f"00-{trace}-{trace[:16]}-01")
    shop.sales.eventually(f"/orders/{order}", vehicle="held")

    def traced() -> set[str]:
        rows = every(shop.owner, "/reports/events", order_id=order)
        return {row["type"] for row in rows if row["correlation_id"] == trace}

    wanted = {"orders.OrderApproved.v1", "orders.VehicleRequested.v1", "inventory.VehicleReserved.v1"}
    until(lambda: wanted <= traced())
    assert "orders.OrderPlaced.v1" not in traced()


@pytest.mark.touches("GTW-02")
def test_one_sees_and_ends_ones_own_sessions(platform: Platform, shop: Shop) -> None:
    other = platform.person(f"colleague{shop.group.number}")
    mine = shop.colleague.get("/auth/sessions").json()["items"]
    assert len(mine) >= 2
    newest = max(mine, key=lambda session: str(session["started_at"]))
    assert_refused(shop.sales.post(f"/auth/sessions/{newest['session_id']}/end"), 404, "not-found")
    assert shop.colleague.post(f"/auth/sessions/{newest['session_id']}/end").status_code == 200
    until(lambda: other.get("/auth/me").status_code == 401)
    assert shop.colleague.get("/auth/me").status_code == 200
