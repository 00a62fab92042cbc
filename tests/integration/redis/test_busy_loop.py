"""
A Redis that answers at once, asked by a process that is too busy to look, and one that does not answer at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest
from structlog.testing import capture_logs

from adapters.breakers.ports import SharedStateAway
from adapters.limits.ports import RateLimit, SharedTokensAway
from adapters.redis.breakers import RedisBreakers
from adapters.redis.connection import connect
from adapters.redis.errors import RedisAway
from adapters.redis.marks import redis_marks
from adapters.redis.tokens import RedisTokens
from tests.breakers.listening import Heard
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer

LIMIT = 0.05
CROWD = 48
AWAY = (RedisAway, SharedStateAway, SharedTokensAway)

Ask: TypeAlias = Callable[[], Awaitable[object]]


@asynccontextmanager
async def asking(who: str, url: str) -> AsyncIterator[Ask]:
    """
    Yield a question to Redis for which somebody waits LIMIT seconds; it has been answered before.
    """
    if who == "marks":
        marks = redis_marks(url, limit=LIMIT)
        async with marks.running(heard=lambda _: None, clear=lambda *_: None):
            yield await prompt(lambda: marks.has("x"))
        return
    async with connect(url) as client:
        breakers = RedisBreakers(client, {}, listener=Heard(), limit=LIMIT)
        tokens = RedisTokens(client, {"key": RateLimit(per_second=10, burst=20)}, limit=LIMIT)
        yield await prompt(
            (lambda: breakers.acquire("x")) if who == "breakers" else (lambda: tokens.lease([(("key", "k"), 1)]))
        )


async def prompt(ask: Ask) -> Ask:
    async def answers() -> bool:
        try:
            await ask()
        except AWAY:
            return False
        return True

    await eventually(answers, "Redis answers")
    return ask


async def blocked(*, turns: int, seconds: float) -> None:
    """
    Hold up so many turns of the event loop, one after the other.
    """
    for _ in range(turns):
        await asyncio.sleep(0)
        time.sleep(seconds)  # noqa: ASYNC251 - the loop is to be blocked


@pytest.mark.parametrize("who", ["marks", "breakers", "tokens"])
@pytest.mark.parametrize(("turns", "seconds"), [(2, 0.2), (8, 0.06)])
async def test_redis_is_not_blamed_for_a_busy_event_loop(who: str, turns: int, seconds: float, redis_url: str) -> None:
    async with asking(who, redis_url) as ask:
        # Most of a crowd have to connect first, which takes several turns more.
        crowd = [asyncio.ensure_future(ask()) for _ in range(CROWD)]
        await blocked(turns=turns, seconds=seconds)

        assert None not in await asyncio.gather(*crowd)


@pytest.mark.parametrize("who", ["marks", "breakers", "tokens"])
async def test_a_redis_that_stands_still_is_lost_within_the_limit(who: str, mortal_redis: RedisServer) -> None:
    async with asking(who, mortal_redis.url) as ask:
        mortal_redis.suspend()
        began = time.monotonic()
        with pytest.raises(AWAY):
            await ask()
        took = time.monotonic() - began
        mortal_redis.resume()

    # The connection itself is given up after a second.
    assert LIMIT <= took < 0.8


async def test_a_busy_process_gives_up_a_redis_that_stands_still_as_well(mortal_redis: RedisServer) -> None:
    async with asking("breakers", mortal_redis.url) as ask:
        mortal_redis.suspend()
        question = asyncio.ensure_future(ask())
        turns = 0
        while not question.done() and turns < 200:
            turns += 1
            await blocked(turns=1, seconds=0.01)
        mortal_redis.resume()

        assert turns < 200
        with pytest.raises(AWAY):
            await question


async def test_of_a_crowd_that_redis_keeps_waiting_one_tells_the_operators(mortal_redis: RedisServer) -> None:
    with capture_logs() as lines:
        async with asking("marks", mortal_redis.url) as ask:
            mortal_redis.suspend()
            lost = await asyncio.gather(*(ask() for _ in range(CROWD)), return_exceptions=True)
            mortal_redis.resume()

    assert {RedisAway} == {type(one) for one in lost}
    assert 1 == sum(line["event"] == "redis.answer.late" for line in lines)
