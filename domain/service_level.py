"""
Service levels: what share of the calls to a service must go well, how quick they must be, and how soon it must recover.

The *error budget* is the share of calls that may go wrong in a period. A *burn rate* says how fast it goes: at 1 it is
spent exactly when the period ends, at 14.4 in two days of thirty. Two windows have to burn before anybody is told: a
long one so that a moment is no alert, a short one so that what is over is none either.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["warning", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """
    What every service is held to; the defaults are those of the public settings.

    Availability is a share of calls, p99 and recovery are seconds. What lies beyond the `critical` figures
    is critical; what lies between is a warning.
    """

    availability: float = 0.999
    availability_critical: float = 0.99
    p99_seconds: float = 1.0
    p99_critical_seconds: float = 5.0
    recovery_seconds: float = 300.0
    recovery_critical_seconds: float = 600.0
    period: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        """Refuse objectives that nothing could meet, or that nothing could fail."""
        if not 0 < self.availability_critical <= self.availability < 1:
            raise ValueError("availability must be below 1, and its critical figure above 0 and no higher")
        if not 0 < self.p99_seconds <= self.p99_critical_seconds:
            raise ValueError("p99 must be above 0, and its critical figure no lower")
        if not 0 < self.recovery_seconds <= self.recovery_critical_seconds:
            raise ValueError("recovery must be above 0, and its critical figure no lower")
        if self.period <= timedelta(0):
            raise ValueError("period must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many calls went well, failed, or were refused by an open breaker, which is as bad for whoever asked."""

    succeeded: int = 0
    failed: int = 0
    refused: int = 0

    @property
    def requests(self) -> int:
        """Return how many calls were wanted."""
        return self.succeeded + self.failed + self.refused

    @property
    def bad_share(self) -> float:
        """Return which share of the calls went wrong; 0 without any."""
        return (self.failed + self.refused) / self.requests if self.requests else 0.0

    @property
    def success_rate(self) -> float | None:
        """Return which share of the calls went well; None without any."""
        return self.succeeded / self.requests if self.requests else None

    def plus(self, other: "Counts") -> "Counts":
        """Return both together."""
        return Counts(
            succeeded=self.succeeded + other.succeeded,
            failed=self.failed + other.failed,
            refused=self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudget:
    """What is `spent` of a period's error budget, 1 being all of it; more than that is overspent."""

    spent: float

    @property
    def left(self) -> float:
        """Return what is left, a share; never below 0."""
        return max(1.0 - self.spent, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWindows:
    """Two windows that have to burn at `rate` before an alert of a severity is raised."""

    long: timedelta
    short: timedelta
    rate: float
    severity: Severity


BURNING: tuple[BurnWindows, ...] = (
    BurnWindows(long=timedelta(hours=1), short=timedelta(minutes=5), rate=14.4, severity="critical"),
    BurnWindows(long=timedelta(hours=6), short=timedelta(minutes=30), rate=6.0, severity="critical"),
    BurnWindows(long=timedelta(days=3), short=timedelta(hours=6), rate=1.0, severity="warning"),
)
"""The pairs of the SRE workbook, for a period of thirty days: 2, 5 and 10 % of the budget."""

SPANS: tuple[timedelta, ...] = tuple(sorted({span for one in BURNING for span in (one.long, one.short)}))
"""Every window that is looked at, the shortest first."""


def burn_rate(counts: Counts, availability: float) -> float:
    """Return how many times as fast as it may the budget goes, if all of the period were like this; 0 without calls."""
    return counts.bad_share / (1.0 - availability)


def error_budget(counts: Counts, availability: float, *, observed: timedelta, period: timedelta) -> ErrorBudget:
    """Return what is spent of a period's budget, of which `observed` has been seen, at most all of it."""
    seen = min(max(observed / period, 0.0), 1.0)
    return ErrorBudget(spent=burn_rate(counts, availability) * seen)
