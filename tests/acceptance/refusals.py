"""What every refusal must be: RFC 9457, of the expected kind, without a word of what was sent."""

from collections.abc import Collection

import httpx2

from shared.web.problems import PROBLEMS

CANARY = "zq7canary93"
"""A word that stands in what attackers send, and never in an answer."""
FIELDS = {"type", "title", "status", "detail", "instance", "errors"}


def unlike(answer: httpx2.Response, statuses: Collection[int], slugs: Collection[str] = ()) -> str | None:
    """What is wrong with a refusal; None when it is as it must be."""
    got = f"{answer.status_code} {answer.text[:300]}"
    if answer.status_code not in statuses:
        return f"expected {statuses}: {got}"
    if answer.headers.get("content-type", "").partition(";")[0] != "application/problem+json":
        return f"no problem+json but {answer.headers.get('content-type')}: {got}"
    problem = answer.json()
    slug = problem["type"].removeprefix("/problems/")
    if slugs and slug not in slugs:
        return f"expected {slugs}: {got}"
    if slug not in PROBLEMS or not problem["title"] or problem["status"] != answer.status_code:
        return f"not of the table: {got}"
    if problem.keys() - FIELDS or not problem["instance"].startswith("/traces/"):
        return f"not of the shape: {got}"
    if CANARY in answer.text or "Traceback" in answer.text or "select " in answer.text:
        return f"tells what was sent, or what is inside: {got}"
    return None


def assert_refused(answer: httpx2.Response, status: int, *slugs: str) -> None:
    """AssertionError unless the answer is this refusal."""
    assert (wrong := unlike(answer, (status,), slugs)) is None, wrong
