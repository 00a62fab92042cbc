"""How near a closed breaker is to opening, so that people hear of it before it does."""

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Snapshot

NEAR = 0.6
"""From which share of what opens a breaker on it is near; three of five failures, by the defaults."""


def pressure(snapshot: Snapshot, policy: BreakerPolicy) -> float:
    """
    Return how much of what would open a breaker its window holds: 0 is nothing, from 1 on it opens.

    It is the part of whatever is furthest: the failures, their share, or that of slow calls. A share counts for as
    much as the calls that it is a share of: half of the calls that are needed make half of it. A breaker that is
    not closed has none.
    """
    if snapshot.state != "closed":
        return 0.0
    calls = snapshot.failures + snapshot.successes
    found = [0.0]
    if calls < policy.rate_from:
        found.append(snapshot.failures / policy.failure_threshold)
    if calls:
        weight = min(calls / policy.minimum_calls, 1.0)
        found += [
            weight * snapshot.failures / calls / policy.failure_rate,
            weight * snapshot.slow / calls / policy.slow_rate,
        ]
    return max(found)
