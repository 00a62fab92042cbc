"""
What health looks at, in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.breakers.local import LocalBreakers
from adapters.breakers.registry import Registry
from adapters.breakers.telling import Telling
from adapters.health.board import Board
from adapters.health.circumstances import Circumstances
from adapters.health.following import Standing
from adapters.health.probes import Probe
from adapters.health.readiness import Readiness
from adapters.health.seeing import Health
from domain.breaker_policy import BreakerPolicy
from domain.concerns import RejectedKey
from domain.errors import AppointmentDatabaseError
from domain.full_fallback import FullFallbackBegun
from domain.health import Check, ProbePolicy, Said, Uptime
from domain.health_forecast import Seen
from domain.verdict import Failures
from tests.fakes.time import FakeClock

POLICY = ProbePolicy(interval_seconds=30, limit_seconds=5, slow_seconds=2.5)
GONE = AppointmentDatabaseError("gone", kind="connection_lost")


@dataclass
class Around:
    """
    Everything that health looks at, all of it well.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    board: Board = field(default_factory=Board)
    kept: dict[str, Check] = field(default_factory=dict)
    error: AppointmentDatabaseError | None = None
    state: Readiness = field(default_factory=lambda: Readiness(problem=None))
    models: dict[str, Standing] = field(default_factory=dict)
    breakers: LocalBreakers = field(default_factory=lambda: LocalBreakers({}, listener=Telling()))
    down: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    rejected: list[RejectedKey] = field(default_factory=list)
    held: FullFallbackBegun | None = None
    failures: dict[str, Failures] = field(default_factory=dict)

    def health(self) -> Health:
        return Health(
            [
                self._probe("calcom"),
                Probe(service="retell", policy=POLICY, ask=None),
                self._probe("database"),
                self._probe("redis"),
            ],
            board=self.board,
            checks=self,
            readiness=self.readiness,
            standings=self.standings,
            registry=Registry(self.breakers, configured=("calcom", "email")),
            circumstances=Circumstances(keys=self, fallback=self, detector=self),
            circuits=dict.fromkeys(("calcom", "email"), BreakerPolicy()),
            clock=self.clock,
            grace=timedelta(seconds=30),
        )

    async def find(self) -> Sequence[RejectedKey]:
        return self.rejected

    async def unwell(self) -> Mapping[str, Failures]:
        if self.error is not None:
            raise self.error
        return self.failures

    async def readiness(self) -> Readiness:
        return self.state

    async def standings(self) -> Mapping[str, Standing]:
        return self.models

    async def latest(self) -> Mapping[str, Check]:
        if self.error is not None:
            raise self.error
        return self.kept

    async def uptimes(self, since: datetime) -> Mapping[str, Uptime]:
        if self.error is not None:
            raise self.error
        return {"calcom": Uptime(checks=2, up=1)}

    async def since(self, service: str, since: datetime) -> Sequence[Check]:
        return [one for one in self.kept.values() if one.service == service and one.checked_at >= since]

    async def seen(self, service: str, now: datetime) -> Seen:
        return Seen(checks=[self.check(service, age=10.0 * number) for number in range(30, 0, -1)], hours=())

    def check(self, service: str = "calcom", *, age: float = 0, **more: object) -> Check:
        at = self.clock.now() - timedelta(seconds=age)
        return Check(**{"service": service, "checked_at": at, "status": "healthy", "response_time_ms": 5.0, **more})  # type: ignore[arg-type]

    def _probe(self, service: str) -> Probe:
        async def ask() -> Said:
            self.asked.append(service)
            return Said(status="down", answered=False) if service in self.down else Said()

        return Probe(service=service, policy=POLICY, ask=ask)
