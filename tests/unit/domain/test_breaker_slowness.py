"""
Calls that were slow and have ended count on, when nothing is under way any more.
"""

from __future__ import annotations

from domain.breaker import acquire, record
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import Breaker, permit_id_of
from domain.breaker_words import Permit

POLICY = BreakerPolicy(slow_seconds=1, slow_rate=0.8, minimum_calls=10, window_seconds=60)


def after_a_call(breaker: Breaker, number: int, *, at: float, takes: float) -> Breaker:
    permit_id = permit_id_of("one", str(number), settles=False)
    step = acquire(breaker, POLICY, now=at, permit_id=permit_id, chance=0)
    assert isinstance(step.answer, Permit)
    return record(step.breaker, POLICY, permit=step.answer, outcome="succeeded", now=at + takes, chance=0).breaker


def test_quick_calls_that_make_slow_ones_enough_to_judge_by_open_it() -> None:
    breaker = Breaker(name="calcom")
    for number in range(8):
        breaker = after_a_call(breaker, number, at=1_000 + 2 * number, takes=1.5)
    breaker = after_a_call(breaker, 8, at=1_016, takes=0.1)
    assert "closed" == breaker.state

    breaker = after_a_call(breaker, 9, at=1_016.2, takes=0.1)

    assert ("open", "slow_calls") == (breaker.state, breaker.cause)
