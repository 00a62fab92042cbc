"""The rate limits of a process: with Redis those of the fleet, without it its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from adapters.limits.leasing import LeasingLimiter
from adapters.limits.local import LocalLimiter
from adapters.limits.ports import Limiter, Limits
from adapters.redis.connection import SIZES, connected
from adapters.redis.tokens import RedisTokens


@asynccontextmanager
async def open_limiter(
    limits: Limits, *, redis_url: str | None, within: float, alone: Callable[[int], None], sizes: range = SIZES
) -> AsyncIterator[Limiter]:
    """Yield the limiter; a caller waits `within` seconds for Redis at most, and nothing is asked of it before."""
    if redis_url is None:
        yield LocalLimiter(limits)
        return
    async with connected(redis_url, sizes=sizes) as client:
        yield LeasingLimiter(limits, RedisTokens(client, limits, limit=within), within=within, alone=alone)
