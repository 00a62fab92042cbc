"""
The breaker's state machine against a reference that is told differently; what it is for is in `tests/breakers`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command
from tests.breakers.alike import EVERY_CAUSE, run_alike


def test_a_breaker_does_what_the_reference_does() -> None:
    # Enough for every cause; more of them, and the fleet's breakers beside, are played in `tests/breakers`.
    assert set(run_alike(runs=60)) == EVERY_CAUSE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failure_threshold", 0),
        ("window_seconds", 0),
        ("window_seconds", float("nan")),
        ("window_seconds", float("inf")),
        ("buckets", 0),
        ("failure_rate", 0),
        ("failure_rate", 1.01),
        ("slow_rate", float("nan")),
        ("minimum_calls", -1),
        ("open_multiplier", 0.9),
        ("open_jitter", -0.1),
        ("open_cap_seconds", 59),
        ("half_open_quota", 1),
        ("lease_seconds", 5),
        ("lost", "found"),
        ("quorum", 0),
    ],
)
def test_a_figure_that_cannot_be_meant_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{field} "):
        BreakerPolicy(**{field: value})  # type: ignore[arg-type]


def test_the_open_time_grows_with_each_failed_probe_up_to_its_cap() -> None:
    policy = BreakerPolicy()

    assert [60, 90, 120, 120] == [policy.open_for(failed, chance=0) for failed in range(4)]
    assert 66 == pytest.approx(policy.open_for(0, chance=1))
    assert 120 == policy.open_for(1_000_000, chance=1)
    assert 60 == replace(policy, open_multiplier=1).open_for(5, chance=0)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ({"action": "open", "actor": " ", "reason": "maintenance"}, "actor"),
        ({"action": "open", "actor": "ann", "reason": ""}, "reason"),
        ({"action": "open", "actor": "ann", "reason": "maintenance", "seconds": 0}, "seconds"),
        ({"action": "open", "actor": "ann", "reason": "maintenance", "seconds": float("inf")}, "seconds"),
        ({"action": "open", "actor": "ann", "reason": "maintenance", "seconds": 1e300}, "seconds"),
        ({"action": "open", "actor": "ann", "reason": "maintenance", "seconds": float("nan")}, "seconds"),
        ({"action": "open", "actor": "ann", "reason": "a" * 501}, "reason must have at most 500"),
        ({"action": "open", "actor": "ann", "reason": "main\x00tenance"}, "reason must not contain"),
        ({"action": "open", "actor": "ann", "reason": "\ud800"}, "reason must not"),
        ({"action": "reset", "actor": "ann", "reason": "mended", "seconds": 5}, "seconds"),
    ],
)
def test_a_command_needs_an_actor_a_reason_and_a_time(command: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Command(**command)  # type: ignore[arg-type]
