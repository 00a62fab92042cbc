"""
What keeps an application up while others are down.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.breakers.ports import Breakers
from adapters.breakers.telling import Telling
from adapters.calcom.circuit import Circuit
from adapters.metrics import Metrics
from adapters.redis.opening_breakers import open_breakers
from adapters.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """
    `breakers` tell what is failing; `circuit` is Cal.com's.
    """

    breakers: Breakers
    circuit: Circuit


@asynccontextmanager
async def open_resilience(settings: Settings, *, metrics: Metrics) -> AsyncIterator[Resilience]:
    """
    Yield it; nothing is asked of Redis or of anybody else before the first call.
    """
    redis_url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
    async with open_breakers(
        settings.breaker_policies(),
        listener=Telling(alone=metrics.breakers_alone),
        redis_url=redis_url,
        limit=settings.redis_seconds,
    ) as breakers:
        yield Resilience(breakers=breakers, circuit=Circuit(breakers, count=metrics.breaker_called))
