"""
What keeps an application up while others are down.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from adapters.absences import Absences
from adapters.afterwards import afterwards
from adapters.bootstrap.service_levels import ServiceLevels, service_levels
from adapters.breakers.commands import KeptCommands
from adapters.breakers.events import BreakerEvents
from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.listeners import Listeners
from adapters.breakers.policies import SHARED
from adapters.breakers.registry import Registry
from adapters.breakers.telling import Telling
from adapters.breakers.watched import Counted, WatchedBreaker
from adapters.calcom.circuit import Circuit
from adapters.database.failure_metrics import FailureMetrics
from adapters.database.line import Line
from adapters.database.passes import Passes
from adapters.database.pruning import Pruning
from adapters.database.snapshots import Snapshots
from adapters.directory.companies import CompanyDirectory
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
from adapters.pruning import NAME as PRUNING
from adapters.pruning import PruningRunner
from adapters.redis.opening_breakers import open_breakers
from adapters.redis.opening_limits import open_limiter
from adapters.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """
    What tells how others do, and what is done meanwhile.

    `breakers` are all by name, `breaker_events` write how they move, and `commands` keep what people want of the
    fleet's; `circuit` is Cal.com's. `failures` judge by the counts of the minutes, `kept` is how everything stood in
    each, and `pruning` deletes what is old. `database`, `webhooks` and `appointments` are told what comes of this
    process's own work. `fallback` is what people ask and want of full fallback, and what is offered meanwhile; `rungs`
    count where answers came from. `levels` tell how services do, `limiter` how much callers of the API may ask for.
    """

    breakers: Registry
    breaker_events: BreakerEvents
    commands: KeptCommands
    circuit: Circuit
    database: WatchedBreaker
    webhooks: WatchedBreaker
    appointments: WatchedBreaker
    failures: FailureDetector
    kept: Snapshots
    pruning: PruningRunner
    fallback: FallbackDesk
    rungs: Rungs
    levels: ServiceLevels
    limiter: Limiter
    without_redis: Absences


@asynccontextmanager
async def open_resilience(
    settings: Settings, *, store: Store, metrics: Metrics, calls: Calls, companies: CompanyDirectory, process: UUID
) -> AsyncIterator[Resilience]:
    """
    Yield it; nothing is asked of Redis before the first call. `process` names this one.
    """
    redis_url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
    policies = settings.breaker_policies()
    metrics.serve_breakers(policies)
    events = BreakerEvents(log=store.log, clock=store.clock, instance=process.hex, names=SHARED)
    # Without Redis nothing outlives the process that was told, and nobody else is to obey.
    commands = KeptCommands(log=store.log, clock=store.clock, names=() if redis_url is None else SHARED)
    without_redis = Absences(now=store.clock.now, tell=metrics.redis_away)
    listener = Listeners(Telling(alone=without_redis.of("breakers")), events, commands)
    rule = settings.failure_rule()
    minutes = FailureMetrics(engine=store.engine, readers=store.readers, rule=rule)
    known = KnownFallback()
    metrics.watch_fallback(lambda: known.seconds_left is not None)

    called = afterwards(calls.called)

    def watched(name: str, *, count: Counted = called, rests: bool) -> WatchedBreaker:
        return WatchedBreaker(name, policies[name], listener=listener, count=count, rests=rests)

    database, webhooks = watched("database", rests=False), watched("webhooks", rests=True)
    # How bookings end is counted where they do: what their breaker hears of leaves out how a company is set up.
    appointments = watched(
        "appointments", count=lambda name, _, outcome, _seconds: metrics.breaker_called(name, outcome), rests=True
    )
    async with (
        open_breakers(
            {name: policies[name] for name in SHARED},
            listener=listener,
            instance=process.hex,
            redis_url=redis_url,
            limit=settings.redis_seconds,
            sizes=settings.redis_pool(),
        ) as fleet,
        open_limiter(
            settings.api_limits(),
            redis_url=redis_url,
            within=settings.redis_seconds,
            sizes=settings.redis_pool(),
            alone=without_redis.of("rate_limits"),
        ) as limiter,
    ):
        breakers = Registry(
            fleet,
            watched=(database, webhooks, appointments),
            redis_lost=fleet.lost_at if isinstance(fleet, FleetBreakers) else None,
            dependencies=settings.dependencies,
            count=called,
        )
        circuit = Circuit(breakers, count=called, fallback=lambda: known.seconds_left)
        yield Resilience(
            breakers=breakers,
            breaker_events=events,
            commands=commands,
            circuit=circuit,
            database=database,
            webhooks=webhooks,
            appointments=appointments,
            failures=FailureDetector(
                minutes, events=store.log, clock=store.clock, rule=rule, configured=lambda: breakers.names
            ),
            pruning=PruningRunner(
                Pruning(engine=store.engine, readers=store.readers),
                Passes(PRUNING, engine=store.engine, readers=store.readers, clock=store.clock),
                clock=store.clock,
                keep=timedelta(days=settings.resilience_keep_days),
            ),
            kept=Snapshots(engine=store.engine, readers=store.readers, clock=store.clock),
            fallback=_fallback(settings, store, known, failing=circuit.refused.is_set),
            rungs=Rungs(now=store.clock.now, count=metrics.fell_back),
            levels=service_levels(
                settings,
                breakers=breakers,
                calls=calls,
                metrics=metrics,
                store=store,
                failures=minutes,
                companies=companies,
                fallback=known,
                process=process,
            ),
            limiter=limiter,
            without_redis=without_redis,
        )


def _fallback(settings: Settings, store: Store, known: KnownFallback, *, failing: Callable[[], bool]) -> FallbackDesk:
    switch = FallbackSwitch(events=store.log, clock=store.clock, ids=RandomIds())
    line = Line(
        engine=store.engine, readers=store.readers, clock=store.clock, per_second=settings.circuit_drain_per_second
    )
    return FallbackDesk(
        switch=switch,
        watch=FallbackWatch(switch, known, let_go=line.let_go, seconds=settings.fallback_seconds),
        known=known,
        clock=store.clock,
        degradation=Degradation(known, failing=failing),
    )
