"""
Emptying Redis, if there is one.
"""

from __future__ import annotations

import os

from redis.asyncio import Redis

from tests.storm.weather import REDIS_URL


async def flush() -> bool:
    """
    Empty the Redis that the storm was given, and tell whether there is one.
    """
    url = os.environ.get(REDIS_URL)
    if not url:
        return False
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return True
