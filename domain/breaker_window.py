"""
What a breaker remembers of the calls that have ended lately.

Time is cut into numbered buckets. Those of a whole window are kept besides the one that
is being filled, so that no call is forgotten before its time, and none is kept longer
than one bucket more.
"""

from dataclasses import dataclass
from functools import reduce

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Calls that were counted, those of them that failed or were slow, and the instances that had one of these."""

    calls: int = 0
    failed: int = 0
    slow: int = 0
    troubled: frozenset[str] = frozenset()

    def plus(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(
            calls=self.calls + other.calls,
            failed=self.failed + other.failed,
            slow=self.slow + other.slow,
            troubled=self.troubled | other.troubled if other.troubled else self.troubled,
        )

    def trigger(self, policy: BreakerPolicy, *, overdue: int) -> Trigger | None:
        """Say what of this opens a breaker, if `overdue` more calls are under way that are slow already."""
        if len(self.troubled) < policy.quorum:
            return None
        if self.failed >= policy.failure_threshold and self.calls < policy.rate_from:
            return "failures"
        if self.calls >= policy.minimum_calls and self.failed >= policy.failure_rate * self.calls:
            return "failure_rate"
        ended_or_overdue = self.calls + overdue
        if ended_or_overdue >= policy.minimum_calls and self.slow + overdue >= policy.slow_rate * ended_or_overdue:
            return "slow_calls"
        return None


NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Window:
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
