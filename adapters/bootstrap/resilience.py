"""
What keeps an application up while others are down.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from adapters.bootstrap.service_levels import ServiceLevels, service_levels
from adapters.breakers.events import BreakerEvents
from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.listeners import Listeners
from adapters.breakers.policies import SHARED
from adapters.breakers.registry import Registry
from adapters.breakers.telling import Telling
from adapters.breakers.watched import WatchedBreaker
from adapters.calcom.circuit import Circuit
from adapters.database.failure_metrics import FailureMetrics
from adapters.database.line import Line
from adapters.database.snapshots import Snapshots
from adapters.failure_counts import FailureCounts
from adapters.failure_detector import FailureDetector
from adapters.fallback.degradation import Degradation
from adapters.fallback.desk import FallbackDesk
from adapters.fallback.known import KnownFallback
from adapters.fallback.rungs import Rungs
from adapters.fallback.switch import FallbackSwitch
from adapters.fallback.watch import FallbackWatch
from adapters.ids import RandomIds
from adapters.limits.ports import Limiter
from adapters.log.store import Store
from adapters.measuring.calls import Calls
from adapters.metrics import Metrics
from adapters.redis.opening_breakers import open_breakers
from adapters.redis.opening_limits import open_limiter
from adapters.settings import Settings
from domain.breaker_words import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """
    What tells how others do, and what is done meanwhile.

    `breakers` are all by name, and `breaker_events` write how they move; `circuit` is Cal.com's. `failures` judge by
    the counts of the `minutes`, and `kept` is how everything stood in each. `database`, `webhooks` and `appointments`
    are told what comes of this process's own work. `fallback` is what people ask and want of full fallback, and what is
    offered meanwhile; `rungs` count where answers came from. `levels` tell how services do, `limiter` how much callers
    of the API may ask for.
    """

    breakers: Registry
    breaker_events: BreakerEvents
    circuit: Circuit
    database: WatchedBreaker
    webhooks: WatchedBreaker
    appointments: WatchedBreaker
    failures: FailureDetector
    minutes: FailureMetrics
    kept: Snapshots
    fallback: FallbackDesk
    rungs: Rungs
    levels: ServiceLevels
    limiter: Limiter


@asynccontextmanager
async def open_resilience(
    settings: Settings, *, store: Store, metrics: Metrics, calls: Calls
) -> AsyncIterator[Resilience]:
    """
    Yield it; nothing is asked of Redis before the first call.
    """
    redis_url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
    policies = settings.breaker_policies()
    instance = secrets.token_hex(8)
    events = BreakerEvents(log=store.log, clock=store.clock, instance=instance, names=SHARED)
    listener = Listeners(Telling(alone=metrics.breakers_alone), events)
    rule = settings.failure_rule()
    minutes = FailureMetrics(engine=store.engine, readers=store.readers, rule=rule)
    counts = FailureCounts(minutes, clock=store.clock)
    known = KnownFallback()

    def count(service: str, outcome: Outcome | Literal["refused"], calls: int = 1) -> None:
        metrics.breaker_called(service, outcome, calls)
        if outcome != "refused":
            counts.count(service, outcome, calls)

    def watched(name: str, *, rests: bool) -> WatchedBreaker:
        return WatchedBreaker(name, policies[name], listener=listener, count=count, rests=rests)

    database = watched("database", rests=False)
    webhooks, appointments = watched("webhooks", rests=True), watched("appointments", rests=True)
    async with (
        counts.running(),
        open_breakers(
            {name: policies[name] for name in SHARED},
            listener=listener,
            instance=instance,
            redis_url=redis_url,
            limit=settings.redis_seconds,
            sizes=settings.redis_pool(),
        ) as fleet,
        open_limiter(
            settings.api_limits(),
            redis_url=redis_url,
            within=settings.redis_seconds,
            sizes=settings.redis_pool(),
            alone=metrics.rate_limits_alone,
        ) as limiter,
    ):
        breakers = Registry(
            fleet,
            watched=(database, webhooks, appointments),
            redis_lost=fleet.lost_at if isinstance(fleet, FleetBreakers) else None,
            dependencies=settings.dependencies,
        )
        circuit = Circuit(breakers, count=count, measure=calls.called, fallback=lambda: known.seconds_left)
        yield Resilience(
            breakers=breakers,
            breaker_events=events,
            circuit=circuit,
            database=database,
            webhooks=webhooks,
            appointments=appointments,
            failures=FailureDetector(
                minutes, events=store.log, clock=store.clock, rule=rule, configured=breakers.names
            ),
            minutes=minutes,
            kept=Snapshots(engine=store.engine, readers=store.readers, clock=store.clock),
            fallback=_fallback(settings, store, known, failing=circuit.refused.is_set),
            rungs=Rungs(now=store.clock.now, count=metrics.fell_back),
            levels=service_levels(
                settings, breakers=breakers, instance=instance, calls=calls, metrics=metrics, store=store
            ),
            limiter=limiter,
        )


def _fallback(settings: Settings, store: Store, known: KnownFallback, *, failing: Callable[[], bool]) -> FallbackDesk:
    switch = FallbackSwitch(events=store.log, clock=store.clock, ids=RandomIds())
    line = Line(
        engine=store.engine, readers=store.readers, clock=store.clock, per_second=settings.circuit_drain_per_second
    )
    return FallbackDesk(
        switch=switch,
        watch=FallbackWatch(switch, known, let_go=line.let_go, seconds=settings.fallback_seconds),
        degradation=Degradation(known, failing=failing),
    )
