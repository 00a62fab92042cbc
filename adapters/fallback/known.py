"""What this process knows of full fallback, for whoever cannot wait for an answer."""

import time
from collections.abc import Callable
from datetime import datetime

from domain.full_fallback import FullFallbackBegun


class KnownFallback:
    """
    The last that was heard, which holds until it expires, also while the database is away.

    It is counted on this process's own clock, so that looking at it asks nobody.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._held: FullFallbackBegun | None = None

    def learn(self, held: FullFallbackBegun | None, *, now: datetime) -> None:
        """Take note of what holds, by the database's time; None if nothing does."""
        self._held = held
        self._until = 0.0 if held is None else self._clock() + (held.expires_at - now).total_seconds()

    @property
    def held(self) -> FullFallbackBegun | None:
        """Return what holds, as far as is known here."""
        return None if self.seconds_left is None else self._held

    @property
    def seconds_left(self) -> float | None:
        """Return for how long full fallback holds, at most; None if it does not."""
        left = self._until - self._clock()
        return left if left > 0 else None
