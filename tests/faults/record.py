"""A client that keeps every answer to every try of its commands, and tries again with the same key until it knows the outcome."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import uuid4

import httpx2

AGAIN = {
    409: {"/problems/request-in-flight", "/problems/not-yet-seen"},
    429: {"/problems/too-many-requests"},
    503: {"/problems/unavailable", "/problems/not-ready"},
}
"""What a command may be answered with while something is broken: the outcome is unknown, or nothing was done."""
PAUSE = 0.1
"""Seconds before the next try; Retry-After may ask for more, but the sooner tries find more."""
PREFIX = "/api/v1"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One try's answer; status 0 is a connection that broke. `at` and `took` are seconds of the monotonic clock."""

    at: float
    took: float
    status: int
    problem: str = ""
    retry_after: str | None = None
    id: str = ""
    version: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the command was acknowledged."""
        return self.status in (200, 201)

    @property
    def slug(self) -> str:
        """The problem's last word."""
        return self.problem.rpartition("/")[2]


@dataclass(kw_only=True)
class Deed:
    """A command somebody wants done once. `mark` is a text that its event, and no other's, contains."""

    context: str
    staff: str
    path: str
    body: Any = None
    mark: str = ""
    expects: frozenset[str] = frozenset()
    """Problems that are as good an outcome: somebody else was first."""
    key: str = field(default_factory=lambda: str(uuid4()))
    answers: list[Answer] = field(default_factory=list)

    @property
    def route(self) -> str:
        """As the idempotency key is scoped."""
        return f"POST {PREFIX}{self.path}"

    @property
    def done(self) -> Answer | None:
        """The first acknowledgement."""
        return next((answer for answer in self.answers if answer.accepted), None)

    @property
    def refused(self) -> bool:
        """Whether it was refused as expected, and nobody knows of anything else."""
        return self.done is None and bool(self.answers) and self.answers[-1].slug in self.expects

    def excuses(self, answer: Answer) -> bool:
        """Whether a fault or a rule explains that this was not accepted."""
        return answer.status == 0 or answer.problem in AGAIN.get(answer.status, ()) or answer.slug in self.expects


class Record:
    """All deeds of a test, from all its threads."""

    def __init__(self) -> None:
        self._deeds: list[Deed] = []
        self._lock = Lock()

    def add(self, deed: Deed) -> None:
        """Keeps a deed before its first try."""
        with self._lock:
            self._deeds.append(deed)

    def __iter__(self) -> Iterator[Deed]:
        with self._lock:
            return iter(list(self._deeds))

    def __len__(self) -> int:
        return len(self._deeds)

    def answers(self, since: float = 0.0) -> list[Answer]:
        """Every answer that came after `since`, in order."""
        return sorted((answer for deed in self for answer in deed.answers if answer.at > since), key=lambda answer: answer.at)

    def accepted(self, context: str | None = None, path: str = "") -> list[Deed]:
        """The acknowledged deeds of a context whose path begins with `path`."""
        return [deed for deed in self if deed.done and context in (None, deed.context) and deed.path.startswith(path)]


class Client:
    """One person at one door. Not for two threads at once."""

    def __init__(self, record: Record, url: str, staff: str, token: str) -> None:
        self.record = record
        self.staff = staff
        self.http = httpx2.Client(base_url=url + PREFIX, timeout=30, headers={"authorization": f"Bearer {token}"})

    def at(self, url: str) -> "Client":
        """The same person at another door."""
        return Client(self.record, url, self.staff, self.http.headers["authorization"].removeprefix("Bearer "))

    def begin(self, context: str, path: str, body: Any = None, mark: str = "", expects: frozenset[str] = frozenset()) -> Deed:
        """A deed on record, not tried yet."""
        deed = Deed(context=context, staff=self.staff, path=path, body=body, mark=mark, expects=expects)
        self.record.add(deed)
        return deed

    def attempt(self, deed: Deed) -> Answer:
        """One try. AssertionError for an answer no fault excuses, and for one that differs from the first acknowledgement."""
        began = time.monotonic()
        headers = {"idempotency-key": deed.key, "if-match": "*"}
        try:
            response = self.http.post(deed.path, json=deed.body, headers=headers)
        except httpx2.TransportError as error:
            answer = Answer(at=time.monotonic(), took=time.monotonic() - began, status=0, problem=repr(error))
        else:
            answer = _answer(response, began)
        first = deed.done
        deed.answers.append(answer)
        if answer.accepted:
            assert first is None or (first.id, first.version) == (answer.id, answer.version), f"{deed.path}: {first}, then {answer}"
        else:
            assert deed.excuses(answer), f"{deed.path}: {answer.status} {answer.problem}"
        return answer

    def finish(self, deed: Deed, seconds: float = 60) -> Answer:
        """Tries until the deed is acknowledged."""
        until = time.monotonic() + seconds
        while not (answer := self.attempt(deed)).accepted:
            assert time.monotonic() < until, f"{deed.path} is not done after {seconds:.0f} s: {deed.answers[-3:]}"
            time.sleep(PAUSE)
        return answer


def _answer(response: httpx2.Response, began: float) -> Answer:
    now = time.monotonic()
    json = response.json() if "json" in response.headers.get("content-type", "") else {}
    return Answer(
        at=now,
        took=now - began,
        status=response.status_code,
        problem=str(json.get("type") or f"{response.headers.get('content-type')}: {response.text[:200]}") if response.is_error else "",
        retry_after=response.headers.get("retry-after"),
        id=str(json.get("id", "")),
        version=int(json.get("version", 0)),
    )
