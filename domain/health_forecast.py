"""
What is to be expected of a service within the next half hour, and what a person might do; nothing acts on it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Literal, TypeAlias

from domain.breaker_pressure import NEAR
from domain.health import Check, ProbePolicy
from domain.health_anomaly import FEWEST_USUAL, Anomaly, anomaly
from domain.health_hours import Habit, Hour, habits
from domain.health_trend import Point, Trend, trend

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AHEAD = timedelta(minutes=30)
TREND_OVER = timedelta(minutes=120)
LAST = timedelta(minutes=10)
"""How old the last answers may be that are compared with the usual ones."""
AROUND = timedelta(minutes=60)
"""By how much the time of day may differ of what is usual then."""
STRIKING = 3.0
"""How many deviations from what is usual at this time of day a rise must have come to before it is worth a word."""
FAILING = 0.25
"""Which share of the last checks must have failed for more to be expected."""
MOSTLY = 0.5
"""… and for them to be expected of most."""
FEWEST_LAST = 4
"""How many checks of the last minutes must have said anything."""

Expectation: TypeAlias = Literal["healthy", "degraded", "down", "unknown"]
Sign: TypeAlias = Literal["failing", "rising", "unusual", "bad_hour", "breaker_near"]

ADVICE: dict[Sign, str] = {
    "failing": "checks fail: see its status page, and `calsaga circuit status`",
    "rising": "it gets slower and slower: look for what has changed, before its calls run into their time limits",
    "unusual": "it is slower than it is at this time of day: look at its status page and at the network between",
    "bad_hour": "it is often unwell at this hour: see what runs then, and move it, or your own heavy work",
    "breaker_near": "its circuit breaker is about to open: bookings would be taken and made later; have somebody ready",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    What is known of a service, and how near its breaker is to opening.

    `checks` are those of the last two hours (`TREND_OVER`), and of the days before those at about this time (`AROUND`),
    the oldest first. `hours` are the hours of these days.
    """

    checks: Sequence[Check]
    hours: Sequence[Hour]
    pressure: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """
    What is expected until `until`, by which signs; what was looked at is None where there is too little to see.
    """

    expected: Expectation
    response_time_ms: float | None
    until: datetime
    signs: tuple[Sign, ...]
    trend: Trend | None
    anomaly: Anomaly | None
    habits: tuple[Habit, ...]
    pressure: float | None

    @property
    def recommendations(self) -> tuple[str, ...]:
        """Return what a person might do."""
        return tuple(ADVICE[sign] for sign in self.signs)


def forecast(seen: Seen, policy: ProbePolicy, *, now: datetime) -> Forecast:
    """Return what is to be expected of a service."""
    answered = [one for one in seen.checks if one.response_time_ms is not None]
    goes = trend([_point(one) for one in answered if one.checked_at > now - TREND_OVER], until=_minutes(now))
    recent = _times(one for one in answered if one.checked_at > now - LAST)
    days_before = _times(one for one in answered if one.checked_at <= now - DAY + AROUND)
    knows_days = len(days_before) >= FEWEST_USUAL
    differs = anomaly(recent, days_before if knows_days else _just_before(answered, now=now))
    if goes and knows_days and differs and differs.deviations < STRIKING:
        # Times that come back from where they seldom are rise as well.
        goes = replace(goes, rises=False)
    hours = habits(seen.hours)
    failed = _share_that_failed(seen.checks, now=now)
    signs = tuple(_signs(failed, goes, differs, hours, seen.pressure, now=now))
    time_ms = goes.in_minutes(AHEAD / MINUTE) if goes and goes.rises else median(recent) if recent else None
    return Forecast(
        expected=_expected(failed, signs, time_ms, policy),
        response_time_ms=time_ms,
        until=now + AHEAD,
        signs=signs,
        trend=goes,
        anomaly=differs,
        habits=hours,
        pressure=seen.pressure,
    )


def _signs(
    failed: float | None,
    goes: Trend | None,
    differs: Anomaly | None,
    hours: Sequence[Habit],
    pressure: float | None,
    *,
    now: datetime,
) -> Iterator[Sign]:
    if failed is not None and failed >= FAILING:
        yield "failing"
    if goes is not None and goes.rises:
        yield "rising"
    if differs is not None and differs.is_one:
        yield "unusual"
    if {now.hour, (now + AHEAD).hour} & {one.hour for one in hours}:
        yield "bad_hour"
    if pressure is not None and pressure >= NEAR:
        yield "breaker_near"


def _expected(failed: float | None, signs: Sequence[Sign], time_ms: float | None, policy: ProbePolicy) -> Expectation:
    if failed is None:
        return "unknown"
    if failed >= MOSTLY:
        return "down"
    slow = time_ms is not None and time_ms > policy.slow_seconds * 1000
    return "degraded" if signs or slow else "healthy"


def _share_that_failed(checks: Sequence[Check], *, now: datetime) -> float | None:
    """Return which share of the last checks found the service down; None if too few said anything."""
    last = [one.status == "down" for one in checks if one.checked_at > now - LAST and one.status != "unknown"]
    return sum(last) / len(last) if len(last) >= FEWEST_LAST else None


def _just_before(answered: Sequence[Check], *, now: datetime) -> list[float]:
    """Return what the answers took a little while before the last ones: what is usual, as long as no days are known."""
    return _times(one for one in answered if now - TREND_OVER < one.checked_at <= now - LAST)


def _times(checks: Iterable[Check]) -> list[float]:
    return [one.response_time_ms for one in checks if one.response_time_ms is not None]


def _point(check: Check) -> Point:
    return _minutes(check.checked_at), check.response_time_ms or 0.0


def _minutes(instant: datetime) -> float:
    return instant.timestamp() / 60
