"""The gate of the published language: what would break whoever reads or calls us is named, against what was released last.

Events are read by services of the release before and, from Kafka's past, by those of the next: both must understand them.
Requests may ask for less and accept more, answers may tell more. What has to break is published beside the old, as a new version.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from shared.contracts import documents
from shared.contracts.schema import published, schema

type Side = Literal["event", "request", "answer"]
type Schema = dict[str, Any]

RELEASED = Path(__file__).parent / "released"
_TOLD = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "example"})
"""What explains and does not bind."""
_STRUCTURE = frozenset({"properties", "required", "items", "anyOf", "enum", "additionalProperties"})
_LIMITS = frozenset({"maxLength", "minLength", "maximum", "minimum", "maxItems", "minItems"})
_ASKS_MORE = "event", "request"
_TELLS_LESS = "event", "answer"


def events() -> dict[str, Schema]:
    """Every public event's schema, as it binds."""
    made: dict[str, Schema] = json.loads(json.dumps({name: schema(name, cls) for name, cls in published().items()}))
    return {name: binding(one, one.get("$defs", {})) for name, one in made.items()}


def operations() -> dict[str, Schema]:
    """Every operation: its parameters, its request and its answer, as they bind."""
    found: dict[str, Schema] = {}
    for context in documents.SERVICES:
        document = documents.document(context)
        schemas = document["components"]["schemas"]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                found[f"{method.upper()} {path}"] = _operation(operation, schemas)
    return dict(sorted(found.items()))


def _operation(operation: Schema, schemas: Schema) -> Schema:
    parameters = operation.get("parameters", [])
    asked = {f"{one['in']} {one['name']}": binding(one["schema"], schemas) for one in parameters}
    ((status, answer),) = [(status, one) for status, one in operation["responses"].items() if status.startswith("2")]
    needed = [f"{one['in']} {one['name']}" for one in parameters if one.get("required")]
    return {
        "parameters": {"type": "object", "properties": asked, "required": needed, "additionalProperties": False},
        "request": _contents(operation.get("requestBody", {}), schemas),
        "status": status,
        "answer": _contents(answer, schemas),
        "permission": sorted(operation.get("x-permission", [])),
    }


def _contents(body: Schema, schemas: Schema) -> Schema:
    return {media_type: binding(content["schema"], schemas) for media_type, content in body.get("content", {}).items()}


def binding(node: Schema, schemas: Schema) -> Schema:
    """A schema without what only explains it, with everything it refers to in its place."""
    if "$ref" in node:
        return binding(schemas[node["$ref"].rpartition("/")[2]], schemas)
    made = {word: value for word, value in node.items() if word not in _TOLD}
    for word in ("items", "additionalProperties"):
        if isinstance(made.get(word), dict):
            made[word] = binding(made[word], schemas)
    if "properties" in made:
        made["properties"] = {name: binding(part, schemas) for name, part in made["properties"].items()}
    for word in ("anyOf", "oneOf", "allOf"):
        if word in made:
            made[word] = [binding(arm, schemas) for arm in made[word]]
    return made


