"""The forms of the answers about health, for `/openapi.json`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, RootModel

from domain.health import SERVICES

Verdict = Literal["healthy", "degraded", "critical"]
Status = Literal["healthy", "degraded", "down", "unknown", "not_configured"]


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Ready(BaseModel):
    """Whether requests can be served, and whether due work is being done."""

    status: Literal["ready", "degraded", "unavailable"]
    problems: list[str]
    oldest_due_seconds: float = Field(description="How long the oldest due work has waited to be claimed.")


class ServiceCheck(BaseModel):
    """
    What was found of a service last; `unknown` if it was not asked, or not for too long.

    `threshold_ok` tells whether it answered soon enough; null if it was not asked.
    """

    status: Status
    response_time_ms: float | None
    threshold_ok: bool | None
    checked_at: datetime


class Queue(BaseModel):
    """Sagas that are due now, and for how long the oldest has waited to be claimed."""

    due: int
    oldest_due_seconds: float


class ReadModel(BaseModel):
    """How many events a read model is behind the head of the log, since when, and how many streams it leaves out."""

    lag: int
    behind_seconds: float
    parked: int


class Overview(BaseModel):
    """
    How calsaga is: `critical` (503) if it takes no bookings, or if several breakers are open.

    Of database and Redis the process that answers speaks for itself; `read_models` is empty if the database does not
    say. Of `circuits` it speaks for all processes if they share a Redis.
    """

    status: Verdict
    problems: list[str]
    services: dict[str, ServiceCheck]
    queue: Queue
    read_models: dict[str, ReadModel]
    circuits: dict[str, Literal["closed", "open", "half_open"]]


class ServiceHealth(ServiceCheck):
    """
    The same for operators.

    `uptime` is the share of `checks` that found the service up, of those that said anything; null without any.
    """

    detail: str | None
    uptime: float | None
    checks: int


class HealthStatus(BaseModel):
    """How calsaga is, and which breakers are not closed."""

    status: Verdict
    problems: list[str]
    open_circuits: list[str]
    half_open_circuits: list[str]
    services: dict[str, ServiceHealth]


class HealthPoint(BaseModel):
    """What one check has found; `response_time_ms` is null if there was no answer."""

    timestamp: datetime
    status: Literal["healthy", "degraded", "down", "unknown"]
    response_time_ms: float | None


class HealthHistory(RootModel[list[HealthPoint]]):
    """What was found of a service, the oldest first."""


class ResponseTrend(BaseModel):
    """
    How response times went within two hours (Theil–Sen).

    `chance` is how probable it is that times which do not rise look like that (Mann–Kendall).
    """

    ms_per_minute: float
    now_ms: float
    chance: float


class ResponseAnomaly(BaseModel):
    """What the last ten minutes took, and what this time of day takes on other days: medians, and how far apart."""

    recent_ms: float
    usual_ms: float
    deviations: float


class BadHour(BaseModel):
    """That a service was unwell in an hour of the day (UTC), on how many of the days that are known."""

    hour: int = Field(ge=0, le=23)
    bad_days: int
    days: int


class ServiceForecast(BaseModel):
    """
    What is expected of a service until an instant, and by which signs. It is advice: nothing acts on it.

    `trend` and `anomaly` are null while there is too little to see. `breaker_pressure` is how much of what opens its
    breaker has happened, null without a breaker.
    """

    expected: Literal["healthy", "degraded", "down", "unknown"]
    until: datetime
    response_time_ms: float | None
    signs: list[Literal["failing", "rising", "unusual", "bad_hour", "breaker_near"]]
    recommendations: list[str]
    trend: ResponseTrend | None
    anomaly: ResponseAnomaly | None
    bad_hours: list[BadHour]
    breaker_pressure: float | None


class HealthForecast(BaseModel):
    """What is expected of each service that is configured, within the next half hour."""

    services: dict[str, ServiceForecast]


ServiceName = Literal[SERVICES]  # type: ignore[valid-type]
"""Which services there are."""
