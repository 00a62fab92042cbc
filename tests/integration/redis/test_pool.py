"""
The connections to Redis: no more than there may be, and known to whoever asks.
"""

from __future__ import annotations

import asyncio
from weakref import WeakSet

import pytest
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError

from adapters.bootstrap import application
from adapters.redis import connection
from adapters.redis.connection import CountedPool, connect, connected
from adapters.settings import Settings
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


async def test_as_many_are_open_as_are_to_be_before_anybody_needs_one(redis_url: str) -> None:
    async with connected(redis_url, sizes=range(3, 5)) as client:
        pool = client.connection_pool
        assert isinstance(pool, CountedPool)

        async def are_open() -> bool:
            return (pool.state.size, pool.state.in_use) == (3, 0)

        await eventually(are_open, "three connections are open")
        assert [True] * 3 == [one.is_connected for one in pool._available_connections]
        await asyncio.gather(*(client.ping() for _ in range(20)))
        assert (4, 4) == (pool.state.limit, pool.state.size)


async def test_without_redis_they_are_opened_once_it_is_there(mortal_redis: RedisServer) -> None:
    mortal_redis.kill()
    async with connected(mortal_redis.url, sizes=range(2, 5)) as client:
        with pytest.raises(RedisConnectionError):
            await client.ping()
        mortal_redis.start()

        async def answers() -> bool:
            return bool(await client.ping())

        await eventually(answers, "Redis answers")


async def test_every_client_of_a_process_heeds_the_settings(
    sqlite_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: WeakSet[CountedPool] = WeakSet()
    monkeypatch.setattr(connection, "_pools", pools)
    settings = Settings(database_url=sqlite_url, redis_url=SecretStr(redis_url), redis_pool_min=2, redis_pool_max=7)
    async with application(settings, background=False) as app:

        async def are_open() -> bool:
            return all(pool.state.size >= 2 for pool in pools)

        await eventually(are_open, "each has two connections")
        told = app.metrics.exposition().decode()

    # Marks, breakers, rate limits, health.
    assert [7] * 4 == [pool.state.limit for pool in pools]
    assert 'calsaga_pool_limit{pool="redis"} 28.0' in told


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
