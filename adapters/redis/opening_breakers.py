"""The breakers of a process: with Redis those of the fleet, without it its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import Listener, Restorable
from adapters.redis.breakers import RedisBreakers
from adapters.redis.connection import SIZES, connected
from domain.breaker_policy import BreakerPolicy


@asynccontextmanager
async def open_breakers(
    policies: Mapping[str, BreakerPolicy],
    *,
    listener: Listener,
    instance: str,
    redis_url: str | None,
    limit: float,
    sizes: range = SIZES,
) -> AsyncIterator[Restorable]:
    """
    Yield the breakers; a caller waits `limit` seconds for Redis at most, and nothing is asked of it before.

    `instance` names this process, and no other one.
    """
    local = LocalBreakers(policies, listener=listener, instance=instance)
    if redis_url is None:
        yield local
        return
    async with connected(redis_url, sizes=sizes) as client:
        shared = RedisBreakers(client, policies, listener=listener, instance=instance, limit=limit)
        yield FleetBreakers(shared, local, listener=listener)
