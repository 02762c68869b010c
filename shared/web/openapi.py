"""The OpenAPI document of a service: FastAPI's, with the problem schema, the token it wants and an example for every body."""

from typing import Any

from fastapi import FastAPI

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


def describe(app: FastAPI) -> None:
    """Makes `app.openapi()` complete; it is made once, when first asked for."""
    fastapis = app.openapi

    def complete() -> dict[str, Any]:
        made = fastapis()
        components = made.setdefault("components", {})
        if "Problem" in components.setdefault("schemas", {}):
            return made
        components["schemas"]["Problem"] = PROBLEM
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        made["security"] = [{"bearer": []}]
        for operations in made.get("paths", {}).values():
            for operation in operations.values():
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    content.setdefault("example", example(content.get("schema", {}), components["schemas"]))
                for answer in operation["responses"].values():
                    if len(content := answer.get("content", {})) > 1:  # FastAPI's guess beside what the route says it produces
                        content.pop("application/json", None)
        return made

    app.openapi = complete  # type: ignore[method-assign]


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value a schema accepts, made of the examples of its parts; what may be left out is there too."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
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
