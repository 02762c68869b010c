"""Request limits per person and per address, counted in Redis; without Redis each gateway process counts for itself."""

import asyncio
import time
from collections import Counter

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.web.problems import Problem

log = structlog.get_logger()

PERSON = RateLimitItemPerSecond(500, 1)
ADDRESS = RateLimitItemPerSecond(1000, 1)
PAUSE = 5.0
"""Seconds Redis is left alone after it failed."""
COUNT = """
local counted = {}
for i, key in ipairs(KEYS) do
    counted[i] = redis.call('INCRBY', key, ARGV[i])
    if counted[i] == tonumber(ARGV[i]) then redis.call('EXPIRE', key, 1) end
end
return counted
"""
"""A second begins with a key's first count. Keys are named as `limits` names them."""

type Who = tuple[str, str]
"""`person` or `address`, and which."""


class Limiter:
    """A fixed window per second: enough against floods. Requests that come together are counted by one call."""

    def __init__(self, redis_url: str) -> None:
        redis: Redis = Redis.from_url(redis_url, socket_timeout=0.2, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
        self._count = redis.register_script(COUNT)
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._back = 0.0
        self._waiting: list[tuple[Who, asyncio.Future[bool]]] = []
        self._counting: asyncio.Task[None] | None = None

    async def enter(self, *who: Who) -> None:
        """Counts a request for each. Raises Problem("too-many-requests") with Retry-After beyond a limit."""
        loop = asyncio.get_running_loop()
        asked: list[asyncio.Future[bool]] = [loop.create_future() for _ in who]
        self._waiting += zip(who, asked, strict=True)
        if self._counting is None:
            self._counting = loop.create_task(self._count_all())
        if not all([await one for one in asked]):
            raise Problem("too-many-requests", headers={"Retry-After": "1"})

    async def _count_all(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            try:
                within = await self._within([who for who, _ in waiting])
            except Exception as error:
                within = [error] * len(waiting)
            for (_, future), answer in zip(waiting, within, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        self._counting = None

    async def _within(self, asked: list[Who]) -> list[bool | Exception]:
        """Whether each, in its order, is within its limit."""
        many = Counter(asked)
        after = await self._counted(many)
        if not after:
            return [await self._memory.hit(_item(who), *who) for who in asked]
        answers: list[bool | Exception] = []
        for who in asked:
            many[who] -= 1
            answers.append(after[who] - many[who] <= _item(who).amount)
        return answers

    async def _counted(self, many: Counter[Who]) -> dict[Who, int]:
        """How many there are in this second with these; nothing while Redis is away."""
        if time.monotonic() < self._back:
            return {}
        keys = [f"LIMITS:{_item(who).key_for(*who)}" for who in many]
        try:
            return dict(zip(many, await self._count(keys=keys, args=list(many.values())), strict=True))
        except (RedisError, OSError, TimeoutError):
            self._back = time.monotonic() + PAUSE
            log.warning("redis does not answer; limits are counted in this process")
            return {}


def _item(who: Who) -> RateLimitItemPerSecond:
    return PERSON if who[0] == "person" else ADDRESS
