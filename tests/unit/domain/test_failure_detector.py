"""
What failures say of a service: over any counts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failure_detector import Detected, FailureRule, FailureWindow, detect, minute_of
from domain.failures_cleared import clear_failures, clearings_id_of

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
RULE = FailureRule()
WORSE = {"low": 0, "medium": 1, "critical": 2}


def window(minutes_ago: int, requests: int, failures: int, service: str = "calcom") -> FailureWindow:
    start = minute_of(NOW) - timedelta(minutes=minutes_ago)
    return FailureWindow(service=service, start=start, requests=requests, failures=failures)


def judged(*windows: FailureWindow, cleared_at: datetime | None = None) -> Detected:
    return detect("calcom", windows, RULE, now=NOW, cleared_at=cleared_at)


@pytest.mark.parametrize(
    ("windows", "severity", "judgment"),
    [
        ((), "low", "healthy"),
        ((window(0, 4, 1),), "low", "healthy"),
        ((window(0, 7, 2),), "medium", "degraded"),
        ((window(0, 3, 3),), "medium", "degraded"),
        ((window(0, 1000, 4),), "critical", "critical"),
        ((window(1, 1000, 4),), "critical", "critical"),
        ((window(2, 1000, 4),), "low", "healthy"),
        ((window(0, 10, 2), window(1, 10, 2)), "low", "healthy"),
        ((window(4, 4, 4),), "medium", "degraded"),
        ((window(5, 4, 4),), "low", "healthy"),
        ((window(-1, 4, 4),), "low", "healthy"),
        ((window(0, 9, 9, service="sms"),), "low", "healthy"),
    ],
)
def test_severities(windows: tuple[FailureWindow, ...], severity: str, judgment: str) -> None:
    found = judged(*windows)

    assert (severity, judgment) == (found.severity, found.judgment)


def test_it_is_told_what_the_severity_is_made_of() -> None:
    assert "4 calls failed within a minute" == judged(window(0, 1000, 4), window(2, 1000, 3)).detail
    assert "3 of 9 calls failed lately" == judged(window(0, 3, 1), window(2, 6, 2)).detail


def test_counts_and_rates_are_of_the_whole_window() -> None:
    found = judged(window(0, 10, 1), window(1, 10, 3), window(4, 20, 2), window(5, 100, 100))

    assert (40, 6, 3, 0.15) == (found.requests, found.failures, found.failures_in_a_minute, found.rate)
    assert (0.0, 0.0) == (judged().rate, window(0, 0, 0).rate)
    assert 0.25 == window(0, 4, 1).rate


WINDOWS = st.lists(
    st.builds(
        lambda ago, requests, share: window(ago, requests, min(requests, share)),
        st.integers(0, 6),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=8,
)


@settings(max_examples=50)
@given(windows=WINDOWS, ago=st.integers(0, 6))
def test_one_failure_more_is_never_better(windows: list[FailureWindow], ago: int) -> None:
    assert WORSE[judged(*windows).severity] <= WORSE[judged(*windows, window(ago, 1, 1)).severity]


@settings(max_examples=50)
@given(windows=WINDOWS)
def test_what_was_cleared_just_now_is_low(windows: list[FailureWindow]) -> None:
    found = judged(*windows, cleared_at=NOW)

    assert ("low", 0) == (found.severity, found.requests)


def test_what_fails_after_it_was_cleared_counts_from_the_next_minute_on() -> None:
    cleared_at = NOW - timedelta(minutes=2)

    assert "critical" == judged(window(2, 9, 9), window(1, 9, 4), cleared_at=cleared_at).severity
    assert "low" == judged(window(2, 9, 9), window(1, 9, 1), cleared_at=cleared_at).severity


@pytest.mark.parametrize("field", ["service", "actor", "reason"])
def test_a_clearing_that_nobody_could_answer_for_is_refused(field: str) -> None:
    given = {"service": "calcom", "actor": "ada", "reason": "it was us"} | {field: " "}

    with pytest.raises(ValueError, match=f"^{field} must"):
        clear_failures(given.pop("service"), at=NOW, **given)


def test_a_clearing_says_who_and_why() -> None:
    cleared = clear_failures("calcom", actor="ada", reason="it was us", at=NOW)

    assert ("calcom", "ada", "it was us", NOW) == (cleared.service, cleared.actor, cleared.reason, cleared.at)


def test_each_service_has_a_stream_of_its_own() -> None:
    assert clearings_id_of("calcom") != clearings_id_of("sms")
