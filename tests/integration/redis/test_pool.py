"""
The connections to Redis: no more than there may be, and known to whoever asks.
"""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from adapters.redis.connection import CountedPool, connect
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer


async def test_no_more_connections_than_there_may_be(redis_url: str) -> None:
    async with connect(redis_url, most=2) as client:
        pool = client.connection_pool
        assert isinstance(pool, CountedPool)
        answers = await asyncio.gather(*(client.ping() for _ in range(50)))

        assert [True] * 50 == answers
        assert (2, 2, 0, 0, 0) == (
            pool.state.limit,
            pool.state.size,
            pool.state.in_use,
            pool.state.waiting,
            pool.state.timeouts,
        )
        assert pool.state.longest_wait


async def test_who_waits_in_vain_is_counted(redis_url: str) -> None:
    async with connect(redis_url, most=1) as client:
        pool = client.connection_pool
        assert isinstance(pool, CountedPool)
        pool.timeout = 0.01
        held = await pool.get_connection()
        with pytest.raises(RedisConnectionError):
            await client.ping()
        await pool.release(held)

        assert (1, 0) == (pool.state.timeouts, pool.state.waiting)
        assert await client.ping()


async def test_connections_come_back_with_the_server(mortal_redis: RedisServer) -> None:
    async with connect(mortal_redis.url, most=4) as client:
        await asyncio.gather(*(client.ping() for _ in range(4)))
        mortal_redis.kill()
        for _ in range(4):
            with pytest.raises(RedisConnectionError):
                await client.ping()
        mortal_redis.start()

        async def answers() -> bool:
            return bool(await client.ping())

        await eventually(answers, "Redis answers again")
        pool = client.connection_pool
        assert isinstance(pool, CountedPool)
        assert 0 == pool.state.in_use
