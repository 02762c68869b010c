"""So many requests a second, for one person and one address, however many come at once; counted in Redis, or here without it."""

import asyncio
from typing import Any

import pytest
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from services.gateway.limiter import ADDRESS, PERSON, Limiter
from shared.web.problems import Problem


async def refused(limiter: Limiter, *who: tuple[str, str]) -> bool:
    try:
        await limiter.enter(*who)
    except Problem as problem:
        return (problem.slug, problem.headers["Retry-After"]) == ("too-many-requests", "1")
    return False


async def crowd(limiter: Limiter, many: int, *who: tuple[str, str]) -> list[bool]:
    return await asyncio.gather(*(refused(limiter, *who) for _ in range(many)))


async def test_a_crowd_of_one_person_is_let_in_up_to_his_limit(redis_url: str) -> None:
    answers = await crowd(Limiter(redis_url), PERSON.amount + 7, ("person", "lin"))
    assert answers == [False] * PERSON.amount + [True] * 7


async def test_two_doors_count_together_and_each_name_for_itself(redis_url: str) -> None:
    north, south = Limiter(redis_url), Limiter(redis_url)
    first, second = await asyncio.gather(
        *(crowd(each, PERSON.amount, ("address", "10.0.0.1"), ("person", "lin")) for each in (north, south))
    )
    assert (first + second).count(False) == PERSON.amount
    assert not await refused(north, ("address", "10.0.0.2"), ("person", "wei"))
    assert ADDRESS.amount == 2 * PERSON.amount
    assert await refused(south, ("address", "10.0.0.1"), ("person", "wei"))


async def test_a_second_later_the_counting_begins_anew(redis_url: str) -> None:
    limiter = Limiter(redis_url)
    await crowd(limiter, PERSON.amount, ("person", "lin"))
    assert await refused(limiter, ("person", "lin"))
    async with asyncio.timeout(3):
        while await refused(limiter, ("person", "lin")):
            await asyncio.sleep(0.05)


async def test_it_counts_under_the_names_that_limits_gives(redis_url: str) -> None:
    theirs: Any = FixedWindowRateLimiter(RedisStorage(f"async+{redis_url}", implementation="redispy"))
    await theirs.hit(PERSON, "person", "lin", cost=PERSON.amount)
    assert await refused(Limiter(redis_url), ("person", "lin"))


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0"])
async def test_without_redis_each_door_counts_for_itself(url: str) -> None:
    limiter = Limiter(url)
    answers = await crowd(limiter, PERSON.amount + 7, ("person", "lin"))
    assert answers.count(False) == PERSON.amount
    assert not await refused(Limiter(url), ("person", "lin"))
