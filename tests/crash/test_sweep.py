"""
The part of the sweep that runs with every test run: each named point once, on each database.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.crash.harness import Stage
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.sweep import AT_ONCE, stage


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


@pytest.mark.parametrize("name", ["undisturbed", "walk_in", "cancelled_in_doubt"])
@pytest.mark.parametrize("point", ["calcom.create.announced", "calcom.create.before", "calcom.create.after"])
def test_a_process_may_sleep_while_another_one_finishes_its_booking(here: Stage, name: str, point: str) -> None:
    scenario = next(one for one in SCENARIOS if one.name == name)
    points = here.points(scenario)
    number = points.index(point) + 1 if point in points else points.index("calcom.create.before") + 1

    verdict = here.die_at(scenario, points, number, how="STOP")

    assert verdict.died
    assert () == verdict.faults


def _each_point_once(reached: list[list[str]]) -> list[tuple[Scenario, list[str], int]]:
    first: dict[str, tuple[Scenario, list[str], int]] = {}
    for scenario, points in zip(SCENARIOS, reached, strict=True):
        for number, point in enumerate(points, start=1):
            first.setdefault(point, (scenario, points, number))
    return list(first.values())
