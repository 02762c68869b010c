"""The OpenAPI documents of all services, made of their code, kept as files from which they are served."""

import json
from importlib import import_module
from typing import Any

from shared.contracts.schema import CONTEXTS
from shared.service import Service
from shared.web.openapi import FOLDER, bare

SERVICES = (*CONTEXTS, "reporting")


def document(context: str) -> dict[str, Any]:
    """The OpenAPI document of a service as its code is now."""
    service: Service = import_module(f"services.{context}.app").service
    return bare(service).openapi()


def text(document: dict[str, Any]) -> str:
    """The file's content."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Writes every service's document."""
    FOLDER.mkdir(exist_ok=True)
    for context in SERVICES:
        (FOLDER / f"{context}.json").write_text(text(document(context)), encoding="utf-8")
