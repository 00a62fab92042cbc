"""
How many retries a dependency gets: a share of its calls, so that retries do not multiply an outage.

A token bucket, as in Finagle and gRPC: each call puts a share of a token in, time a few more so that whoever calls
seldom may try again, too, and each retry takes one out. In any span of `t` seconds with `n` calls there are no more
than `at_once + share * n + per_second * t` retries.

Each process has its own, as there: the shares of all add up to the same share of all calls, `per_second` is each one's.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic

SHARE = 0.2
PER_SECOND = 10.0
SECONDS_AT_ONCE = 2.0


class RetryBudget:
    """One dependency's budget in this process; may be used from several threads."""

    def __init__(
        self,
        *,
        share: float = SHARE,
        per_second: float = PER_SECOND,
        at_once: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`at_once` is how many retries may be saved up: without it, those of two seconds, and one at least."""
        if not (0 <= share <= 1 and per_second >= 0):
            raise ValueError("a retry budget needs 0 <= share <= 1 and per_second >= 0")
        self._share = share
        self._per_second = per_second
        self._most = max(per_second * SECONDS_AT_ONCE, 1.0) if at_once is None else at_once
        self._clock = clock
        self._lock = Lock()
        self._tokens = self._most
        self._filled_at = clock()

    def called(self) -> None:
        """Take note of a call that is no retry."""
        with self._lock:
            self._fill(self._share)

    def may_retry(self) -> bool:
        """Spend one retry, if there is one."""
        with self._lock:
            self._fill(0)
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def wait(self) -> float | None:
        """Return in how many seconds there is one again, without any call; None if only calls bring one."""
        with self._lock:
            self._fill(0)
            if self._tokens >= 1:
                return 0.0
            return (1 - self._tokens) / self._per_second if self._per_second else None

    def _fill(self, more: float) -> None:
        now = self._clock()
        more += (now - self._filled_at) * self._per_second
        self._filled_at = now
        self._tokens = min(self._tokens + more, self._most)
