"""
What failures say of a service (M12): counts of calls by the minute in, a severity out.

    low        at most a quarter of the calls of the last minutes failed, which may be none: nothing to do
    medium     more than that failed: the service is degraded, and somebody should look at it today
    critical   more than three calls failed within a minute, this one or the one before: somebody should look now

A breaker refuses calls and comes back by itself; this only tells, counts what no breaker stops as well, and can be
cleared by a person who has seen to the cause.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["low", "medium", "critical"]
Judgment: TypeAlias = Literal["healthy", "degraded", "critical"]

MINUTE = timedelta(minutes=1)
_JUDGED: dict[Severity, Judgment] = {"low": "healthy", "medium": "degraded", "critical": "critical"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRule:
    """`rate`: above this share a service is degraded; `in_a_minute`: above so many failures it is critical."""

    rate: float = 0.25
    in_a_minute: int = 3
    window: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureWindow:
    """The calls of a service in the minute from `start` on."""

    service: str
    start: datetime
    requests: int
    failures: int

    @property
    def rate(self) -> float:
        """Return the share that failed, 0 of none."""
        return self.failures / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """How a service has done lately; `failures_in_a_minute` is the worse of this minute and the one before."""

    service: str
    requests: int
    failures: int
    failures_in_a_minute: int
    severity: Severity

    @property
    def rate(self) -> float:
        """Return the share that failed, 0 of none."""
        return self.failures / self.requests if self.requests else 0.0

    @property
    def detail(self) -> str:
        """Return in words what the severity is made of."""
        if self.severity == "critical":
            return f"{self.failures_in_a_minute} calls failed within a minute"
        return f"{self.failures} of {self.requests} calls failed lately"

    @property
    def judgment(self) -> Judgment:
        """Return what the severity says of the service."""
        return _JUDGED[self.severity]


def minute_of(instant: datetime) -> datetime:
    """Return the beginning of an instant's minute."""
    return instant.replace(second=0, microsecond=0)


def severity_of(rule: FailureRule, *, requests: int, failures: int, in_a_minute: int) -> Severity:
    """Return how bad it is that so many calls failed, of which so many in one minute."""
    if in_a_minute > rule.in_a_minute:
        return "critical"
    return "medium" if failures > rule.rate * requests else "low"


def detect(
    service: str,
    windows: Iterable[FailureWindow],
    rule: FailureRule,
    *,
    now: datetime,
    cleared_at: datetime | None = None,
) -> Detected:
    """Judge a service by its windows; minutes that had begun when a person cleared it count no more."""
    this_minute = minute_of(now)
    since = max(this_minute - rule.window, cleared_at or this_minute - rule.window)
    counted = [one for one in windows if one.service == service and since < one.start <= this_minute]
    requests, failures = sum(one.requests for one in counted), sum(one.failures for one in counted)
    in_a_minute = max((one.failures for one in counted if one.start >= this_minute - MINUTE), default=0)
    return Detected(
        service=service,
        requests=requests,
        failures=failures,
        failures_in_a_minute=in_a_minute,
        severity=severity_of(rule, requests=requests, failures=failures, in_a_minute=in_a_minute),
    )
