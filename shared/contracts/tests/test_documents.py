"""The OpenAPI documents are those of the code, and tell all: every operation with request, answer and refusals, by example."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from shared.contracts import documents
from shared.testing.documented import document, resolved, validator
from shared.web.openapi import FOLDER, published
from shared.web.problems import MEDIA_TYPE, PROBLEMS


@cache
def made(context: str) -> dict[str, Any]:
    return documents.document(context)


@pytest.mark.parametrize("context", documents.SERVICES)
def test_the_document_of_a_service_is_current(context: str) -> None:
    assert (FOLDER / f"{context}.json").read_text(encoding="utf-8") == documents.text(made(context)), "run `make contracts` and review"


def test_no_document_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(documents.SERVICES)
    assert published("nobody") is None


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of an operation, there and back, by a name."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for status, response in operation["responses"].items():
        for media_type, content in resolved(response).get("content", {}).items():
            yield f"{status} {media_type}", content


def test_every_operation_says_what_it_answers() -> None:
    lacking = []
    for name, operation in operations():
        successes = [resolved(response) for status, response in operation["responses"].items() if status.startswith("2")]
        told = [content for response in successes for content in response.get("content", {}).values()]
        if not told or any(not content.get("schema") for content in told) or not operation.get("summary"):
            lacking.append(name)
    assert lacking == []


def test_every_body_has_an_example_that_fits_its_schema() -> None:
    wrong: dict[str, str] = {}
    for name, operation in operations():
        for place, content in contents(operation):
            if "json" not in place:
                continue
            examples = [resolved(one)["value"] for one in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            check = validator(content["schema"])
            wrong |= {f"{name} {place}": str(e) for one in examples for e in check.iter_errors(one)}
            if not examples:
                wrong[f"{name} {place}"] = "no example"
    assert wrong == {}


def test_every_operation_names_its_problems() -> None:
    wrong = []
    for name, operation in operations():
        responses = operation["responses"]
        refusals = {status: resolved(response) for status, response in responses.items() if not status.startswith("2")}
        expected = {"400", "429", "503"} | (set() if operation.get("security") == [] else {"401", "403"})
        if not expected <= refusals.keys() or "default" in responses or any("X" in status for status in responses):
            wrong.append(name)
        for status, response in refusals.items():
            slugs = response["content"][MEDIA_TYPE]["examples"].keys()
            if not slugs or {str(PROBLEMS[slug].status) for slug in slugs} != {status}:
                wrong.append(f"{name} {status}")
    assert wrong == []


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from references(part)

    for reference in set(references(document())):
        assert resolved({"$ref": reference})
