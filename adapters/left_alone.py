"""Leaving alone for a while what does not answer, and then having one caller try it for all."""

import time
from collections.abc import Callable

REST_SECONDS = 5.0
"""How long what failed is left alone; then one caller tries it, and all others follow if it answers."""


class LeftAlone:
    """Whether something is away, as its callers say, and who may try it; for one thread."""

    def __init__(self, *, rest: float = REST_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._until: float | None = None

    @property
    def is_away(self) -> bool:
        """Tell whether it has not answered since it was lost."""
        return self._until is not None

    def may_try(self) -> bool:
        """Tell whether a caller may try it now; while it is away one in each rest may."""
        if self._until is None:
            return True
        if self._clock() < self._until:
            return False
        # The others go on alone until this one knows.
        self._until = self._clock() + self._rest
        return True

    def lost(self) -> bool:
        """Note that it did not answer, and tell whether that is news."""
        is_news = self._until is None
        self._until = self._clock() + self._rest
        return is_news

    def found(self) -> bool:
        """Note that it answered, and tell whether that is news."""
        is_news = self._until is not None
        self._until = None
        return is_news
