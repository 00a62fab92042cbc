"""
What looks after the health of the services, and has it probed.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx

from adapters.bootstrap.resilience import Resilience
from adapters.calcom.calendars import CalComCalendars
from adapters.calcom.connections import open_transport
from adapters.database.health_checks import HealthChecks
from adapters.database.leases import Lease
from adapters.database.passes import Passes
from adapters.directory.companies import CompanyDirectory
from adapters.health import policies
from adapters.health.board import Board
from adapters.health.breaker_watch import BreakerWatch
from adapters.health.circumstances import Circumstances
from adapters.health.following import standings
from adapters.health.probes import Ask, Probe
from adapters.health.readiness import StoreProbes
from adapters.health.runner import NAME, HealthRunner
from adapters.health.seeing import Health
from adapters.health.services import CalComProbe, DatabaseProbe, HttpProbe, RedisProbe, SmtpProbe
from adapters.log.store import Store
from adapters.redis.connection import connected
from adapters.settings import Settings
from adapters.snapshots import NAME as SNAPSHOTS
from adapters.snapshots import SnapshotRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthParts:
    """`seen` is what everybody asks, `runner` has the probes of the fleet made, `snapshots` keep what was seen."""

    seen: Health
    runner: HealthRunner
    snapshots: SnapshotRunner


@asynccontextmanager
async def open_health(
    settings: Settings,
    *,
    store: Store,
    companies: CompanyDirectory,
    calendars: CalComCalendars,
    resilience: Resilience,
    process: UUID,
) -> AsyncIterator[HealthParts]:
    """
    Yield it, with `process` to hold the lease of the probes; nothing is asked of anybody before the first probe.
    """
    async with AsyncExitStack() as stack:
        asks = await _asks(settings, stack, store=store)
        acquaint = partial(_acquaint, calendars, companies, default_company=settings.default_company)
        asks["calcom"] = CalComProbe(ping=calendars.ping, acquaint=acquaint).ask
        probes = [
            Probe(service=service, policy=policy, ask=asks.get(service))
            for service, policy in policies.of(settings.health_probes).items()
        ]
        board = Board()
        circuits = settings.breaker_policies()
        checks = HealthChecks(engine=store.engine, readers=store.readers, clock=store.clock)
        lease = Lease(NAME, holder=process, engine=store.engine, readers=store.readers, clock=store.clock)
        circumstances = Circumstances(
            keys=resilience.levels.rejected_keys, fallback=resilience.fallback.known, detector=resilience.failures
        )
        seen = Health(
            probes,
            board=board,
            checks=checks,
            readiness=StoreProbes(store).readiness,
            standings=partial(standings, store),
            registry=resilience.breakers,
            circumstances=circumstances,
            circuits=circuits,
            clock=store.clock,
            grace=timedelta(seconds=settings.health_lease_seconds),
            without_redis=resilience.without_redis.said,
        )
        yield HealthParts(
            seen=seen,
            snapshots=SnapshotRunner(
                # Who probes nothing keeps what the breakers say.
                seen.look if settings.health_probing else partial(circumstances.look, resilience.breakers),
                passes=Passes(SNAPSHOTS, engine=store.engine, readers=store.readers, clock=store.clock),
                snapshots=resilience.kept,
                clock=store.clock,
                keep=timedelta(days=settings.resilience_keep_days),
            ),
            runner=HealthRunner(
                probes,
                board=board,
                lease=lease,
                archive=checks,
                clock=store.clock,
                lease_seconds=settings.health_lease_seconds,
                keep=timedelta(days=settings.health_history_days),
                each_round=BreakerWatch(resilience.breakers, circuits).look,
            ),
        )


async def _asks(settings: Settings, stack: AsyncExitStack, *, store: Store) -> dict[str, Ask]:
    """Return how to ask the services that are configured, but for Cal.com."""
    database = DatabaseProbe(store.engine)
    stack.callback(database.close)
    asks: dict[str, Ask] = {"database": database.ask}
    if settings.redis_url is not None:
        client = connected(settings.redis_url.get_secret_value(), sizes=settings.redis_pool())
        asks["redis"] = RedisProbe(await stack.enter_async_context(client)).ask
    if settings.retell_health_url is not None:
        transport: httpx.AsyncBaseTransport = open_transport(max_connections=1, attempt_seconds=5)
        stack.push_async_callback(transport.aclose)
        asks["retell"] = HttpProbe(settings.retell_health_url, transport=transport).ask
    if settings.smtp_health_url is not None:
        asks["email"] = SmtpProbe(settings.smtp_health_url).ask
    return asks


async def _acquaint(calendars: CalComCalendars, companies: CompanyDirectory, *, default_company: str) -> None:
    """Have the calendars come to know a company with a key."""
    with_keys = [one.company_id for one in await companies.list() if one.has_calcom_key]
    # The default company last, because to ask for a key that it does not have is a critical line in the log.
    await calendars.of(next(iter(with_keys), default_company))
