"""One OpenAPI document of all services, for logged-in users."""

import time
from collections.abc import Mapping
from typing import Any

from services.gateway.proxy import Proxy
from services.gateway.routes import CONTEXTS
from shared.web.openapi import refused

FRESH_SECONDS = 10.0
_DOOR = ["bad-request", "unauthenticated", "password-change-required", "too-many-requests", "unavailable"]
_SEEN = {"type": "string", "examples": ["eyJvcmRlcnM6MCI6MTJ9"]}
_EVENT = 'id: eyJvcmRlcnM6MCI6MTJ9\nevent: orders.OrderApproved.v1\ndata: {"type": "orders.OrderApproved.v1", "data": {}}\n\n'


def door() -> dict[str, Any]:
    """The document of what the door answers itself."""
    components: dict[str, Any] = {}
    stream = {"text/event-stream": {"schema": {"type": "string"}, "example": _EVENT}}
    document = {"application/json": {"schema": {"type": "object"}, "example": {"openapi": "3.1.0"}}}
    events = {
        "tags": ["gateway"],
        "summary": "Public events as they happen, without personal fields (server-sent events)",
        "description": "Resumes after the event whose id is sent as Last-Event-ID, without gap or repeat; without it, from now on.",
        "operationId": "gateway_events",
        "parameters": [{"name": "Last-Event-ID", "in": "header", "required": False, "schema": _SEEN}],
        "responses": {
            "200": {"description": "Events", "content": stream},
            **refused(sorted([*_DOOR, "bad-cursor", "forbidden"]), components),
        },
        "x-permission": ["events.read"],
    }
    this = {
        "tags": ["gateway"],
        "summary": "This document",
        "operationId": "gateway_openapi",
        "responses": {"200": {"description": "OpenAPI 3.1", "content": document}, **refused(_DOOR, components)},
        "x-permission": [],
    }
    return {"paths": {"/api/v1/events": {"get": events}, "/api/v1/openapi.json": {"get": this}}, "components": components}


class Merged:
    """Fetches each service's document and merges paths and schemas; equal names of different shape get the context in front."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._made: tuple[float, dict[str, Any]] | None = None

    async def document(self, own: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """The merged document. Raises Problem("unavailable") while a service does not answer."""
        if self._made and self._made[0] > time.monotonic():
            return self._made[1]
        documents = {"gateway": own}
        for context in CONTEXTS:
            if context in self.proxy.services:
                found = await self.proxy.get_json(context, "/openapi.json", headers)
                assert isinstance(found, dict)
                documents[context] = found
        merged = merge(documents)
        self._made = (time.monotonic() + FRESH_SECONDS, merged)
        return merged


def merge(documents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Paths and components of all documents, and of the door's own, in one."""
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    for context, document in (*documents.items(), ("door", door())):
        theirs = document.get("components", {})
        renamed = _clashes(context, theirs, components)
        for kind, entries in theirs.items():
            for name, entry in entries.items():
                new = renamed.get(f"#/components/{kind}/{name}", name).rpartition("/")[2]
                components.setdefault(kind, {})[new] = _rename(entry, renamed)
        paths |= _rename(document.get("paths", {}), renamed)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Forecourt", "version": "1", "description": "Sales, stock, money and after-sales for car dealer groups."},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": components,
    }


def _clashes(context: str, theirs: Mapping[str, dict[str, Any]], ours: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Old and new reference of what has a name that is taken; what refers to it has another shape then, and may clash in turn."""
    renamed: dict[str, str] = {}
    while True:
        found = {
            f"#/components/{kind}/{name}": f"#/components/{kind}/{context}.{name}"
            for kind, entries in theirs.items()
            for name, entry in entries.items()
            if ours.get(kind, {}).get(name, entry) != _rename(entry, renamed) and name in ours.get(kind, {})
        }
        if found == renamed:
            return renamed
        renamed = found


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: names.get(v, v) if k == "$ref" and isinstance(v, str) else _rename(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_rename(item, names) for item in value]
    return value
