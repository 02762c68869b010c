"""Pieces of the door that need no server: who owns a path, the merged document, what a stream shows whom."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from services.gateway.merged import merge
from services.gateway.people import Person
from services.gateway.routes import owner
from services.gateway.stream import _format, _parse, _shown
from shared.web.problems import Problem


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("/api/v1/orders/1/approve", "orders"),
        ("/api/v1/ledger/trial-balance", "finance"),
        ("/api/v1/nothing", None),
        ("/api/v1/", None),
        ("/api/v2/orders", None),
        ("/x/api/v1/orders", None),
    ],
)
def test_the_first_segment_names_the_owner(path: str, context: str | None) -> None:
    assert owner(path) == context


def test_equal_names_of_different_shape_are_told_apart() -> None:
    def document(kind: str, path: str) -> dict[str, Any]:
        ref = {"$ref": "#/components/schemas/Row"}
        return {"paths": {path: {"get": {"schema": ref}}}, "components": {"schemas": {"Row": {"type": kind}}}}

    merged = merge({"leads": document("object", "/a"), "orders": document("string", "/b"), "finance": document("object", "/c")})
    assert set(merged["components"]["schemas"]) == {"Row", "orders.Row"}
    assert merged["paths"].keys() == {"/a", "/b", "/c", "/api/v1/events", "/api/v1/openapi.json"}
    assert merged["paths"]["/b"]["get"]["schema"]["$ref"] == "#/components/schemas/orders.Row"
    assert merged["paths"]["/c"]["get"]["schema"]["$ref"] == "#/components/schemas/Row"


def test_what_refers_to_another_shape_is_another_shape() -> None:
    def document(kind: str, path: str) -> dict[str, Any]:
        schemas = {"Page": {"items": {"$ref": "#/components/schemas/Row"}}, "Row": {"type": kind}}
        return {"paths": {path: {"get": {"schema": {"$ref": "#/components/schemas/Page"}}}}, "components": {"schemas": schemas}}

    merged = merge({"leads": document("object", "/a"), "orders": document("string", "/b")})
    schemas = merged["components"]["schemas"]
    assert merged["paths"]["/b"]["get"]["schema"]["$ref"] == "#/components/schemas/orders.Page"
    assert schemas["orders.Page"]["items"]["$ref"] == "#/components/schemas/orders.Row"
    assert schemas["Page"]["items"]["$ref"] == "#/components/schemas/Row"


def person(*permissions: str, stores: frozenset[str] = frozenset({"s1"})) -> Person:
    return Person(staff_id="u", session_id="x", roles=(), permissions=frozenset(permissions), stores=stores, must_change=False)


def record(kind: str, store: str | None, **data: Any) -> Any:
    headers = [("ce_type", kind.encode()), ("ce_id", b"1"), ("ce_time", b"t")]
    headers += [("ce_storeid", store.encode())] if store else []
    return SimpleNamespace(headers=headers, value=msgspec.json.encode(data))


def test_a_stream_shows_ones_own_stores_without_personal_fields() -> None:
    lead = {"lead_id": "l", "person_id": "p", "name": "~p1.x", "phone": "~p1.y", "email": ""}
    shown = _shown(record("leads.LeadCaptured.v1", "s1", **lead), person("events.read"))
    assert shown is not None
    assert set(msgspec.json.decode(shown[1])["data"]) == {"lead_id", "person_id"}
    assert _shown(record("leads.LeadCaptured.v1", "s2", **lead), person("events.read")) is None
    assert _shown(record("leads.LeadCaptured.v1", "s2", **lead), person(stores=frozenset({"*"}))) is not None


def test_a_stream_hides_figures_from_those_who_may_not_see_them() -> None:
    sale = record("finance.SaleRecognised.v1", "s1", order_id="o")
    assert _shown(sale, person("events.read")) is None
    assert _shown(sale, person("events.read", "finance.read")) is not None
    assert _shown(record("forecourt.watermark", None), person("events.read")) is None


def test_a_stream_resumes_where_it_was() -> None:
    assert _parse(_format({"orders:3": 17}).decode())["orders:3"] == 17
    assert _parse(_format({"orders:3": 17}).decode())["leads:0"] == 0
    for bad in ("x", "e30x!", "W10"):
        with pytest.raises(Problem):
            _parse(bad)
