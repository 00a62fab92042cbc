"""
What a breaker remembers of the calls that have ended lately.

Time is cut into numbered buckets. Those of a whole window are kept besides the one that
is being filled, so that no call is forgotten before its time, and none is kept longer
than one bucket more.
"""

from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple, TypeAlias

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Trigger

Counts: TypeAlias = Mapping[str, int]
"""Calls by the instance that made them."""
NONE: Counts = {}


class Tally(NamedTuple):
    """Calls that were counted, those of them that failed or were slow, and whose these were."""

    calls: int = 0
    failed: int = 0
    slow: int = 0
    failed_by: Counts = NONE
    slow_by: Counts = NONE

    def plus(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(
            calls=self.calls + other.calls,
            failed=self.failed + other.failed,
            slow=self.slow + other.slow,
            failed_by=_added(self.failed_by, other.failed_by),
            slow_by=_added(self.slow_by, other.slow_by),
        )

    def trigger(self, policy: BreakerPolicy, *, overdue: Counts) -> Trigger | None:
        """Say what of this opens a breaker, if there are calls under way besides that are slow already."""
        if not self.failed and not self.slow and not overdue:
            return None
        failed = _heard(self.failed_by, policy.quorum)
        calls = self.calls - self.failed + failed
        if failed >= policy.failure_threshold and calls < policy.rate_from:
            return "failures"
        if calls >= policy.minimum_calls and failed >= policy.failure_rate * calls:
            return "failure_rate"
        slow = _heard(_added(self.slow_by, overdue), policy.quorum)
        calls = self.calls - self.slow + slow
        if calls >= policy.minimum_calls and slow >= policy.slow_rate * calls:
            return "slow_calls"
        return None


def _added(some: Counts, others: Counts) -> Counts:
    if not others:
        return some
    return {**some, **{instance: some.get(instance, 0) + count for instance, count in others.items()}}


def _heard(counts: Counts, quorum: int) -> int:
    """Return how many of these calls count: of each instance as many as of the `quorum`-th worst, at most."""
    if len(counts) < quorum:
        return 0
    most = sorted(counts.values(), reverse=True)[quorum - 1]
    return sum(min(count, most) for count in counts.values())


NOTHING = Tally()
WELL = Tally(calls=1)
"""One call that neither failed nor was slow."""


class Window(NamedTuple):
    """Tallies by the number of their bucket, the oldest first, and all of them together."""

    buckets: tuple[tuple[int, Tally], ...] = ()
    total: Tally = NOTHING

    def add(self, tally: Tally, policy: BreakerPolicy, *, now: float) -> "Window":
        """Return the window with this counted now, and without what is too old."""
        number = policy.bucket_of(now)
        kept = self._until(number, policy)
        buckets, total = kept.buckets, kept.total.plus(tally)
        if buckets and buckets[-1][0] == number:
            return Window((*buckets[:-1], (number, buckets[-1][1].plus(tally))), total)
        return Window((*buckets, (number, tally)), total)

    def tally(self, policy: BreakerPolicy, *, now: float) -> Tally:
        """Return all that it holds."""
        return self._until(policy.bucket_of(now), policy).total

    def _until(self, number: int, policy: BreakerPolicy) -> "Window":
        oldest = number - policy.buckets
        if not self.buckets or self.buckets[0][0] >= oldest:
            return self
        kept = tuple(bucket for bucket in self.buckets if bucket[0] >= oldest)
        return Window(kept, reduce(Tally.plus, (tally for _, tally in kept), NOTHING))


EMPTY = Window()
