"""A client of server-sent events."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from shared.testing.platform import Person


@dataclass(frozen=True)
class Event:
    """One event as it came; `id` is what resumes after it."""

    id: str
    name: str
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """Envelope and data."""
        made: dict[str, Any] = json.loads(self.text)
        return made


@contextmanager
def listening(person: Person, last: str = "") -> Iterator[Iterator[Event]]:
    """The events from now on, or after `last`; the block begins when the service listens."""
    headers = {"last-event-id": last} if last else {}
    with person.http.stream("GET", "/events", headers=headers, timeout=httpx2.Timeout(30, read=20)) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == ": welcome"
        yield _events(lines)


def _events(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    silent = 0
    for line in lines:
        if line.startswith(":"):
            silent += 1
            assert silent < 2, "nothing came but heartbeats"
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Event(fields["id"], fields["event"], fields["data"])
            fields = {}


def gathered(events: Iterator[Event], enough: Callable[[list[Event]], bool]) -> list[Event]:
    """Events until there are enough; AssertionError when they do not come."""
    found: list[Event] = []
    while not enough(found):
        found.append(next(events))
    return found
