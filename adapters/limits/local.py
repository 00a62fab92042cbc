"""
The buckets of one process.

Each fills at a steady rate, and is kept as the one moment at which it will be full again (GCRA); a bucket that is
full is forgotten.
"""

from collections.abc import Callable
from time import monotonic

from adapters.limits.ports import Bucket, Exceeded, Limits, Names

MOST_BUCKETS = 10_000
_ROUNDING = 1e-9
"""What floating point adds, in seconds: nothing that a caller waits for."""


class LocalLimiter:
    """Counts the requests that this process takes."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._full_at: dict[Bucket, float] = {}

    async def take(self, names: Names) -> Exceeded | None:
        """Take a token out of each bucket of whoever asks, or tell why not."""
        return self.take_now(names)

    def take_now(self, names: Names) -> Exceeded | None:
        """Take a token out of each bucket of whoever asks, or none at all, and tell why not."""
        now = self._clock()
        taken: dict[Bucket, float] = {}
        for kind, limit in self._limits.items():
            bucket, interval = (kind, names[kind]), 1 / limit.per_second
            full_at = max(self._full_at.get(bucket, now), now) + interval
            wait = full_at - now - interval * limit.burst
            if wait > _ROUNDING:
                return Exceeded(kind=kind, limit=limit, wait=wait)
            taken[bucket] = full_at
        if len(self._full_at) >= MOST_BUCKETS:
            self._full_at = {other: moment for other, moment in self._full_at.items() if moment > now}
        self._full_at |= taken
        return None
