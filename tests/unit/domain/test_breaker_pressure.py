"""
How near a breaker is to opening, held against the breaker itself.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import breaker as machine
from domain.breaker_policy import BreakerPolicy
from domain.breaker_pressure import NEAR, pressure
from domain.breaker_state import Breaker
from domain.breaker_words import Outcome, Permit, Snapshot

POLICY = BreakerPolicy()


def after(outcomes: list[bool], policy: BreakerPolicy = POLICY) -> Snapshot:
    """
    Return how a breaker stands after calls that succeeded or not, ten a second.
    """
    breaker, now = Breaker(name="calcom"), 1_000_000.0
    for number, succeeded in enumerate(outcomes):
        now += 0.1
        step = machine.acquire(breaker, policy, now=now, permit_id=f"a/{number}", chance=0)
        breaker = step.breaker
        if isinstance(step.answer, Permit):
            said: Outcome = "succeeded" if succeeded else "failed"
            breaker = machine.record(breaker, policy, permit=step.answer, outcome=said, now=now, chance=0).breaker
    return machine.look(breaker, policy, now=now, chance=0).answer


@settings(max_examples=30)
@given(st.lists(st.booleans(), max_size=30))
def test_a_closed_breaker_is_never_beyond_what_opens_it(outcomes: list[bool]) -> None:
    snapshot = after(outcomes)

    if snapshot.state == "closed":
        assert 0 <= pressure(snapshot, POLICY) < 1
    else:
        assert 0 == pressure(snapshot, POLICY)


@pytest.mark.parametrize("good", [0, 1, 4, 9, 14, 19, 25, 40])
def test_of_failures_alone_it_warns_two_calls_before(good: int) -> None:
    outcomes = [True] * good
    while after([*outcomes, False]).state == "closed":
        outcomes.append(False)

    # One failure more opens it.
    assert pressure(after(outcomes), POLICY) >= NEAR
    assert pressure(after(outcomes[:-1]), POLICY) >= NEAR


def test_nothing_has_happened_and_nothing_is_near() -> None:
    assert 0 == pressure(after([]), POLICY)
    assert 0 == pressure(after([True] * 50), POLICY)


def test_slow_calls_count() -> None:
    snapshot = replace(after([True] * 20), slow=12)

    assert abs(0.75 - pressure(snapshot, POLICY)) < 1e-9


def test_few_calls_weigh_little() -> None:
    policy = BreakerPolicy(failure_threshold=100, rate_from=100, minimum_calls=10)

    assert abs(0.2 - pressure(after([False], policy), policy)) < 1e-9
