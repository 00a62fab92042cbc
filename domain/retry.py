"""When to try again: a pure function of how often it was tried (M11)."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from math import inf

from domain.full_fallback import FULL_FALLBACK

STEEPEST = 100
BREAKER_OPEN = "breaker_open"
NO_OUTCOME = "no_outcome"
"""Said of an attempt by whoever finds it without an outcome; who has asked Cal.com says another reason."""
HELD_BACK = frozenset({"rate_limited", BREAKER_OPEN, "bulkhead_full", "retry_budget", FULL_FALLBACK})
"""Why a request does not leave that says nothing of whether this one would have reached Cal.com."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """
    Exponential waits with jitter, in seconds.

    After the first call come `retries` more, after `first_delay`, then `multiplier`
    times as long each, up to `cap`; each wait differs by up to `jitter` (a share) so
    that a crowd that failed together does not come back together.
    """

    retries: int = 3
    first_delay: float = 1.0
    multiplier: float = 2.0
    jitter: float = 0.1
    cap: float = 900.0

    def __post_init__(self) -> None:
        """Refuse figures that cannot be meant."""
        # Written so that NaN, which compares as false, is refused as well.
        sane = 0 <= self.first_delay <= self.cap < inf and 1 <= self.multiplier <= STEEPEST and 0 <= self.jitter < 1
        if self.retries < 0 or not sane:
            msg = "a retry policy needs retries >= 0, 0 <= first_delay <= cap, 1 <= multiplier <= 100, 0 <= jitter < 1"
            raise ValueError(msg)

    def delay(self, failures: int, *, salt: str) -> timedelta:
        """
        Return the wait after the given number of failures, 1 or more.

        The jitter comes from `salt` (an attempt's id, say), so that a replay of the log
        computes the same waits.
        """
        # The exponent is bounded, since a float power overflows long before a day of retries is over.
        plain = min(self.first_delay * self.multiplier ** min(failures - 1, 64), self.cap)
        return timedelta(seconds=plain * (1 + self.jitter * (2 * _share(f"{salt}:{failures}") - 1)))

    def retry_after(self, failures: int, *, salt: str, asked_for: float | None = None) -> timedelta | None:
        """Return the wait before the next try, or None to give up."""
        return None if failures > self.retries else self.wait(failures, salt=salt, asked_for=asked_for)

    def wait(self, failures: int, *, salt: str, asked_for: float | None = None) -> timedelta:
        """Return the wait of `delay`, or what the far side asked for (seconds) if that is longer, never above `cap`."""
        asked = 0.0 if asked_for is None else max(0.0, min(asked_for, self.cap))
        return max(self.delay(failures, salt=salt), timedelta(seconds=asked))

    def queue(self, asked_for: float, *, salt: str) -> timedelta:
        """
        Return the wait of one in a crowd that was told (in seconds) when there is room again, never above `cap`.

        It is longer by up to `jitter`, never shorter, and the same however often the
        crowd was too large.
        """
        return timedelta(seconds=max(0.0, min(asked_for, self.cap)) * (1 + self.jitter * _share(salt)))


def _share(salt: str) -> float:
    return int.from_bytes(hashlib.blake2b(salt.encode(), digest_size=4).digest()) / 0xFFFFFFFF
