"""
What is expected of a service, by which signs, and what a person might do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.health import Check, ProbePolicy, Status
from domain.health_forecast import ADVICE, Forecast, Seen, Sign, forecast
from domain.health_hours import Hour

NOW = datetime(2027, 3, 8, 9, 40, tzinfo=UTC)
POLICY = ProbePolicy(interval_seconds=30, limit_seconds=5, slow_seconds=2.5)
MINUTES = 120


def checks(
    ms: Callable[[float], float | None] = lambda _ago: 100.0,
    status: Callable[[float], Status] = lambda _ago: "healthy",
    *,
    days: int = 0,
) -> list[Check]:
    """
    Return checks of two hours, one a minute, and of the days before at the same time, by how many minutes ago.
    """
    before = [float(day * 1440 + minute) for day in range(days, 0, -1) for minute in range(60, -60, -1)]
    return [
        Check(
            service="calcom",
            checked_at=NOW - timedelta(minutes=ago),
            status=status(ago),
            response_time_ms=None if status(ago) in {"down", "unknown"} else ms(ago),
        )
        for ago in [*before, *(number + 0.5 for number in range(MINUTES - 1, -1, -1))]
    ]


def expect(seen: list[Check], *, hours: list[Hour] | None = None, pressure: float | None = None) -> Forecast:
    return forecast(Seen(checks=seen, hours=hours or [], pressure=pressure), POLICY, now=NOW)


def test_what_is_well_is_expected_to_stay_so() -> None:
    found = expect(checks())

    assert ("healthy", (), (), 100.0) == (found.expected, found.signs, found.recommendations, found.response_time_ms)
    assert NOW + timedelta(minutes=30) == found.until


def test_of_what_was_not_seen_nothing_is_expected() -> None:
    found = expect([])

    assert ("unknown", None, None, None) == (found.expected, found.response_time_ms, found.trend, found.anomaly)
    assert "unknown" == expect(checks(status=lambda _ago: "unknown")).expected


@pytest.mark.parametrize(("every", "expected"), [(1, "down"), (2, "down"), (3, "degraded"), (20, "healthy")])
def test_what_fails_is_expected_to_fail(every: int, expected: str) -> None:
    found = expect(checks(status=lambda ago: "down" if int(ago) % every == 0 else "healthy"))

    assert expected == found.expected
    assert (expected != "healthy") is ("failing" in found.signs)


def test_what_rises_is_expected_to_go_on_rising() -> None:
    found = expect(checks(lambda ago: 100 + 10 * (MINUTES - ago)))

    assert "rising" in found.signs
    assert found.response_time_ms is not None
    assert abs(1_600 - found.response_time_ms) < 10


def test_what_comes_back_from_where_it_seldom_is_does_not_rise() -> None:
    def recovers(ago: float) -> float:
        return 100.0 if ago >= MINUTES else 40 + 60 * (MINUTES - ago) / MINUTES

    assert ("rising",) == expect(checks(recovers)).signs
    assert () == expect(checks(recovers, days=3)).signs


def test_what_is_slower_than_on_other_days_is_unusual_and_what_is_slow_every_day_is_not() -> None:
    assert ("unusual",) == expect(checks(lambda ago: 400.0 if ago < 1000 else 100.0, days=3)).signs
    assert () == expect(checks(lambda _ago: 400.0, days=3)).signs


def test_without_other_days_the_hours_before_are_what_is_usual() -> None:
    assert ("unusual",) == expect(checks(lambda ago: 400.0 if ago < 10 else 100.0)).signs


def test_what_is_slow_for_long_is_expected_to_be_degraded_without_a_sign() -> None:
    found = expect(checks(lambda _ago: 2_600.0))

    assert ("degraded", ()) == (found.expected, found.signs)


@pytest.mark.parametrize(("hour", "comes"), [(8, False), (9, True), (10, True), (11, False)])
def test_a_bad_hour_counts_once_it_comes_near(hour: int, comes: bool) -> None:
    midnight = NOW.replace(hour=0, minute=0) - timedelta(days=7)
    hours = [
        Hour(begins_at=midnight + timedelta(hours=number), checks=120, unwell=60 if number % 24 == hour else 0)
        for number in range(7 * 24)
    ]

    found = expect(checks(), hours=hours)

    assert comes is (found.signs == ("bad_hour",))
    assert [hour] == [one.hour for one in found.habits]


@pytest.mark.parametrize(("pressure", "signs"), [(None, ()), (0.59, ()), (0.6, ("breaker_near",))])
def test_a_breaker_that_is_about_to_open_is_a_sign(pressure: float | None, signs: tuple[Sign, ...]) -> None:
    assert signs == expect(checks(), pressure=pressure).signs


def test_every_sign_has_its_advice() -> None:
    found = expect(checks(status=lambda _ago: "down"), pressure=0.9)

    assert (ADVICE["failing"], ADVICE["breaker_near"]) == found.recommendations
