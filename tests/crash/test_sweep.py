"""
The part of the sweep that runs with every test run: each named point once, on each database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

import pytest

from tests.crash.harness import Stage, Verdict
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.sweep import AT_ONCE, stage

ASLEEP: Final = {"undisturbed", "walk_in", "cancelled_in_doubt"}
"""A booking that is booked, one that is undone, and one that is cancelled meanwhile."""
ATTEMPTS: Final = 6
APPENDS: Final = (
    "booking.initiated.v1",
    "booking.calcom-created.v1",
    "booking.calcom-outcome-unknown.v1",
    "booking.calcom-looked.v1",
    "booking.calcom-refused.v1",
    "booking.obstacle-inspected.v1",
    "booking.calcom-cancelled.v1",
    "booking.compensation-failed.v1",
    "booking.cancellation-requested.v1",
    "booking.reschedule-requested.v1",
    "booking.calcom-moved.v1",
    "composite.initiated.v1",
    "composite.leg.v1/booking.calcom-created.v1",
    "composite.leg.v1/booking.cancellation-requested.v1",
    "composite.leg.v1/booking.calcom-cancelled.v1",
)
NEVER_MISSED: Final = {
    *(f"append.{moment}:{topic}" for moment in ("before", "written", "after") for topic in APPENDS),
    *(f"calcom.{call}.{moment}" for call in ("create", "reschedule") for moment in ("announced", "before", "after")),
    *(f"calcom.{call}.{moment}" for call in ("cancel", "list") for moment in ("before", "after")),
    *(f"claim.{moment}" for moment in ("before", "after")),
    *(f"follower.{moment}:bookings" for moment in ("before", "written", "after")),
}
"""The points that somebody dies at in every run; a name that is lost, or no longer reached, is noticed."""
Death: TypeAlias = tuple[Scenario, Sequence[str], int]
"""A scenario, the points it comes to, and the number of the one to die at."""
AROUND_THE_CALL: Final = ("calcom.create.announced", "calcom.create.before", "calcom.create.after")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def here(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.param) as found:
        yield found


def test_a_process_may_die_at_every_named_point(here: Stage) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ways = _ways_to_die(list(pool.map(here.points, SCENARIOS)))
        verdicts: list[Verdict] = []
        alive = list(ways)
        for attempt in range(ATTEMPTS):
            deaths = [ways[point][attempt % len(ways[point])] for point in alive]
            found = list(pool.map(lambda death: here.die_at(*death), deaths))
            verdicts += found
            alive = [point for point, verdict in zip(alive, found, strict=True) if not verdict.died]

    assert [] == [verdict for verdict in verdicts if verdict.faults]
    assert set() == NEVER_MISSED - ways.keys()
    # Another one that a single scenario came to may have been a chance: a look more, or another process's append.
    assert [] == [point for point in alive if point in NEVER_MISSED or len(ways[point]) > 1]


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


def _ways_to_die(reached: Sequence[list[str]]) -> Mapping[str, Sequence[Death]]:
    """
    Return, for each named point, the scenarios that come to it, the likeliest first: those that come to it most often.

    Followers and workers go on beside a booking, and how far they get before it ends is not the same twice.
    """
    ways: dict[str, list[Death]] = {}
    for scenario, points in zip(SCENARIOS, reached, strict=True):
        for point in dict.fromkeys(points):
            ways.setdefault(point, []).append((scenario, points, points.index(point) + 1))
    return {point: sorted(them, key=lambda way: -way[1].count(point)) for point, them in ways.items()}
