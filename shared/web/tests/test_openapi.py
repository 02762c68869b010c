"""What FastAPI tells of the routes, and what a route must say of itself."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter

from shared.web.body import Line
from shared.web.call import Call
from shared.web.openapi import example
from shared.web.paths import Paths
from shared.web.problems import PROBLEMS
from shared.web.reasons import REASONS, reason
from shared.web.route import CommandRoute, needs
from shared.web.tests.example import NewTag, running


async def document() -> dict[str, Any]:
    async with running() as lin:
        made: dict[str, Any] = (await lin.get("/openapi.json")).json
        assert (await lin.get("/openapi.json")).json == made
    return made


async def test_a_creating_route() -> None:
    operation = (await document())["paths"]["/api/v1/tags"]["post"]
    parameters = {parameter["name"]: parameter["required"] for parameter in operation["parameters"]}
    assert parameters == {"Idempotency-Key": True, "Forecourt-Seen": False}
    assert operation["x-permission"] == ["tags.write"]
    assert operation["summary"] == "Write a tag"
    assert operation["operationId"] == "example_write"
    assert set(operation["responses"]["201"]["headers"]) == {"ETag", "Location", "Forecourt-Seen"}
    assert operation["responses"]["201"]["content"]["application/json"]["example"].keys() == {"id", "version"}
    assert set(operation["responses"]) == {"201", *"400 401 403 406 408 409 413 415 422 429 503".split()}
    NewTag.model_validate_json(__import__("json").dumps(operation["requestBody"]["content"]["application/json"]["example"]))


async def test_a_changing_route() -> None:
    operation = (await document())["paths"]["/api/v1/tags/{tag_id}/price"]["post"]
    parameters = {parameter["name"]: parameter["required"] for parameter in operation["parameters"]}
    assert parameters == {"tag_id": True, "Idempotency-Key": False, "If-Match": True, "Forecourt-Seen": False}
    assert operation["x-permission"] == ["tags.price", "tags.write"]
    assert set(operation["responses"]) == {"200", *"400 401 403 404 406 408 409 412 413 415 422 428 429 503".split()}
    assert operation["description"] == "Change a tag's price."


async def test_lists_files_and_public_routes() -> None:
    paths = (await document())["paths"]
    assert {parameter["name"] for parameter in paths["/api/v1/tags"]["get"]["parameters"]} >= {
        "cursor",
        "limit",
        "sort",
        "store_id",
        "since",
    }
    assert set(paths["/api/v1/leaflet.pdf"]["get"]["responses"]["200"]["content"]) == {"application/pdf"}
    assert set(paths["/api/v1/feeds"]["post"]["requestBody"]["content"]) == {"application/xml", "text/xml"}
    page = paths["/api/v1/tags"]["get"]["responses"]["200"]["content"]["application/json"]
    assert page["example"]["items"][0].keys() == {"tag_id", "store_id", "title", "price", "currency", "written_at"}
    assert paths["/api/v1/motd"]["get"]["security"] == []
    assert "parameters" not in paths["/api/v1/motd"]["get"]


async def test_the_document_is_whole() -> None:
    made = await document()
    assert "HTTPValidationError" not in made["components"]["schemas"]
    assert made["components"]["schemas"]["NewTag"]["additionalProperties"] is False

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            return {node["$ref"]} if "$ref" in node else {ref for part in node.values() for ref in references(part)}
        return {ref for part in node for ref in references(part)} if isinstance(node, list) else set()

    for reference in references(made):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        assert name in made["components"][kind]


def test_examples_are_made_of_their_parts() -> None:
    schemas = {"A": {"type": "object", "properties": {"b": {"enum": ["x", "y"]}, "c": {"type": "array", "items": {"type": "boolean"}}}}}
    assert example({"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}, schemas) == {"b": "x", "c": [True]}
    assert repr(example({"type": "integer", "minimum": 3.0}, {})) == "3"
    assert example({"anyOf": [{"type": "integer", "examples": [7]}, {"type": "null"}], "default": None}, {}) == 7


def test_a_route_must_say_who_may() -> None:
    async def anything() -> None: ...

    with pytest.raises(TypeError, match="needs"):
        CommandRoute("/x", anything, methods=["GET"])


def test_a_route_takes_no_bare_text() -> None:
    async def by_name(name: str) -> None: ...

    with pytest.raises(TypeError, match="bare str"):
        CommandRoute("/x", by_name, methods=["GET"], openapi_extra=needs())


def test_a_route_takes_all_of_its_path() -> None:
    async def nothing(call: Call) -> None: ...

    with pytest.raises(TypeError, match="does not take"):
        CommandRoute("/x/{id}", nothing, methods=["GET"], openapi_extra=needs())


async def test_a_command_route_is_answered_by_the_kit_only() -> None:
    router = APIRouter(route_class=CommandRoute)

    @router.get("/x", openapi_extra=needs())
    async def read(title: Annotated[Line | None, "doc"] = None) -> None: ...

    with pytest.raises(TypeError, match="create_app"):
        await router.routes[0].endpoint()  # type: ignore[attr-defined]


def test_paths_prefer_what_is_written_out() -> None:
    paths = Paths[str]()
    for template in ("/orders", "/orders/{id}", "/orders/board", "/orders/{id}/lines/{line}", "/orders/board/lines"):
        paths.add("GET", template, template)
    assert paths.find("GET", "/orders/board") == ({"GET": "/orders/board"}, {})
    assert paths.find("GET", "/orders/board/lines/5") == ({"GET": "/orders/{id}/lines/{line}"}, {"id": "board", "line": "5"})
    assert paths.find("GET", "/orders/") is None
    assert paths.find("GET", "/orders/1/lines") is None
    with pytest.raises(ValueError, match="twice"):
        paths.add("GET", "/orders/{other}", "")


def test_the_table_of_problems() -> None:
    for slug, kind in PROBLEMS.items():
        assert slug == slug.lower().replace("_", "-")
        assert 400 <= kind.status <= 503
        assert kind.en
        assert kind.zh
        assert not kind.zh.isascii()


def test_reasons_never_fail() -> None:
    for code in [*REASONS, "something-else"]:
        for chinese in (False, True):
            assert reason(code, {}, chinese)
            assert reason(
                code,
                dict.fromkeys(["max_length", "min_length", "gt", "ge", "lt", "le", "expected", "expected_tags", "decimals"], 1),
                chinese,
            )
    assert reason("is taken by another", {}, True) == "is taken by another"
