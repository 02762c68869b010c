"""The JSON Schemas of the published language: made from the classes, frozen as files, compared by a test."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from shared.contracts import PUBLISHED
from shared.events.registry import personal_fields

CONTEXTS = ("gateway", "leads", "customers", "marketing", "inventory", "orders", "finance", "aftersales")
FOLDER = Path(__file__).parent / "schemas"


def published() -> dict[str, type]:
    """Every public event of every context by its type."""
    for context in CONTEXTS:
        import_module(f"shared.contracts.{context}")
    return {name: cls for name, cls in sorted(PUBLISHED.items()) if name.partition(".")[0] in CONTEXTS}


def schema(name: str, cls: type) -> dict[str, Any]:
    """The JSON Schema of a public event; personal fields are marked `x-personal`, unknown fields are ignored by every reader."""
    (made,), components = msgspec.json.schema_components([cls], ref_template="#/$defs/{name}")
    own = components.pop(cls.__name__)
    for field in personal_fields(cls):
        own["properties"][field]["x-personal"] = True
    assert made == {"$ref": f"#/$defs/{cls.__name__}"}
    top = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"/schemas/{name}.json"}
    return {**top, **own, **({"$defs": components} if components else {})}


def text(name: str, cls: type) -> str:
    """The file's content."""
    return json.dumps(schema(name, cls), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write() -> None:
    """Writes every schema; a file of a type that is gone stays, for the test to name it."""
    FOLDER.mkdir(exist_ok=True)
    for name, cls in published().items():
        (FOLDER / f"{name}.json").write_text(text(name, cls), encoding="utf-8")