def broken_events(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """What breaks readers of public events."""
    gone = [f"{name}: is gone" for name in old if name not in new]
    return gone + [f"{name}{what}" for name in old if name in new for what in breaks(old[name], new[name], "event")]


def broken_operations(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """What breaks callers of the API."""
    found = [f"{name}: is gone" for name in old if name not in new]
    for name, before in old.items():
        if (now := new.get(name)) is None:
            continue
        if before["status"] != now["status"]:
            found.append(f"{name}: answers {now['status']}, not {before['status']}")
        if (before["permission"] or now["permission"]) and not set(before["permission"]) <= set(now["permission"] or before["permission"]):
            found.append(f"{name}: who was allowed is not")
        if not before["permission"] and now["permission"]:
            found.append(f"{name}: asks for a permission")
        found += [f"{name} parameters{what}" for what in breaks(before["parameters"], now["parameters"], "request")]
        for side in ("request", "answer"):
            found += [f"{name} {side}{what}" for what in _bodies(before[side], now[side], side)]
    return found


def _bodies(old: Schema, new: Schema, side: Side) -> Iterator[str]:
    for media_type in old:
        if media_type not in new:
            yield f": {media_type} is gone"
        else:
            yield from breaks(old[media_type], new[media_type], side)
    if side == "request" and new and not old:
        yield ": has a body now"


def breaks(old: Schema, new: Schema, side: Side, at: str = "") -> Iterator[str]:
    """What of `new` somebody who knows `old` cannot take, by its place."""
    if "anyOf" in old or "anyOf" in new:
        yield from _choices(old.get("anyOf", [old]), new.get("anyOf", [new]), side, at, listed=False)
        return
    for word in sorted((old.keys() | new.keys()) - _STRUCTURE):
        if old.get(word) != new.get(word) and not _only(word, old.get(word), new.get(word), side):
            yield f"{at}: {word} changed from {old.get(word)} to {new.get(word)}"
    yield from _fields(old, new, side, at)
    if "items" in old or "items" in new:
        yield from breaks(old.get("items", {}), new.get("items", {}), side, f"{at}[]")
    if "enum" in old and "enum" in new:
        yield from _choices(old["enum"], new["enum"], side, at, listed=True)
    elif "enum" in old or "enum" in new:
        yield f"{at}: enum changed from {old.get('enum')} to {new.get('enum')}"
    before, now = old.get("additionalProperties"), new.get("additionalProperties")
    if isinstance(before, dict) and isinstance(now, dict):
        yield from breaks(before, now, side, f"{at}.*")
    elif now is False and before is not False and side in _ASKS_MORE:
        yield f"{at}: takes no other fields any more"


def _only(word: str, old: Any, new: Any, side: Side) -> bool:
    """Whether a limit only lets a request have more, or an answer less."""
    if word not in _LIMITS:
        return False
    wider = new is None or (old is not None and (new > old) == word.startswith("max"))
    return side == ("request" if wider else "answer")


def _fields(old: Schema, new: Schema, side: Side, at: str) -> Iterator[str]:
    before, now = old.get("properties", {}), new.get("properties", {})
    needed, needs = set(old.get("required", [])), set(new.get("required", []))
    for name in before:
        place = f"{at}.{name}"
        if name not in now:
            yield f"{place}: is gone"
            continue
        if name in needs - needed and side in _ASKS_MORE:
            yield f"{place}: was optional, is required"
        if name in needed - needs and side in _TELLS_LESS:
            yield f"{place}: was required, is optional"
        yield from breaks(before[name], now[name], side, place)
    for name in now.keys() - before.keys():
        if name in needs and side in _ASKS_MORE:
            yield f"{at}.{name}: is new and required"


def _choices(old: list[Any], new: list[Any], side: Side, at: str, *, listed: bool) -> Iterator[str]:
    """Listed values, arms of a union: fewer break who sends, more break who reads; an answer's reader expects new values."""
    before, now = ({json.dumps(one, sort_keys=True): one for one in choices} for choices in (old, new))
    gone, more = [before[key] for key in before if key not in now], [now[key] for key in now if key not in before]
    if not listed and len(gone) == len(more) == 1:
        yield from breaks(gone[0], more[0], side, at)
        return
    if gone and side in _ASKS_MORE:
        yield f"{at}: no longer {json.dumps(gone)}"
    if more and (side == "event" or (side == "answer" and not listed)):
        yield f"{at}: also {json.dumps(more)}"


def released(name: str) -> dict[str, Schema]:
    """What was released last: `events` or `operations`."""
    made: dict[str, Schema] = json.loads((RELEASED / f"{name}.json").read_text(encoding="utf-8"))
    return made


def release() -> None:
    """Takes what is as released. ValueError with all that would break somebody."""
    now = {"events": events(), "operations": operations()}
    if RELEASED.exists():
        broken = [*broken_events(released("events"), now["events"]), *broken_operations(released("operations"), now["operations"])]
        if broken:
            raise ValueError("\n".join(broken))
    RELEASED.mkdir(exist_ok=True)
    for name, made in now.items():
        (RELEASED / f"{name}.json").write_text(documents.text(made), encoding="utf-8")
