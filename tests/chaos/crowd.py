"""The people of a dealer group, all in one event loop: every try of every command is on record, and repeated with its key until it is known."""

import asyncio
import json
import random
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection
from itertools import count
from typing import Any

import aiohttp

from tests.faults.record import PREFIX, Answer, Deed, Record

PATIENCE = 30.0
"""Seconds until a try without an answer counts as a connection that broke."""
PAUSE = 0.2
LONGEST_PAUSE = 8.0
"""Who is told again and again to wait comes back less and less often."""
GIVES_UP = 75.0
"""Seconds of tries, beside those without Kafka, after which a deed's outcome stays unknown, which is a fault."""
THINKS = 0.7
"""Seconds between two steps of one person, on average."""
MARKS = 8


class Unexpected(Exception):
    """An answer that nothing excuses."""


class Pace:
    """So many first tries a second, whatever becomes of them: who waits for his turn goes first, else somebody new begins."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.closed = False
        """Nobody new begins."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._free = 0

    async def turn(self) -> None:
        """Waits for a turn."""
        if self._free:
            self._free -= 1
            return
        self._waiting.append(asyncio.get_running_loop().create_future())
        await self._waiting[-1]

    async def run(self, begin: Callable[[], object]) -> None:
        """Gives turns for ever; once `closed`, to whoever is not done."""
        due = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += 1 / self.rate
            if self._waiting:
                self._waiting.popleft().set_result(None)
            elif not self.closed:
                self._free += 1
                begin()


class Crowd:
    """Everybody, at all doors."""

    def __init__(self, record: Record, doors: Collection[str], pace: Pace, seed: int, away: float) -> None:
        """Kafka will be away for that many seconds, for which who waits for something heard waits longer."""
        self.record = record
        self.doors = [door + PREFIX for door in doors]
        self.pace = pace
        self.patience = GIVES_UP + 2 * away
        self.dice = random.Random(seed)
        self.staff: dict[str, tuple[str, str]] = {}
        """Staff id and access token by login."""
        self._numbers = count(1)
        self._http: aiohttp.ClientSession | None = None

    def number(self) -> int:
        """A number nobody else has."""
        return next(self._numbers)

    async def __aenter__(self) -> "Crowd":
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30), timeout=aiohttp.ClientTimeout(total=PATIENCE)
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._http:
            await self._http.close()

    async def attempt(self, deed: Deed, login: str, seen: str = "") -> tuple[Answer, str]:
        """One try, and what its answer lets others see."""
        headers = {"idempotency-key": deed.key, "if-match": "*"}
        began = time.monotonic()
        try:
            status, told, body = await self._ask("POST", deed.path, login, headers, seen, deed.body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            answer, told = Answer(at=time.monotonic(), took=time.monotonic() - began, status=0, problem=repr(error)), {}
        else:
            answer = Answer(
                at=time.monotonic(),
                took=time.monotonic() - began,
                status=status,
                problem=str(body.get("type") or body) if status >= 400 else "",
                retry_after=told.get("retry-after"),
                id=str(body.get("id", "")),
                version=int(body.get("version", 0)),
            )
        first = deed.done
        deed.answers.append(answer)
        if not answer.accepted and not deed.excuses(answer):
            raise Unexpected(f"{deed.path}: {answer.status} {answer.problem} {body if answer.status else ''}")
        if answer.accepted and first and (first.id, first.version) != (answer.id, answer.version):
            raise Unexpected(f"{deed.path}: {first}, then {answer}")
        return answer, told.get("forecourt-seen", "")

    async def read(self, login: str, path: str) -> dict[str, Any]:
        """What a page says; {} while nobody can tell."""
        try:
            status, _, body = await self._ask("GET", path, login, {}, "", None)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return {}
        if status not in (200, 404, 429, 503):
            raise Unexpected(f"GET {path}: {status} {body}")
        return body if status == 200 else {}

    async def _ask(
        self, method: str, path: str, login: str, headers: dict[str, str], seen: str, body: Any
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        assert self._http
        headers |= {"authorization": f"Bearer {self.staff[login][1]}"} | ({"forecourt-seen": seen} if seen else {})
        async with self._http.request(method, self.dice.choice(self.doors) + path, headers=headers, json=body) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            text = await response.text()
            try:
                answered = json.loads(text)
            except ValueError:
                answered = {"text": text[:200]}
            return response.status, told, answered if isinstance(answered, dict) else {}


type Story = Callable[["Walk"], Awaitable[None]]


class Walk:
    """What one group of people does about one car, lead or customer, step by step; each knows what those before him saw."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._seen: OrderedDict[str, str] = OrderedDict()

    async def think(self) -> None:
        """A person's pause."""
        await asyncio.sleep(self.crowd.dice.uniform(0.5, 1.5) * THINKS)

    async def do(self, login: str, context: str, path: str, body: Any = None, mark: str = "", expects: Collection[str] = ()) -> Answer:
        """A command, once; the acknowledgement, or the refusal that was expected. Raises Unexpected."""
        await self.think()
        await self.crowd.pace.turn()
        staff, _ = self.crowd.staff[login]
        deed = Deed(context=context, staff=staff, path=path, body=body, mark=mark, expects=frozenset(expects))
        self.crowd.record.add(deed)
        until, pause = time.monotonic() + self.crowd.patience, PAUSE
        while True:
            answer, seen = await self.crowd.attempt(deed, login, ",".join(self._seen.values()))
            if answer.accepted or answer.slug in deed.expects:
                self._saw(seen)
                return answer
            if time.monotonic() > until:
                raise Unexpected(f"{path} is not done after {self.crowd.patience:.0f} s: {deed.answers[-3:]}")
            asked = float(answer.retry_after or 0)
            await asyncio.sleep(self.crowd.dice.uniform(0.5, 1.0) * max(pause, asked))
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _saw(self, seen: str) -> None:
        if seen:
            stream = seen.partition("@")[0]
            self._seen[stream] = seen
            self._seen.move_to_end(stream)
            if len(self._seen) > MARKS:
                self._seen.popitem(last=False)

    async def until(self, login: str, path: str, **expected: Any) -> dict[str, Any]:
        """Reads until the page says so. Raises Unexpected when it never does."""
        until, pause, found = time.monotonic() + self.crowd.patience, THINKS, dict[str, Any]()
        while time.monotonic() < until:
            found = await self.crowd.read(login, path)
            if found and all(found.get(name) == value for name, value in expected.items()):
                return found
            await asyncio.sleep(self.crowd.dice.uniform(0.5, 1.5) * pause)
            pause = min(pause * 1.2, LONGEST_PAUSE)
        raise Unexpected(f"{path} is not {expected} but {found}")
