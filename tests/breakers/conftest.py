from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.redis import breakers as redis_breakers
from tests.breakers.stores import CLOCK, TEST_CLOCK, Bench, local_bench, redis_bench


@pytest.fixture(params=["local", "redis"])
async def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """
    Breakers of either kind, with their clock in the test's hand.
    """
    if request.param == "local":
        yield local_bench()
        return
    url = request.getfixturevalue("redis_url")
    script = redis_breakers.script()
    monkeypatch.setattr(redis_breakers, "script", lambda: script.replace(CLOCK, TEST_CLOCK))
    client = Redis.from_url(url)
    try:
        yield await redis_bench(client)
    finally:
        await client.aclose()
