"""Executes a page of documentation: its ```http blocks are requests with what they must answer.

    sales POST /orders
    {"trim_id": "$trim", …}
    => 201 order = id

The first word is a login (or `nobody`), `$name` a value kept before. `=>` states the status, then either `name = field` to keep,
or a JSON object the answer must contain. `~>` asks again until it holds. A body that begins with `<` is XML.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from shared.testing.platform import Person, Platform

_BLOCK = re.compile(r"^```http\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\$(\w+)")
PATIENCE = 20.0


@dataclass
class Step:
    """One request and its expectations; `line` is where it stands."""

    line: int
    who: str
    method: str
    path: str
    body: str
    expects: list[str] = field(default_factory=list)


def steps(page: Path) -> Iterator[Step]:
    """The steps of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        line = text[: block.start()].count("\n") + 2
        lines = block[1].strip().splitlines()
        who, method, path = lines[0].split(maxsplit=2)
        marked = [row for row in lines[1:] if row.startswith(("=>", "~>"))]
        body = "\n".join(row for row in lines[1:] if not row.startswith(("=>", "~>"))).strip()
        yield Step(line, who, method, path, body, marked)


class Walkthrough:
    """Runs pages against a platform; what one page keeps the next may use."""

    def __init__(self, platform: Platform, people: dict[str, Person], values: dict[str, Any]) -> None:
        self.platform = platform
        self.people = people
        self.values = values

    def run(self, page: Path) -> int:
        """The number of steps run. AssertionError names page, line and answer."""
        count = 0
        for step in steps(page):
            self._step(page, step)
            count += 1
        return count

    def _step(self, page: Path, step: Step) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._ask(step)
            problem = self._unmet(step, answer)
            if problem is None:
                return
            again = any(expected.startswith("~>") for expected in step.expects)
            where = f"{page.name}:{step.line} {step.who} {step.method} {self._fill(step.path)}"
            assert again and time.monotonic() < until, f"{where}\n{problem}\n{answer.status_code} {answer.text[:3000]}"
            time.sleep(0.1)

    def _ask(self, step: Step) -> httpx2.Response:
        person = self.people[step.who]
        path, body = self._fill(step.path), self._fill(step.body)
        if step.method == "GET":
            return person.http.get(path)
        if body.startswith("<"):
            headers = {"content-type": "application/x-adf+xml", "idempotency-key": f"{step.line}-{time.time_ns()}"}
            return person.http.post(path, content=body.encode(), headers=headers)
        return person.post(path, json.loads(body) if body else None)

    def _unmet(self, step: Step, answer: httpx2.Response) -> str | None:
        """What an answer lacks of what is expected; None when all holds, and its values are kept."""
        found = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        for expected in step.expects:
            status, _, rest = expected[2:].strip().partition(" ")
            if answer.status_code != int(status):
                return f"expected {status}"
            rest = self._fill(rest.strip())
            if rest.startswith("{"):
                if not contains(found, json.loads(rest)):
                    return f"expected {rest}"
            elif rest:
                for part in rest.split(","):
                    name, _, place = part.partition("=")
                    value = _at(found, place.strip())
                    if value in (None, ""):
                        return f"no {place.strip()}"
                    self.values[name.strip()] = value
        return None

    def _fill(self, text: str) -> str:
        return _NAME.sub(lambda match: str(self.values[match[1]]), text)


def contains(found: Any, expected: Any) -> bool:
    """Whether an answer has at least what is expected; of a list every expected item must be somewhere in it."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(name in found and contains(found[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and all(any(contains(item, wanted) for item in found) for wanted in expected)
    return bool(found == expected)


def _at(found: Any, place: str) -> Any:
    """A value by a path such as `items.0.id`."""
    for part in place.split("."):
        if isinstance(found, list):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found
