"""
What one API key may still ask for, read from the headers of its answers.

Cal.com API v2: 120 requests in 60 s for a key, then a block of 60 s that further calls
do not extend. Every answer carries `X-RateLimit-Limit-*`, `-Remaining-*` and `-Reset-*`
(seconds left, rounded up), one set for each limit that the key has.
"""

from collections.abc import Callable, Mapping
from math import ceil

BLOCK_SECONDS = 60.0
_LONGEST_WAIT = 3600.0
# The headers give whole seconds, rounded up, so two answers of one window can differ by that much.
_SAME_WINDOW = 2.0
_REMAINING = "x-ratelimit-remaining-"


class RateLimit:
    """
    Hold calls back that would hit the limit.

    The last `reserve` (a share of the limit) is kept for looks and compensations.
    Several processes share a key through what the headers say.
    """

    def __init__(self, *, clock: Callable[[], float], reserve: float) -> None:
        self._clock = clock
        self._reserve = reserve
        self._limit = 0
        self._remaining = 0
        self._resets_at = 0.0
        self._blocked_until = 0.0
        self._under_way = 0

    def wait(self, *, spends_reserve: bool) -> float | None:
        """Return for how many seconds a call must be held back, or None if it may go."""
        now = self._clock()
        if now < self._blocked_until:
            return self._blocked_until - now
        if not self._limit or now >= self._resets_at:
            return None
        kept = 0 if spends_reserve else ceil(self._limit * self._reserve)
        return self._resets_at - now if self._remaining <= kept else None

    def begin(self) -> None:
        """Note that a call goes out, since the headers know it only when it is answered."""
        self._under_way += 1
        self._remaining -= 1

    def end(self) -> None:
        """Note that a call is over, answered or not."""
        self._under_way -= 1

    def note(self, headers: Mapping[str, str]) -> None:
        """Read what an answer says about the limit."""
        told = _loosest(headers)
        if told is None:
            return
        limit, remaining, reset = told
        resets_at = self._clock() + reset
        if resets_at < self._resets_at - _SAME_WINDOW:
            return
        if resets_at > self._resets_at + _SAME_WINDOW or limit != self._limit:
            # The first answer of a window does not count those that are still on their way.
            self._remaining = remaining - self._under_way
        else:
            self._remaining = min(self._remaining, remaining)
        self._limit, self._resets_at = limit, resets_at

    def block(self, seconds: float) -> None:
        """Hold everything back for a while, as Cal.com asked."""
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds an answer asks to wait, if it says so."""
    asked = _seconds(headers.get("retry-after"))
    if asked is not None:
        return asked
    told = _loosest(headers)
    return None if told is None else told[2]


def _loosest(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    # With several limits Cal.com refuses a call only when all of them are used up.
    remaining = headers.get(f"{_REMAINING}default")
    if remaining is not None:
        return _read(headers, "default", remaining)
    names = [name.lower().removeprefix(_REMAINING) for name in headers if name.lower().startswith(_REMAINING)]
    found = [told for name in names if (told := _read(headers, name, headers.get(f"{_REMAINING}{name}")))]
    return max(found, key=lambda told: told[1], default=None)


def _read(headers: Mapping[str, str], name: str, remaining: str | None) -> tuple[int, int, float] | None:
    limit, left = _seconds(headers.get(f"x-ratelimit-limit-{name}")), _seconds(remaining)
    reset = _seconds(headers.get(f"x-ratelimit-reset-{name}"))
    if limit is None or left is None or reset is None:
        return None
    return int(limit), int(left), min(reset, _LONGEST_WAIT)


def _seconds(text: str | None) -> float | None:
    # Digits alone, and few: a date or a word is no promise that can be kept to the second.
    if text is None or not text.isascii() or not text.isdigit() or len(text) > len("1000000000"):
        return None
    return float(text)
