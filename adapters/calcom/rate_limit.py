"""
What one API key may still ask for, read from the headers of its answers.

Cal.com API v2: 120 requests in 60 s for a key, then a block of 60 s that further calls
do not extend. Every answer carries `X-RateLimit-Limit-*`, `-Remaining-*` and `-Reset-*`
(seconds left, rounded up), one set for each limit that the key has.
"""

from collections.abc import Callable, Mapping
from math import ceil, inf

from adapters.resilience.http_answers import LONGEST_WAIT, whole_seconds

BLOCK_SECONDS = 60.0
ASSUMED_LIMIT = 120
"""What a key may ask for at least; more is not under way before its first answer has told."""
UNTIL_TOLD = 1.0
"""How many seconds the others wait for that."""
LONGEST_UNDER_WAY = 15.0
"""Seconds after which a call that was sent has arrived, or never will."""
_REMAINING = "x-ratelimit-remaining-"


class RateLimit:
    """
    Hold calls back that would hit the limit.

    The last `reserve` (a share of the limit) is kept for looks and compensations. A key that one process uses alone
    never goes over its limit; several processes share a key through what the headers say.

    When a window ends is known from the headers as a span, since an answer takes its time and gives whole seconds.
    """

    def __init__(self, *, clock: Callable[[], float], reserve: float) -> None:
        self._clock = clock
        self._reserve = reserve
        self._told = False
        self._limit = 0
        self._remaining = 0
        self._ends_after = -inf
        self._ends_by = -inf
        self._is_assumed = False
        self._blocked_until = 0.0
        self._under_way = 0

    def wait(self, *, spends_reserve: bool) -> float | None:
        """Return for how many seconds a call must be held back, or None if it may go."""
        now = self._clock()
        if now < self._blocked_until:
            return self._blocked_until - now
        limit = self._limit if self._told else ASSUMED_LIMIT
        if not limit:
            return None
        if now >= self._ends_by:
            # Those who have waited for the next window must not go over it before its first answer is there.
            self._remaining = limit - self._under_way
            self._ends_after, self._ends_by, self._is_assumed = now, inf, True
        kept = 0 if spends_reserve else ceil(limit * self._reserve)
        if self._remaining > kept:
            return None
        return min(self._ends_by - now, BLOCK_SECONDS) if self._told else UNTIL_TOLD

    def begin(self) -> float:
        """Note that a call goes out, since the headers know it only when it is answered, and return when that was."""
        now = self._clock()
        self._under_way += 1
        self._remaining -= 1
        if self._ends_by == inf:
            # Its first call begins it, whenever that arrives.
            self._ends_by = now + BLOCK_SECONDS + LONGEST_UNDER_WAY
        return now

    def end(self) -> None:
        """Note that a call is over, answered or not."""
        self._under_way -= 1

    def note(self, headers: Mapping[str, str], *, sent_at: float) -> None:
        """Read what the answer to a call, which is over, says about the limit."""
        known, self._told = self._told, True
        told = _loosest(headers)
        if told is None:
            return
        limit, remaining, reset = told
        # Rounded up, and told at some moment between the call and now.
        ends_after, ends_by = sent_at + reset - 1, self._clock() + reset
        if not known or limit != self._limit or ends_after >= self._ends_by:
            # The first answer of a window does not count those that are still on their way.
            self._remaining = remaining - self._under_way
            self._ends_after, self._ends_by = ends_after, ends_by
        elif ends_after >= self._ends_after or (not self._is_assumed and ends_by > self._ends_after):
            self._remaining = min(self._remaining, remaining)
            self._ends_after, self._ends_by = max(ends_after, self._ends_after), min(ends_by, self._ends_by)
        else:
            return
        self._limit, self._is_assumed = limit, False

    def block(self, seconds: float) -> None:
        """Hold everything back for a while, as Cal.com asked."""
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds an answer asks to wait, if it says so."""
    asked = whole_seconds(headers.get("retry-after"))
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
    limit, left = whole_seconds(headers.get(f"x-ratelimit-limit-{name}")), whole_seconds(remaining)
    reset = whole_seconds(headers.get(f"x-ratelimit-reset-{name}"))
    if limit is None or left is None or reset is None:
        return None
    return int(limit), int(left), min(reset, LONGEST_WAIT)
