"""
What everybody asks: how calsaga is, as far as the process that answers can see.

Of database and Redis it speaks for itself, from a look of just now. Of all other services it tells what the fleet's
probes have found last, by whichever process, and says *unknown* once that is too old.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from adapters.breakers.registry import Look, Registry
from adapters.health.board import Board
from adapters.health.circumstances import LOOK_SECONDS, Circumstances
from adapters.health.following import Standing
from adapters.health.probes import Probe, make
from adapters.health.readiness import LEFT_ALONE_SECONDS, Readiness
from domain.breaker_policy import BreakerPolicy
from domain.breaker_pressure import pressure
from domain.breaker_words import Snapshot
from domain.errors import AppointmentDatabaseError
from domain.health import Check, Status, Uptime, as_of
from domain.health_forecast import Forecast, Seen, forecast
from domain.verdict import Concern, Failures, Verdict
from sagas.ports import Clock

OWN = ("database", "redis")
"""What each process looks after itself."""
REMEMBERED_SECONDS = 1.0
"""How old an answer may be, so that nobody can keep the database busy by asking."""

_SAYING: Collection[Status] = ("healthy", "degraded", "down")


class Checks(Protocol):
    """The checks that the fleet has kept."""

    async def latest(self) -> Mapping[str, Check]:
        """Return the newest check of each service."""
        ...

    async def uptimes(self, since: datetime) -> Mapping[str, Uptime]:
        """Return how many checks from an instant on have found each service up."""
        ...

    async def since(self, service: str, since: datetime) -> Sequence[Check]:
        """Return the checks of a service from an instant on."""
        ...

    async def seen(self, service: str, now: datetime) -> Seen:
        """Return what a forecast is made of."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """
    How calsaga is. `problems` are sentences for anybody, `said` the same for operators; so is a check's `detail`.

    `circumstances` and `failures` are what is wrong although every service answers.
    `standings` are the read models', empty if the database does not say.
    """

    verdict: Verdict
    problems: tuple[str, ...]
    checks: Mapping[str, Check]
    circuits: Mapping[str, Snapshot]
    readiness: Readiness
    standings: Mapping[str, Standing]
    circumstances: tuple[Concern, ...] = ()
    failures: Mapping[str, Failures] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    def circuits_that_are(self, state: str) -> list[str]:
        """Return the names of the breakers in a state."""
        return [name for name, one in self.circuits.items() if one.state == state]

    @property
    def probed(self) -> Mapping[str, str | None]:
        """Return the services that a probe says something about, with what is wrong, None if they are up."""
        return {name: _fault(one) for name, one in self.checks.items() if one.status in _SAYING}

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """Return what is wrong beside the breakers and what is down, as far as the verdict goes."""
        return tuple(_concerns(self))


class Health:
    """Looks when it is asked, once a second at most."""

    def __init__(
        self,
        probes: Sequence[Probe],
        *,
        board: Board,
        checks: Checks,
        readiness: Callable[[], Awaitable[Readiness]],
        standings: Callable[[], Awaitable[Mapping[str, Standing]]],
        registry: Registry,
        circumstances: Circumstances,
        circuits: Mapping[str, BreakerPolicy],
        clock: Clock,
        grace: timedelta,
        without_redis: Callable[[], str] = str,
    ) -> None:
        self._probes = {one.service: one for one in probes}
        self._board = board
        self._checks = checks
        self._readiness = readiness
        self._standings = standings
        self._registry = registry
        self._circumstances = circumstances
        self._circuits = circuits
        self._clock = clock
        self._grace = grace
        self._without_redis = without_redis
        self._seen: asyncio.Future[Overview] | None = None
        self._seen_at = 0.0

    async def overview(self) -> Overview:
        """Return how calsaga is; it raises nothing, and takes a few seconds at most."""
        now = asyncio.get_running_loop().time()
        if self._seen is None or (self._seen.done() and now - self._seen_at > REMEMBERED_SECONDS):
            self._seen, self._seen_at = asyncio.ensure_future(self._look()), now
        return await asyncio.shield(self._seen)

    async def look(self) -> Look:
        """Return how everything stands by its breakers of now, and all else of the overview, with reasons."""
        seen = await self.overview()
        return await self._registry.look(probed=seen.probed, failures=seen.failures, concerns=seen.concerns)

    async def own(self, service: str, *, within: float | None = None) -> Check:
        """Return how a service is from where this process stands now; down if it does not say so `within` seconds."""
        probe = self._probes[service]
        if within is not None:
            limit = min(within, probe.policy.limit_seconds)
            policy = replace(probe.policy, limit_seconds=limit, slow_seconds=min(limit, probe.policy.slow_seconds))
            probe = replace(probe, policy=policy)
        return await make(probe, now=self._clock.now)

    async def probe_all(self) -> None:
        """Probe every service now, whoever else does."""
        for check in await asyncio.gather(*(self.own(service) for service in self._probes)):
            self._board.note(check)

    async def uptimes(self, *, minutes: int) -> Mapping[str, Uptime]:
        """Return how many checks of the last minutes have found each service up; of none if nobody can say."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._checks.uptimes(self._clock.now() - timedelta(minutes=minutes))
        except (AppointmentDatabaseError, TimeoutError):
            return {}

    async def history(self, service: str, *, minutes: int) -> Sequence[Check]:
        """
        Return what was found of a service in the last minutes, the oldest first.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        since = self._clock.now() - timedelta(minutes=minutes)
        kept = await self._checks.since(service, since)
        last = kept[-1].checked_at if kept else since
        return [*kept, *(one for one in self._board.waiting if one.service == service and one.checked_at > last)]

    async def forecasts(self) -> Mapping[str, Forecast]:
        """
        Return what is to be expected of each service that is configured.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        now = self._clock.now()
        found = {}
        for service, probe in self._probes.items():
            if probe.ask is not None:
                seen = replace(await self._checks.seen(service, now), pressure=await self._pressure(service))
                # In a thread: sorting some thousand times keeps callers waiting for milliseconds.
                found[service] = await asyncio.to_thread(forecast, seen, probe.policy, now=now)
        return found

    async def _pressure(self, service: str) -> float | None:
        policy = self._circuits.get(service)
        return None if policy is None else pressure(await self._registry.snapshot(service), policy)

    async def _look(self) -> Overview:
        left_alone = self._registry.held_back("database") is not None
        limits = {"database": LEFT_ALONE_SECONDS} if left_alone else {}
        own, readiness, circumstances = await asyncio.gather(
            asyncio.gather(*(self.own(service, within=limits.get(service)) for service in OWN)),
            self._readiness(),
            self._circumstances.concerns(),
        )
        kept, standings = ({}, {}) if readiness.problem else await self._kept()
        failures = {} if readiness.problem else await self._circumstances.failures()
        checks = {service: self._newest(one, kept.get(service)) for service, one in self._probes.items()}
        checks |= {one.service: one for one in own}
        checks["redis"] = _told_more(checks["redis"], self._without_redis())
        seen = Overview(
            verdict="healthy",
            problems=(),
            checks={name: await self._as_of_now(one) for name, one in checks.items()},
            circuits={},
            readiness=readiness,
            standings=standings,
            circumstances=circumstances,
            failures=failures,
        )
        look = await self._registry.look(probed=seen.probed, failures=seen.failures, concerns=seen.concerns)
        seen = replace(seen, circuits=look.snapshots, verdict=look.assessment.verdict)
        beside = tuple(_problems(seen))
        return replace(
            seen,
            problems=(*(one.detail for one in seen.concerns), *beside),
            said=(*(one.said for one in seen.concerns), *beside),
        )

    async def _as_of_now(self, check: Check) -> Check:
        """Return what a check still says: what kept it from asking, before the breaker was closed, is over."""
        if check.status != "down" or check.service in OWN or check.service not in self._registry.names:
            return check
        breaker = await self._registry.snapshot(check.service)
        if breaker.state != "closed" or breaker.since is None or breaker.since <= check.checked_at:
            return check
        detail = "nobody has probed it since its circuit breaker was closed"
        return Check(service=check.service, checked_at=check.checked_at, status="unknown", detail=detail)

    async def _kept(self) -> tuple[Mapping[str, Check], Mapping[str, Standing]]:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._checks.latest(), await self._standings()
        except (AppointmentDatabaseError, TimeoutError):
            return {}, {}

    def _newest(self, probe: Probe, kept: Check | None) -> Check:
        now = self._clock.now()
        if probe.ask is None:
            return Check(service=probe.service, checked_at=now, status="not_configured")
        known = [one for one in (self._board.latest.get(probe.service), kept) if one is not None]
        if not known:
            return Check(service=probe.service, checked_at=now, status="unknown", detail="nobody has probed it yet")
        newest = max(known, key=lambda one: one.checked_at)
        return as_of(newest, probe.policy, now=now, grace=self._grace)


def _told_more(check: Check, more: str) -> Check:
    """Return a check that says this, too, whatever it has found."""
    return replace(check, detail="; ".join(said for said in (check.detail, more) if said))


def _fault(check: Check) -> str | None:
    return (check.detail or "it does not answer") if check.status == "down" else None


def _concerns(seen: Overview) -> Iterator[Concern]:
    yield from seen.circumstances
    if seen.readiness.problem is not None:
        yield Concern(verdict="critical", detail=seen.readiness.problem)
    said = [seen.readiness.unclaimed]
    said += [
        f"{service} is slow, or does not answer as it should"
        for service, one in seen.checks.items()
        if one.status == "degraded"
    ]
    said += [one.problem(name) for name, one in seen.standings.items()]
    yield from (Concern(verdict="degraded", detail=detail) for detail in said if detail is not None)


def _problems(seen: Overview) -> Iterator[str]:
    yield from (f"{name}: {one.detail}" for name, one in seen.failures.items())
    yield from (f"{service} is down" for service, one in seen.checks.items() if one.status == "down")
    yield from (
        f"the circuit breaker of {name} is {one.state.replace('_', '-')}"
        for name, one in seen.circuits.items()
        if one.state != "closed"
    )
