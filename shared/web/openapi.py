"""The OpenAPI document of a service: every operation with its request, its answer and each problem it can answer, all with examples."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from shared.handling import Done
from shared.service import Service
from shared.web.problems import MEDIA_TYPE, PROBLEMS
from shared.web.refusals import refusals
from shared.web.route import PREFIX, CommandRoute
from shared.web.shape import REF, schema_of

PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string", "examples": ["/problems/validation"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "examples": ["/traces/4bf92f3577b34da6a3ce929d0e0e4736"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
                "required": ["field", "reason"],
            },
        },
    },
    "required": ["type", "title", "status", "instance"],
}


_HEADERS = {
    "ETag": ('"3"', "The version, for If-Match."),
    "Forecourt-Seen": ("orders/order-0192f3a4-5b6c-7d8e-9f01-23456789abcd@3", "What to send back to another context, which waits for it."),
    "Location": ("/api/v1/orders/0192f3a4-5b6c-7d8e-9f01-23456789abcd", "The address of what was made."),
    "Retry-After": ("1", "Seconds."),
    "WWW-Authenticate": ("Bearer", "How to log in."),
}
_WITH = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


FOLDER = Path(__file__).parents[1] / "contracts" / "openapi"
"""Where `make contracts` keeps every service's document; it is served from there, so that no service reads code to answer."""


def bare(service: Service) -> FastAPI:
    """The service's routes as FastAPI knows them; `openapi()` tells all of them, made once, when first asked for."""
    app = FastAPI(
        title=f"Forecourt {service.context}",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: f"{service.context}_{route.name}",
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in service.routers:
        app.include_router(router, prefix=PREFIX, tags=[service.context])
    fastapis = app.openapi

    def complete() -> dict[str, Any]:
        return app.openapi_schema or _complete(fastapis(), service)

    app.openapi = complete  # type: ignore[method-assign]
    return app


def published(context: str) -> dict[str, Any] | None:
    """The document that was made of a service; None for a service that has none."""
    file = FOLDER / f"{context}.json"
    made: dict[str, Any] | None = json.loads(file.read_bytes()) if file.exists() else None
    return made


def _complete(made: dict[str, Any], service: Service) -> dict[str, Any]:
    """What FastAPI tells, with answers and problems."""
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own way to refuse, which is not ours
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    made["security"] = [{"bearer": []}]
    deciders = [aggregate.decider for aggregate in service.aggregates]
    for route in (route for router in service.routers for route in router.routes):
        if not isinstance(route, CommandRoute):
            raise TypeError(f"{route} of {service.context} is no CommandRoute.")
        operation = made["paths"][PREFIX + route.path][route.verb.lower()]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content.setdefault("example", example(content.get("schema", {}), schemas))
        operation["responses"] = {str(route.success): answered(route, schemas), **refused(refusals(route, deciders), components)}
    return made


def answered(route: CommandRoute, schemas: dict[str, Any]) -> dict[str, Any]:
    """What a route answers when all is well."""
    made: dict[str, Any] = {"description": "Done" if route.changes else "Found"}
    if route.plan.returns is Done:
        made["headers"] = _headers("ETag", "Forecourt-Seen", *(["Location"] if route.creates else []))
    if route.needed.produces != "application/json":
        return made | {"content": {route.needed.produces: {"schema": {"type": "string", "format": "binary"}}}}
    if route.shape is None:
        return made
    schema = schema_of(route.shape, schemas)
    return made | {"content": {"application/json": {"schema": schema, "example": example(schema, schemas)}}}


def refused(slugs: list[str], components: dict[str, Any]) -> dict[str, Any]:
    """The problems by status; what is the only one of its status is a component of its name."""
    by_status: dict[int, list[str]] = {}
    for slug in slugs:
        by_status.setdefault(PROBLEMS[slug].status, []).append(slug)
        components.setdefault("examples", {})[slug] = {"summary": PROBLEMS[slug].en, "value": _problem(slug)}
    made: dict[str, Any] = {}
    for status, found in sorted(by_status.items()):
        response = _refusal(status, found)
        if len(found) == 1:
            components.setdefault("responses", {})[found[0]] = response
            response = {"$ref": f"#/components/responses/{found[0]}"}
        made[str(status)] = response
    return made


def _refusal(status: int, slugs: list[str]) -> dict[str, Any]:
    kinds = {"properties": {"type": {"enum": [f"/problems/{slug}" for slug in slugs]}}}
    content = {
        "schema": {"allOf": [{"$ref": f"{REF}Problem"}, kinds]},
        "examples": {slug: {"$ref": f"#/components/examples/{slug}"} for slug in slugs},
    }
    made = {"description": ". ".join(PROBLEMS[slug].en for slug in slugs) + ".", "content": {MEDIA_TYPE: content}}
    return made | ({"headers": _headers(_WITH[status])} if status in _WITH else {})


def _problem(slug: str) -> dict[str, Any]:
    kind = PROBLEMS[slug]
    problem = {"type": f"/problems/{slug}", "title": kind.en, "status": kind.status, "detail": kind.en}
    return problem | {"instance": "/traces/4bf92f3577b34da6a3ce929d0e0e4736"}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string", "examples": [_HEADERS[name][0]]}, "description": _HEADERS[name][1]} for name in names}


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value a schema accepts, made of the examples of its parts; what may be left out is there too."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for word in ("examples", "enum"):
        if schema.get(word):
            return deepcopy(schema[word][0])
    if "const" in schema or schema.get("default") not in (None, []):
        return schema.get("const", schema.get("default"))
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return example(schema[word][0], schemas)
    match schema.get("type"):
        case "object":
            return {name: example(part, schemas) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"], schemas)] if "items" in schema else []
        case "integer":
            return int(schema.get("minimum", 1))
        case "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return "text"
    return None
