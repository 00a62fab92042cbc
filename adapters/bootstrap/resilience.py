"""
What keeps an application up while others are down.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.bootstrap.service_levels import ServiceLevels, service_levels
from adapters.breakers.ports import Breakers
from adapters.breakers.telling import Telling
from adapters.calcom.circuit import Circuit
from adapters.database.line import Line
from adapters.fallback.degradation import Degradation
from adapters.fallback.desk import FallbackDesk
from adapters.fallback.known import KnownFallback
from adapters.fallback.rungs import Rungs
from adapters.fallback.switch import FallbackSwitch
from adapters.fallback.watch import FallbackWatch
from adapters.ids import RandomIds
from adapters.log.store import Store
from adapters.measuring.calls import Calls
from adapters.metrics import Metrics
from adapters.redis.opening_breakers import open_breakers
from adapters.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """
    `breakers` tell what is failing; `circuit` is Cal.com's.

    `fallback` is what people ask and want of full fallback, and what is offered meanwhile; `rungs` count where answers
    came from. `levels` tell how services do.
    """

    breakers: Breakers
    circuit: Circuit
    fallback: FallbackDesk
    rungs: Rungs
    levels: ServiceLevels


@asynccontextmanager
async def open_resilience(
    settings: Settings, *, store: Store, metrics: Metrics, calls: Calls
) -> AsyncIterator[Resilience]:
    """
    Yield it; nothing is asked of Redis before the first call.
    """
    known = KnownFallback()
    switch = FallbackSwitch(events=store.log, clock=store.clock, ids=RandomIds())
    line = Line(
        engine=store.engine, readers=store.readers, clock=store.clock, per_second=settings.circuit_drain_per_second
    )
    redis_url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
    async with open_breakers(
        settings.breaker_policies(),
        listener=Telling(alone=metrics.breakers_alone),
        redis_url=redis_url,
        limit=settings.redis_seconds,
    ) as breakers:
        circuit = Circuit(
            breakers, count=metrics.breaker_called, measure=calls.called, fallback=lambda: known.seconds_left
        )
        yield Resilience(
            breakers=breakers,
            circuit=circuit,
            fallback=FallbackDesk(
                switch=switch,
                watch=FallbackWatch(switch, known, let_go=line.let_go, seconds=settings.fallback_seconds),
                degradation=Degradation(known, failing=circuit.refused.is_set),
            ),
            rungs=Rungs(now=store.clock.now, count=metrics.fell_back),
            levels=service_levels(settings, breakers=breakers, calls=calls, metrics=metrics, store=store),
        )
