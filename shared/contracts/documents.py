"""The OpenAPI documents of all services, made of their code, kept as files from which they are served."""

import json
from importlib import import_module
from typing import Any

from shared.contracts.schema import CONTEXTS
from shared.service import Service
from shared.web.openapi import FOLDER, bare

SERVICES = (*CONTEXTS, "reporting")
WIDTH = 140


def document(context: str) -> dict[str, Any]:
    """The OpenAPI document of a service as its code is now."""
    service: Service = import_module(f"services.{context}.app").service
    return bare(service).openapi()


def text(document: dict[str, Any]) -> str:
    """The file's content: what fits in a line is in one."""
    return _laid_out(document, 0) + "\n"


def _laid_out(value: Any, indent: int) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = " " * (indent + 1)
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _laid_out(part, indent + 1) for part in value) + "\n" + " " * indent + "]"
    parts = (f"{inner}{json.dumps(name, ensure_ascii=False)}: {_laid_out(part, indent + 1)}" for name, part in value.items())
    return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"


def write() -> None:
    """Writes every service's document."""
    FOLDER.mkdir(exist_ok=True)
    for context in SERVICES:
        (FOLDER / f"{context}.json").write_text(text(document(context)), encoding="utf-8")
