"""
What the API under test has counted, kept and been alerted of, in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from adapters.alerting.figures import Figure
from adapters.breakers.documents import kept_document
from adapters.breakers.registry import Registry
from adapters.database.snapshots import KeptSnapshot
from adapters.failure_detector import Found
from adapters.limits.ports import Kind
from adapters.metrics import WebhookRefusal
from domain.alert import Alert
from domain.breaker_words import State
from domain.failure_detector import FailureRule, FailureWindow, Severity, detect
from domain.failures_cleared import FailuresCleared, clear_failures
from projections.breaker_event_pages import BreakerEventPage
from projections.circuit_breaker_events import CircuitBreakerEvent
from tests.unit.adapters.web.given import BREAKER_EVENT, NOW


@dataclass
class FakeMetrics:
    webhooks: list[WebhookRefusal] = field(default_factory=list)
    limited: list[Kind] = field(default_factory=list)

    def rate_limited(self, kind: Kind) -> None:
        self.limited.append(kind)

    def webhook(self, outcome: WebhookRefusal) -> None:
        self.webhooks.append(outcome)

    def exposition(self, breakers: Mapping[str, State]) -> bytes:
        return f"calls_total 1.0 {dict(breakers)}\n".encode()


@dataclass
class FakeSnapshots:
    """Has kept one, of how everything stands now."""

    registry: Registry

    async def lately(self, back: timedelta) -> Sequence[KeptSnapshot]:
        look = await self.registry.look()
        return [KeptSnapshot(at=NOW, verdict=look.assessment.verdict, document=kept_document(look))]


@dataclass
class FakeFailures:
    """Cal.com fails too often, until somebody clears it."""

    cleared: dict[str, FailuresCleared] = field(default_factory=dict)
    minute: FailureWindow = field(
        default_factory=lambda: FailureWindow(service="calcom", start=NOW, requests=9, failures=3)
    )

    async def find(self) -> Mapping[str, Found]:
        return {"calcom": self._found("calcom")}

    async def windows(self, *, minutes: int, service: str | None = None) -> Sequence[tuple[FailureWindow, Severity]]:
        return [(self.minute, "medium")] if service in {None, "calcom"} else []

    async def clear(self, service: str, *, actor: str, reason: str) -> Found:
        self.cleared[service] = clear_failures(service, actor=actor, reason=reason, at=NOW)
        return self._found(service)

    def _found(self, service: str) -> Found:
        cleared = self.cleared.get(service)
        windows = [self.minute] if cleared is None else []
        return Found(detected=detect(service, windows, FailureRule(), now=NOW), cleared=cleared)


@dataclass
class FakeAlerts:
    alerts: list[Alert] = field(default_factory=list)
    figures: dict[UUID, Figure] = field(default_factory=dict)
    asked: list[tuple[str | None, int]] = field(default_factory=list)

    async def list(self, *, status: str | None, limit: int) -> Sequence[Alert]:
        self.asked.append((status, limit))
        return self.alerts

    async def of(self, alerts: Sequence[Alert]) -> Mapping[UUID, Figure]:
        return {one.id: self.figures[one.id] for one in alerts if one.id in self.figures}


@dataclass
class FakeBreakerEvents:
    held: list[CircuitBreakerEvent] = field(default_factory=lambda: [BREAKER_EVENT])
    asked: list[tuple[str | None, int, str | None]] = field(default_factory=list)

    async def page(self, *, service: str | None, limit: int, cursor: str | None) -> BreakerEventPage:
        self.asked.append((service, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        return BreakerEventPage(events=tuple(self.held), next_cursor="more")
