"""
How much one key, and one company, may ask for in this process (M37).

Each has a bucket that fills at a steady rate, kept as the one moment at which it will
be full again (GCRA); a bucket that is full is forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`per_second` requests in the long run, `burst` at once."""

    per_second: float
    burst: int

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError("a rate limit lets at least one request through")


class RateLimiter:
    """Counts requests by name; names are those of keys and companies, never of what callers make up."""

    def __init__(self, limit: RateLimit, *, clock: Callable[[], float] = monotonic) -> None:
        self._interval = 1 / limit.per_second
        self._tolerance = self._interval * limit.burst
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, name: str) -> float:
        """Take one request from the bucket, and return 0, or in how many seconds there will be one."""
        now = self._clock()
        full_at = max(self._full_at.get(name, now), now) + self._interval
        wait = full_at - now - self._tolerance
        if wait > 1e-9:  # noqa: PLR2004 - what floating point adds, not what a caller waits
            return wait
        if len(self._full_at) >= MOST_BUCKETS:
            self._full_at = {other: moment for other, moment in self._full_at.items() if moment > now}
        self._full_at[name] = full_at
        return 0
