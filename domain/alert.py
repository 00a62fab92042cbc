"""
An alert: that something is wrong with a service, raised once and cleared once for the whole fleet, as events.

Each occurrence has a stream of its own, whose id is made of the rule, the service, and the how manieth time it is: its
first version can be written once only, and so can what follows, whichever process looks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias, assert_never
from uuid import UUID, uuid5

from domain.replacing import replace
from domain.service_level import Severity

AlertRule: TypeAlias = Literal[
    "availability",
    "latency",
    "recovery",
    "breaker_not_closed",
    "breaker_cascade",
    "booking_success",
    "database_errors",
    "cache_misses",
    "sync_failure_spike",
    "slow_answers",
    "key_rejected",
    "full_fallback",
]
_ALERTS = UUID("5a0f5e0c-0f4b-5c1e-9d0b-0c6f0f6f9a14")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """Something goes wrong, as far as is known `since` an instant: `value` lies beyond `threshold`."""

    TOPIC: ClassVar[str] = "alert.raised.v1"
    at: datetime
    rule: AlertRule
    service: str
    occasion: int
    severity: Severity
    value: float
    threshold: float
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSeverityChanged:
    """It has become worse, or less bad."""

    TOPIC: ClassVar[str] = "alert.severity-changed.v1"
    at: datetime
    severity: Severity
    value: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCleared:
    """It is over; the figure then, None if there was none any more."""

    TOPIC: ClassVar[str] = "alert.cleared.v1"
    at: datetime
    value: float | None


AlertEvent: TypeAlias = AlertRaised | AlertSeverityChanged | AlertCleared


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One occurrence; `value` and `threshold` are those of its last event that had them."""

    id: UUID
    rule: AlertRule
    service: str
    occasion: int
    severity: Severity
    value: float
    threshold: float
    since: datetime
    raised_at: datetime
    updated_at: datetime
    cleared_at: datetime | None
    version: int

    @property
    def is_active(self) -> bool:
        """Tell whether it goes on."""
        return self.cleared_at is None


def alert_id_of(rule: AlertRule, service: str, occasion: int) -> UUID:
    """Return the id of an occurrence's stream."""
    return uuid5(_ALERTS, f"{rule} {occasion} {service}")


def begin(event: AlertRaised) -> Alert:
    """Return the alert that an event raises."""
    return Alert(
        id=alert_id_of(event.rule, event.service, event.occasion),
        rule=event.rule,
        service=event.service,
        occasion=event.occasion,
        severity=event.severity,
        value=event.value,
        threshold=event.threshold,
        since=event.since,
        raised_at=event.at,
        updated_at=event.at,
        cleared_at=None,
        version=1,
    )


def evolve(alert: Alert, event: AlertEvent) -> Alert:
    """Return the alert after its next event; that it is raised again says nothing new."""
    after = replace(alert, version=alert.version + 1, updated_at=event.at)
    match event:
        case AlertRaised():
            return after
        case AlertSeverityChanged():
            return replace(after, severity=event.severity, value=event.value, threshold=event.threshold)
        case AlertCleared():
            return replace(after, cleared_at=event.at)
        case _:
            assert_never(event)
