"""The tables of docs/context-map.md, read from what the services declare: `python -m tests.context_map` writes them anew."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from services.gateway.routes import CONTEXTS
from shared.bus.protocol import topic_of
from shared.contracts import schema
from shared.service import Service

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "context-map.md"
KEEPS_ALL = "reporting"
"""It keeps every public event; the tables do not repeat it in each row."""
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n)(?:\|[^\n]*\n)*(<!-- end -->)")


def services() -> dict[str, Service]:
    """Every service as its app.py declares it."""
    there = [name for name in CONTEXTS if find_spec(f"services.{name}") and find_spec(f"services.{name}.app")]
    return {name: import_module(f"services.{name}.app").service for name in there}


def told() -> dict[str, list[str]]:
    """By context the names of its public events, in alphabetical order."""
    found: dict[str, list[str]] = {context: [] for context in CONTEXTS}
    for type in schema.published():
        context, name, _ = type.split(".")
        found[context].append(name)
    return found


def named(context: str, *, publishing: bool) -> set[str]:
    """The public events, such as `orders.OrderPlaced`, that a service's publishes.py builds, or that the rest of it matches on."""
    folder = ROOT / "services" / context
    files = [file for file in folder.rglob("*.py") if "tests" not in file.parts and (file.name == "publishes.py") == publishing]
    return {event for file in files for event in _contracts(ast.parse(file.read_text(encoding="utf-8")))}


def _contracts(tree: ast.Module) -> set[str]:
    """Every `module.Name` of a module of shared.contracts, under whatever name it was imported."""
    modules: dict[str, str] = {}
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("shared.contracts"):
            continue
        context = (node.module or "").removeprefix("shared.contracts").lstrip(".")
        for alias in node.names:
            if context:
                found.add(f"{context}.{alias.name}")
            else:
                modules[alias.asname or alias.name] = alias.name
    public = {f"{context}.{name}" for context, names in told().items() for name in names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add(f"{modules[node.value.id]}.{node.attr}")
    return found & public


def heard() -> dict[str, set[str]]:
    """By context the public events it makes something of."""
    return {context: named(context, publishing=False) for context in services()}


def groups() -> str:
    """Topic, consumer group and the contexts each one hears."""
    lines = ["| context | its topic | its consumer group | hears |", "|---|---|---|---|"]
    for name, service in services().items():
        group = f"`{topic_of(name)}`" if service.topics else "–"
        topic = f"`{topic_of(name)}`" if told()[name] else "–"
        lines.append(f"| [{name}](../services/{name}/README.md) | {topic} | {group} | {', '.join(service.topics) or '–'} |")
    return "\n".join(lines)


def events() -> str:
    """Every public event and who makes something of it."""
    by_context = heard()
    lines = ["| event | heard by |", "|---|---|"]
    for context, names in told().items():
        for name in names:
            ears = [ear for ear, wanted in by_context.items() if f"{context}.{name}" in wanted and ear != KEEPS_ALL]
            lines.append(f"| {context}.{name} | {', '.join(ears) or '–'} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its tables as they are now."""
    tables = {"groups": groups, "events": events}
    return _BLOCK.sub(lambda block: f"{block[1]}{tables[block[2]]()}\n{block[3]}", text)


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
