"""
The part of the sweep that runs with every test run: each named point once, on each database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.crash.harness import Stage
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.sweep import AT_ONCE, stage

ASLEEP: Final = {"undisturbed", "walk_in", "cancelled_in_doubt"}
"""A booking that is booked, one that is undone, and one that is cancelled meanwhile."""
AROUND_THE_CALL: Final = ("calcom.create.announced", "calcom.create.before", "calcom.create.after")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def here(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.param) as found:
        yield found


def test_a_process_may_die_at_every_named_point(here: Stage) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reached = list(pool.map(here.points, SCENARIOS))
        deaths = _each_point_once(reached)
        verdicts = list(pool.map(lambda death: here.die_at(*death), deaths))
        # Which points a process comes to, and how often, may differ by a look or by a follower's turn.
        missed = [death for death, verdict in zip(deaths, verdicts, strict=True) if not verdict.died]
        verdicts += pool.map(lambda death: here.die_at(*death), missed)

    assert [] == [verdict for verdict in verdicts if verdict.faults]
    assert sum(verdict.died for verdict in verdicts) >= 0.9 * len(deaths)


def test_a_process_may_sleep_while_another_one_finishes_its_booking(here: Stage) -> None:
    scenarios = [one for one in SCENARIOS if one.name in ASLEEP]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reached = pool.map(here.points, scenarios)
        deaths = [
            (scenario, points, _number(points, point))
            for scenario, points in zip(scenarios, reached, strict=True)
            for point in AROUND_THE_CALL
        ]
        verdicts = list(pool.map(lambda death: here.die_at(*death, how="STOP"), deaths))

    assert [] == [verdict for verdict in verdicts if verdict.faults or not verdict.died]


def _number(points: Sequence[str], point: str) -> int:
    # A point that a scenario does not come to is the one before the call.
    return points.index(point if point in points else "calcom.create.before") + 1


def _each_point_once(reached: list[list[str]]) -> list[tuple[Scenario, list[str], int]]:
    first: dict[str, tuple[Scenario, list[str], int]] = {}
    for scenario, points in zip(SCENARIOS, reached, strict=True):
        for number, point in enumerate(points, start=1):
            first.setdefault(point, (scenario, points, number))
    return list(first.values())
