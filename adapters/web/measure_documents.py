"""The forms of the answers about how calls end and what they take, for `/openapi.json`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from domain.breaker_words import State
from domain.trend import Direction


class CallCounts(BaseModel):
    """
    How calls ended; *refused* are those that an open breaker kept back.

    The rates are shares, the refused counted with the failed; null without calls.
    """

    requests: int
    succeeded: int
    failed: int
    refused: int
    success_rate: float | None
    failure_rate: float | None


class CallFigures(CallCounts):
    """How calls ended, and what those took that came to something; percentiles are within 1 %."""

    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    avg_latency_ms: float | None
    min_latency_ms: float | None
    max_latency_ms: float | None


class BreakerFigures(BaseModel):
    """
    How a service's breaker stood in the window, from `observed_since` on.

    A recovery lasts from leaving closed until closed again. With `shared` false the process that answers
    speaks for itself alone.
    """

    state: State
    shared: bool
    observed_since: datetime
    transitions: int
    seconds_in_state: dict[Literal["closed", "open", "half_open"], float]
    unwell_since: datetime | None
    recoveries: int
    last_recovery_seconds: float | None
    longest_recovery_seconds: float | None


class AvailabilityLevel(BaseModel):
    """The share of calls that went well in the period, and what that leaves of the error budget, 1 being all of it."""

    target: float
    critical: float
    value: float | None
    met: bool
    period_days: float
    budget_spent: float
    budget_left: float
    burn_rates: dict[str, float]


class LatencyLevel(BaseModel):
    """What 99 % of the calls in the window did not exceed."""

    target_ms: float
    critical_ms: float
    value_ms: float | None
    met: bool


class RecoveryLevel(BaseModel):
    """The longest recovery in the window, one that is under way included."""

    target_seconds: float
    critical_seconds: float
    value_seconds: float | None
    met: bool


class ServiceLevels(BaseModel):
    """What a service is held to."""

    availability: AvailabilityLevel
    p99_latency: LatencyLevel
    recovery: RecoveryLevel


class ServiceFigures(CallFigures):
    """Everything about one service; `health_score` goes from 0 to 100."""

    breaker: BreakerFigures | None
    health_score: int
    trend: Direction
    slos_met: bool
    slos: ServiceLevels


class HourOfCalls(CallCounts):
    """How all calls ended in an hour of the clock."""

    starts_at: datetime


class Trend(BaseModel):
    """The last hour against the day before it, and the hours of that day."""

    direction: Direction
    hours: list[HourOfCalls]


class ProcessFigures(BaseModel):
    """What the process that answers has taken."""

    pid: int
    memory_bytes: int
    cpu_seconds: float
    up_seconds: float


class ResilienceFigures(BaseModel):
    """
    All services; of the bookings, those that ended, without refusals for the customer's own reason.

    `all_processes` is false while the database does not answer: then it is what the process that answers knows itself.
    """

    at: datetime
    minutes: int
    all_processes: bool
    services: dict[str, ServiceFigures]
    bookings: CallCounts
    trend: Trend
    process: ProcessFigures


class LatencyBreakdown(BaseModel):
    """Calls by service and operation."""

    minutes: int
    services: dict[str, dict[str, CallFigures]]
