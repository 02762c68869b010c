"""Whether an answer is as it is documented: its status, its media type, its body."""

import json
from functools import cache
from importlib import import_module
from typing import Any

import httpx2
import jsonschema_rs

from shared.web.openapi import published
from shared.web.paths import Paths

EVERYWHERE = frozenset({405, 431})
"""What is no operation's own: a method that a path does not have, and a head too long for the server to read."""


@cache
def document() -> dict[str, Any]:
    """The merged document, as the gateway serves it."""
    merged, contexts = import_module("services.gateway.merged"), import_module("services.gateway.routes").CONTEXTS
    made: dict[str, Any] = merged.merge({context: published(context) for context in contexts})
    return made


@cache
def operations() -> Paths[dict[str, Any]]:
    """Every operation by its path."""
    paths = Paths[dict[str, Any]]()
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            paths.add(method.upper(), path, operation)
    return paths


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that answers there; None where there is none."""
    found = operations().find(method, path)
    return found[0].get(method) if found else None


def undocumented(method: str, path: str, status: int, media_type: str, body: bytes) -> str | None:
    """What is not as documented; None when all is, or when it is no operation's answer."""
    known = operation("GET" if method == "HEAD" else method, path)
    if known is None or status in EVERYWHERE:
        return None
    responses = known["responses"]
    if str(status) not in responses:
        return f"{status} is not documented"
    content = resolved(responses[str(status)]).get("content", {})
    if media_type not in content:
        return f"{status} {media_type} is not documented"
    if not media_type.endswith("json") or method == "HEAD":
        return None
    errors = _validator(known["operationId"], status, media_type).iter_errors(json.loads(body))
    problems = [f"{'/'.join(map(str, error.instance_path))} {error.message[:300]}" for error in errors]
    return "; ".join(problems[:5]) or None


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in node:
        inner: Any = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            inner = inner[step]
        node = inner
    return node


def validator(schema: dict[str, Any]) -> Any:
    """A validator of a schema of the document, with what it refers to."""
    needed: dict[str, Any] = {}
    _gather(schema, needed)
    return jsonschema_rs.Draft202012Validator({**schema, "components": {"schemas": needed}})


def _gather(node: Any, needed: dict[str, Any]) -> None:
    if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
        name = reference.rpartition("/")[2]
        if name not in needed:
            needed[name] = document()["components"]["schemas"][name]
            _gather(needed[name], needed)
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _gather(part, needed)


@cache
def _by_id() -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for methods in document()["paths"].values() for one in methods.values()}


@cache
def _validator(operation_id: str, status: int, media_type: str) -> Any:
    return validator(resolved(_by_id()[operation_id]["responses"][str(status)])["content"][media_type]["schema"])


def check(response: httpx2.Response) -> None:
    """For `event_hooks` of a client. AssertionError for an answer that is not as documented."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type == "text/event-stream":
        return
    path, method = response.request.url.path, response.request.method
    wrong = undocumented(method, path, response.status_code, media_type, response.read())
    assert wrong is None, f"{method} {path}: {wrong}: {response.text[:1000]}"
