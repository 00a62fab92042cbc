"""
Cal.com's throttle: a number of calls in a window, then a block that further calls do not extend.
"""

from dataclasses import dataclass
from math import ceil


@dataclass(slots=True)
class _Window:
    ends_at: float
    hits: int = 0
    blocked_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    Whether a call may pass, and what the headers of its answer say.
    """

    allowed: bool
    headers: dict[str, str]


class RateLimiter:
    """
    Count the calls of each key. A limit of 0 is none.
    """

    def __init__(self, *, limit: int, window_seconds: float = 60.0, block_seconds: float = 60.0) -> None:
        self.limit = limit
        self._window_seconds = window_seconds
        self._block_seconds = block_seconds
        self._windows: dict[str, _Window] = {}

    def hit(self, key: str, *, at: float) -> Verdict:
        """
        Count a call, made at a number of seconds on any steady clock.
        """
        if not self.limit:
            return Verdict(allowed=True, headers={})
        window = self._windows.get(key)
        if window is None or (window.blocked_until or window.ends_at) <= at:
            window = self._windows[key] = _Window(ends_at=at + self._window_seconds)
        if not window.blocked_until:
            window.hits += 1
            if window.hits > self.limit:
                window.blocked_until = at + self._block_seconds
        headers = {
            "X-RateLimit-Limit-Default": str(self.limit),
            "X-RateLimit-Remaining-Default": str(max(0, self.limit - window.hits)),
            "X-RateLimit-Reset-Default": str(ceil((window.blocked_until or window.ends_at) - at)),
        }
        return Verdict(allowed=not window.blocked_until, headers=headers)
