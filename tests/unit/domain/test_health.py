"""
What one check says, and for how long it says so.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.health import ProbePolicy, Said, Status, Uptime, as_of, judge

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
POLICY = ProbePolicy(interval_seconds=30, limit_seconds=5, slow_seconds=2.5)
STATUSES: tuple[Status, ...] = ("healthy", "degraded", "down", "unknown", "not_configured")


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({"interval_seconds": 0.0}, "interval_seconds must be above 0"),
        ({"interval_seconds": float("inf")}, "interval_seconds must be above 0"),
        ({"interval_seconds": float("nan")}, "interval_seconds must be above 0"),
        ({"limit_seconds": 31.0}, "limit_seconds must be above 0 and at most interval_seconds"),
        ({"limit_seconds": 0.0}, "limit_seconds must be above 0 and at most interval_seconds"),
        ({"slow_seconds": 5.1}, "slow_seconds must be above 0 and at most limit_seconds"),
        ({"slow_seconds": float("nan")}, "slow_seconds must be above 0 and at most limit_seconds"),
    ],
)
def test_figures_that_cannot_be_meant_are_refused_by_name(figures: dict[str, float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ProbePolicy(**figures)


@pytest.mark.parametrize(
    ("said", "seconds", "found"),
    [
        (Said(), 0.25, ("healthy", 250.0, True, "")),
        (Said(), 2.6, ("degraded", 2600.0, False, "slower than 2.5 s")),
        (Said(status="degraded", detail="HTTP 404"), 0.1, ("degraded", 100.0, True, "HTTP 404")),
        (Said(status="degraded", detail="HTTP 404"), 2.6, ("degraded", 2600.0, False, "HTTP 404")),
        (Said(status="down", detail="HTTP 502"), 0.1, ("down", 100.0, True, "HTTP 502")),
        (Said(status="down", answered=False), 5.0, ("down", None, False, "")),
        (Said(status="unknown", answered=False), 0.0, ("unknown", None, None, "")),
        (Said(status="not_configured", answered=False), 0.0, ("not_configured", None, None, "")),
    ],
)
def test_a_check_says_what_was_said_and_how_soon(
    said: Said, seconds: float, found: tuple[Status, float | None, bool | None, str]
) -> None:
    check = judge("calcom", said, POLICY, checked_at=NOW, seconds=seconds)

    assert found == (check.status, check.response_time_ms, check.threshold_ok, check.detail)
    assert ("calcom", NOW) == (check.service, check.checked_at)


@pytest.mark.parametrize(
    ("age", "status"), [(0, "healthy"), (120, "healthy"), (121, "unknown"), (86_400, "unknown"), (-5, "healthy")]
)
def test_a_check_that_nobody_repeats_says_nothing_any_more(age: int, status: Status) -> None:
    check = judge("calcom", Said(), POLICY, checked_at=NOW, seconds=0.1)

    seen = as_of(check, POLICY, now=NOW + timedelta(seconds=age), grace=timedelta(seconds=30))

    assert (status, NOW) == (seen.status, seen.checked_at)
    assert (seen.response_time_ms is None) is (status == "unknown")


def test_what_is_not_configured_stays_so() -> None:
    check = judge("sms", Said(status="not_configured", answered=False), POLICY, checked_at=NOW, seconds=0)

    assert check == as_of(check, POLICY, now=NOW + timedelta(days=9), grace=timedelta(0))


@pytest.mark.parametrize(("checks", "up", "share"), [(0, 0, None), (4, 3, 0.75), (2, 0, 0.0)])
def test_uptime_is_the_share_of_checks_that_said_anything(checks: int, up: int, share: float | None) -> None:
    assert share == Uptime(checks=checks, up=up).share
