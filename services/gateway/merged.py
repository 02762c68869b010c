"""One OpenAPI document of all services, for logged-in users."""

import time
from collections.abc import Mapping
from typing import Any

from services.gateway.proxy import Proxy
from services.gateway.routes import CONTEXTS
from shared.web.problems import MEDIA_TYPE

FRESH_SECONDS = 10.0
_REFUSED = {"4XX": {"description": "Refused", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}}
_SEEN = {"type": "string", "examples": ["eyJvcmRlcnM6MCI6MTJ9"]}
_EVENT = {
    "type": "string",
    "examples": ['id: eyJvcmRlcnM6MCI6MTJ9\nevent: orders.OrderApproved.v1\ndata: {"type": "orders.OrderApproved.v1", "data": {}}\n\n'],
}
DOORS_OWN: dict[str, Any] = {
    "/api/v1/events": {
        "get": {
            "tags": ["gateway"],
            "summary": "Public events as they happen, without personal fields (server-sent events)",
            "description": "Resumes after the event whose id is sent as Last-Event-ID, without gap or repeat; without it, from now on.",
            "operationId": "gateway_events",
            "parameters": [{"name": "Last-Event-ID", "in": "header", "required": False, "schema": _SEEN}],
            "responses": {"200": {"description": "Events", "content": {"text/event-stream": {"schema": _EVENT}}}, **_REFUSED},
            "x-permission": ["events.read"],
        }
    },
    "/api/v1/openapi.json": {
        "get": {
            "tags": ["gateway"],
            "summary": "This document",
            "operationId": "gateway_openapi",
            "responses": {
                "200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}},
                **_REFUSED,
            },
            "x-permission": [],
        }
    },
}
"""What the door answers itself."""


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
    """Paths and components of all documents in one."""
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    for context, document in documents.items():
        renamed: dict[str, str] = {}
        for kind, entries in document.get("components", {}).items():
            ours = components.setdefault(kind, {})
            for name, entry in entries.items():
                if name in ours and ours[name] != entry:
                    renamed[f"#/components/{kind}/{name}"] = f"#/components/{kind}/{context}.{name}"
                    name = f"{context}.{name}"
                ours[name] = entry
        for path, item in document.get("paths", {}).items():
            paths[path] = _rename(item, renamed)
        for schemas in components.values():
            for name in schemas:
                schemas[name] = _rename(schemas[name], renamed) if name.startswith(f"{context}.") else schemas[name]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Forecourt", "version": "1", "description": "Sales, stock, money and after-sales for car dealer groups."},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": dict(sorted((paths | DOORS_OWN).items())),
        "components": components,
    }


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: names.get(v, v) if k == "$ref" and isinstance(v, str) else _rename(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_rename(item, names) for item in value]
    return value
