"""
How everything is where the API under test runs, in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.breakers.local import LocalBreakers
from adapters.breakers.registry import Look, Registry
from adapters.breakers.telling import Telling
from adapters.health.following import Standing
from adapters.health.readiness import Readiness
from adapters.health.seeing import Overview
from domain.errors import AppointmentError
from domain.health import SERVICES, Check, ProbePolicy, Status, Uptime
from domain.health_forecast import Forecast, Seen, forecast
from domain.health_hours import Hour
from domain.verdict import Verdict
from tests.unit.adapters.web.given import NOW


@dataclass
class FakeProbes:
    state: Readiness = field(default_factory=lambda: Readiness(problem=None, overdue=timedelta(0)))

    async def readiness(self) -> Readiness:
        return self.state


@dataclass
class FakeHealth:
    """
    Every service is as `statuses` say, else healthy; `detail` is what only operators may see.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    verdict: Verdict = "healthy"
    problems: tuple[str, ...] = ()
    detail: str = ""
    error: AppointmentError | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)
    registry: Registry | None = None

    async def look(self) -> Look:
        assert self.registry is not None
        return await self.registry.look()

    async def overview(self) -> Overview:
        breakers = LocalBreakers({}, listener=Telling())
        return Overview(
            verdict=self.verdict,
            problems=self.problems,
            checks={service: await self.own(service) for service in SERVICES},
            circuits={"calcom": await breakers.snapshot("calcom")},
            readiness=Readiness(problem=None),
            standings={"bookings": Standing(lag=3, parked=0, behind=timedelta(seconds=0.2))},
        )

    async def own(self, service: str, *, within: float | None = None) -> Check:
        status = self.statuses.get(service, "healthy")
        answered = status in {"healthy", "degraded"}
        return Check(
            service=service,
            checked_at=NOW,
            status=status,
            response_time_ms=12.5 if answered else None,
            threshold_ok=answered,
            detail=self.detail,
        )

    async def uptimes(self, *, minutes: int) -> Mapping[str, Uptime]:
        return {"calcom": Uptime(checks=4, up=3), "database": Uptime(checks=0, up=0)}

    async def history(self, service: str, *, minutes: int) -> Sequence[Check]:
        self.asked.append((service, minutes))
        if self.error is not None:
            raise self.error
        return [await self.own(service)]

    async def forecasts(self) -> Mapping[str, Forecast]:
        if self.error is not None:
            raise self.error
        return {"calcom": rising_forecast(NOW), "redis": forecast(Seen(checks=(), hours=()), ProbePolicy(), now=NOW)}


def rising_forecast(now: datetime) -> Forecast:
    """
    Return the forecast for a service that has got slower and slower for two hours, and fails every day at this hour.
    """
    checks = [
        Check(
            service="calcom",
            checked_at=now - timedelta(minutes=120 - number),
            status="healthy",
            response_time_ms=100.0 + 5 * number,
        )
        for number in range(120)
    ]
    hours = [
        Hour(begins_at=now.replace(minute=0) - timedelta(hours=number), checks=120, unwell=60 * (number % 24 == 0))
        for number in range(7 * 24)
    ]
    return forecast(Seen(checks=checks, hours=hours, pressure=0.8), ProbePolicy(), now=now)
