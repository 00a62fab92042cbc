"""How well the services are that calsaga stands on: what one check says of one. See `domain/verdict.py` for all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["healthy", "degraded", "down", "unknown", "not_configured"]
"""*degraded*: it answers, but slowly or not as it should; *unknown*: it was not asked, so that nobody can say."""

SERVICES = ("calcom", "retell", "database", "redis", "email", "sms")
"""What is probed, in the order in which it is shown."""
MISSED = 3
"""How many checks may fail to come before nobody can say how a service is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePolicy:
    """
    How often a service is probed, when a probe is cut, and from when on its answer is slow. All times are seconds.
    """

    interval_seconds: float = 30.0
    limit_seconds: float = 5.0
    slow_seconds: float = 2.5

    def __post_init__(self) -> None:
        """Refuse figures that cannot be meant, by the name of the field."""
        if not (self.interval_seconds > 0 and isfinite(self.interval_seconds)):
            raise ValueError("interval_seconds must be above 0")
        if not 0 < self.limit_seconds <= self.interval_seconds:
            raise ValueError("limit_seconds must be above 0 and at most interval_seconds")
        if not 0 < self.slow_seconds <= self.limit_seconds:
            raise ValueError("slow_seconds must be above 0 and at most limit_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a service has said; `answered` is False if it was not asked, or said nothing. No secret is in `detail`."""

    status: Status = "healthy"
    detail: str = ""
    answered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    What one probe has found, at the instant that it began.

    `response_time_ms` is None without an answer. `threshold_ok` tells whether the answer came soon enough; None if
    the service was not asked.
    """

    service: str
    checked_at: datetime
    status: Status
    response_time_ms: float | None = None
    threshold_ok: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """How many checks of a time have said anything, and how many of these found the service up."""

    checks: int
    up: int

    @property
    def share(self) -> float | None:
        """Return the share of checks that found it up; None if none said anything."""
        return self.up / self.checks if self.checks else None


def judge(service: str, said: Said, policy: ProbePolicy, *, checked_at: datetime, seconds: float) -> Check:
    """Return what is known after a service has said something, or nothing, within so many seconds."""
    in_time = seconds <= policy.slow_seconds
    status, detail = said.status, said.detail
    if status == "healthy" and not in_time:
        status, detail = "degraded", f"slower than {policy.slow_seconds:g} s"
    threshold_ok: bool | None = said.answered and in_time
    if status in {"unknown", "not_configured"}:
        threshold_ok = None
    return Check(
        service=service,
        checked_at=checked_at,
        status=status,
        response_time_ms=round(seconds * 1000, 3) if said.answered else None,
        threshold_ok=threshold_ok,
        detail=detail,
    )


def as_of(check: Check, policy: ProbePolicy, *, now: datetime, grace: timedelta) -> Check:
    """
    Return what a check still says now; one that nobody has repeated for too long says nothing any more.

    `grace` is how long the fleet may take to find somebody who probes.
    """
    age = now - check.checked_at
    if check.status == "not_configured" or age <= MISSED * timedelta(seconds=policy.interval_seconds) + grace:
        return check
    detail = f"nobody has probed it for {age.total_seconds():.0f} s"
    return Check(service=check.service, checked_at=check.checked_at, status="unknown", detail=detail)
