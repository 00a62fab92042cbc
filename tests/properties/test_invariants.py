"""
The ten invariants hold, whatever is lost, late, repeated, refused, cancelled or killed, and wherever.

CALSAGA_SWEEP multiplies the number of runs, for a nightly sweep.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, event, given, settings

from tests.properties.invariants import broken
from tests.properties.plan import Plan, plans, random_plan
from tests.properties.situations import EVERY, situations
from tests.properties.world import simulate

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
FIRST_SEED = int(os.environ.get("CALSAGA_SWEEP_SEED", "0"))
RANDOM_RUNS = 1500 * TIMES
BATCH = 250


@settings(
    max_examples=400 * TIMES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], database=None
)
@given(plan=plans())
def test_every_invariant_holds_once_quiet(plan: Plan) -> None:
    world = simulate(plan)

    for situation in situations(world):
        event(situation)
    assert [] == broken(world)


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """
    How many of the random runs each situation was seen in.
    """
    return Counter()


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + RANDOM_RUNS, BATCH))
def test_every_invariant_holds_in_random_runs(first: int, seen: Counter[str]) -> None:
    faults = {}
    for seed in range(first, first + BATCH):
        world = simulate(random_plan(seed))
        seen.update(situations(world))
        if broken(world):
            faults[seed] = broken(world)

    assert {} == faults


def test_random_runs_reach_every_situation(seen: Counter[str]) -> None:
    if sum(seen.values()) == 0:
        pytest.skip("counts what the runs before it have seen")

    assert set() == EVERY - set(seen)


def test_the_same_plan_gives_the_same_run() -> None:
    first, second = (simulate(random_plan(94)) for _ in range(2))

    assert first.log.streams == second.log.streams
