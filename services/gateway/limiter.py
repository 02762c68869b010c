"""Request limits per person and per address, counted in Redis; without Redis each gateway process counts for itself."""

import time

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from shared.web.problems import Problem

log = structlog.get_logger()

PERSON = RateLimitItemPerSecond(500, 1)
ADDRESS = RateLimitItemPerSecond(1000, 1)
PAUSE = 5.0
"""Seconds Redis is left alone after it failed."""


class Limiter:
    """A fixed window per second: enough against floods, one Redis call per request."""

    def __init__(self, redis_url: str) -> None:
        self._redis = FixedWindowRateLimiter(RedisStorage(f"async+{redis_url}", implementation="redispy", socket_timeout=0.2))
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._back = 0.0

    async def enter(self, kind: str, name: str) -> None:
        """Counts a request. Raises Problem("too-many-requests") with Retry-After beyond the limit."""
        item = PERSON if kind == "person" else ADDRESS
        if not await self._hit(item, kind, name):
            raise Problem("too-many-requests", headers={"Retry-After": "1"})

    async def _hit(self, item: RateLimitItemPerSecond, kind: str, name: str) -> bool:
        if time.monotonic() >= self._back:
            try:
                return bool(await self._redis.hit(item, kind, name))
            except (RedisError, OSError, TimeoutError):
                self._back = time.monotonic() + PAUSE
                log.warning("redis does not answer; limits are counted in this process")
        return bool(await self._memory.hit(item, kind, name))
