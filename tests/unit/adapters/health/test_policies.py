"""
How services are probed, as it is set.
"""

from __future__ import annotations

import pytest

from adapters.health.policies import checked, of
from domain.health import SERVICES, ProbePolicy


def test_without_a_word_it_is_as_the_requirements_say() -> None:
    policies = of({})

    assert set(SERVICES) == set(policies)
    assert {"calcom": (30, 5), "retell": (30, 5), "database": (10, 3), "redis": (10, 2)} == {
        name: (policies[name].interval_seconds, policies[name].limit_seconds)
        for name in ("calcom", "retell", "database", "redis")
    }


def test_what_is_set_differs_and_nothing_else() -> None:
    given = checked('{"calcom": {"interval_seconds": 60, "limit_seconds": 8}, "redis": {"slow_seconds": 0.5}}')

    policies = of(given)

    # What is slow goes with the time limit unless it is set, too.
    assert ProbePolicy(interval_seconds=60, limit_seconds=8, slow_seconds=4) == policies["calcom"]
    assert ProbePolicy(interval_seconds=10, limit_seconds=2, slow_seconds=0.5) == policies["redis"]
    assert of({})["database"] == policies["database"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("calcom", "must be JSON such as"),
        ("[]", "must be JSON such as"),
        ('{"calcom": 5}', "must be JSON such as"),
        ('{"moon": {}}', "there is no service 'moon'; there are calcom"),
        ('{"calcom": {"interval": 5}}', "calcom.interval is no figure of a probe; there are interval_seconds"),
        ('{"calcom": {"interval_seconds": "5"}}', "calcom.interval_seconds must be a number"),
        ('{"calcom": {"interval_seconds": true}}', "calcom.interval_seconds must be a number"),
        ('{"calcom": {"interval_seconds": 4.9, "limit_seconds": 1}}', "calcom.interval_seconds must be from 5 to 60"),
        ('{"calcom": {"interval_seconds": 61}}', "calcom.interval_seconds must be from 5 to 60"),
        ('{"redis": {"limit_seconds": 11}}', "redis.limit_seconds must be above 0 and at most interval_seconds"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_service_and_figure(given: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        checked(given)
