"""The people of the demo at the gateway's door: logged in once, patient while services tell each other."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

import aiohttp

AT_ONCE = 12
"""Requests under way at a time."""
PATIENCE = 90.0
"""Seconds a command is tried again while what it refers to has not been heard of, and anything else is waited for."""
LOGIN_PAUSES = (0.5, 2.0, 5.0, 0.0)
"""Seconds between tries: the gateway answers a moment before it has made the administrator, and lets five wrong passwords pass."""
NOT_YET = frozenset(
    {
        "not-found",
        "unknown-reference",
        "not-yet-seen",
        "request-in-flight",
        "too-many-requests",
        "unavailable",
        "not-ready",
        "vehicle-unknown",
    }
)
_KEYS = UUID("5f0c3f9e-6f5c-5c0e-9d0a-0f5e0a5c7d10")


class Refused(Exception):
    """A command or login the gateway refused: `problem` is its slug."""

    def __init__(self, path: str, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{path}: {status} {answer.get('title', '')} {answer.get('detail', '')} {answer.get('errors', '')}")
        self.problem = str(answer.get("type", "")).rpartition("/")[2]


class Door:
    """The gateway at `url`; everybody has the same password, `async with` closes the connections."""

    def __init__(self, url: str, password: str) -> None:
        self.password = password
        self.slots = asyncio.Semaphore(AT_ONCE)
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        self.http = aiohttp.ClientSession(f"{url}/api/v1/", connector=connector, timeout=aiohttp.ClientTimeout(total=30))
        self._people: dict[str, asyncio.Task[Person]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.http.close()

    async def person(self, login: str) -> "Person":
        """Somebody logged in. Raises Refused."""
        if login not in self._people:
            self._people[login] = asyncio.create_task(self._logged_in(login))
        return await self._people[login]

    async def _logged_in(self, login: str) -> "Person":
        person = Person(self)
        await person.log_in(login)
        return person


class Person:
    """What one person asks and commands."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.headers: dict[str, str] = {}

    async def log_in(self, login: str) -> None:
        """A first password is confirmed as it is. Raises Refused."""
        form = {"grant_type": "password", "username": login, "password": self.door.password}
        for pause in LOGIN_PAUSES:
            status, granted = await self._ask("POST", "auth/token", data=form)
            if status == 200:
                break
            await asyncio.sleep(pause)
        else:
            raise Refused(f"login as {login}", status, granted)
        self.headers = {"authorization": f"Bearer {granted['access_token']}"}
        if granted["must_change_password"]:
            await self.do("auth/password", {"current": self.door.password, "new": self.door.password}, key=f"password {login}")

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        """One answer. Raises Refused, and after PATIENCE what is not there yet too."""
        return await self._patiently("GET", path, params=params)

    async def every(self, path: str, **params: str) -> list[dict[str, Any]]:
        """All items of a list. Raises Refused."""
        found, cursor = [], ""
        while True:
            page = await self.get(path, limit="200", **({"cursor": cursor} if cursor else {}), **params)
            found += page["items"]
            cursor = page["next_cursor"] or ""
            if not cursor:
                return found

    async def do(self, path: str, body: dict[str, Any] | None = None, *, key: str) -> str:
        """A command, the same for the same `key` however often it is sent; the id it answers. Raises Refused."""
        headers = {"idempotency-key": str(uuid5(_KEYS, key)), "if-match": "*"}
        answer = await self._patiently("POST", path, json=body, headers=headers)
        return str(answer["id"])

    async def _patiently(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + PATIENCE, 0.05
        while True:
            status, answer = await self._ask(method, path, headers={**self.headers, **(headers or {})}, **options)
            if status < 400:
                return answer
            refused = Refused(path, status, answer)
            if refused.problem not in NOT_YET or loop.time() > until:
                raise refused
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _ask(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.door.slots, self.door.http.request(method, path, **options) as response:
            return response.status, await response.json(content_type=None)


async def eventually[T](read: Callable[[], Awaitable[T]], ready: Callable[[T], bool]) -> T:
    """What `read` finds as soon as it is `ready`. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not ready(found := await read()):
            await asyncio.sleep(0.3)
        return found
