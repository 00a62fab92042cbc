"""
A service's health as one number from 0 to 100, for people who compare at a glance; nothing is decided by it.

    100 · success · speed · breaker, rounded

*success* is 1 down to 0 as the share of bad calls goes from 0 to ten times what is critical (10 % by default); *speed*
is 1 up to the p99 that is aimed at, and 0.5 from the critical one on; *breaker* is 1 closed, 0.5 half-open, 0.25 open.
In between it goes in straight lines; what was not seen takes nothing away.
"""

from domain.breaker_words import State
from domain.service_level import Counts, Objectives

WORST = 10
"""How many times the critical share of bad calls is no health at all."""
SLOWEST = 0.5
BREAKER: dict[State, float] = {"closed": 1.0, "half_open": 0.5, "open": 0.25}


def health_score(counts: Counts, *, p99_seconds: float | None, state: State, objectives: Objectives) -> int:
    """Return the score of a service."""
    success = 1.0 - min(counts.bad_share / (WORST * (1.0 - objectives.availability_critical)), 1.0)
    return round(100 * success * _speed(p99_seconds, objectives) * BREAKER[state])


def _speed(p99_seconds: float | None, objectives: Objectives) -> float:
    if p99_seconds is None or p99_seconds <= objectives.p99_seconds:
        return 1.0
    if p99_seconds >= objectives.p99_critical_seconds:
        return SLOWEST
    beyond = (p99_seconds - objectives.p99_seconds) / (objectives.p99_critical_seconds - objectives.p99_seconds)
    return 1.0 - (1.0 - SLOWEST) * beyond
