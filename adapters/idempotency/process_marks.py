"""The marks that this process keeps in its own memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

LIMIT = 50_000
"""How many marks are kept, a few hundred bytes each; the one that was longest of no use goes first."""


class ProcessMarks:
    """Remembers names, each for a time of its own."""

    def __init__(self, *, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def has(self, name: str) -> bool:
        """Tell whether the name was put here, and its time is not over."""
        until = self._until.get(name)
        if until is None:
            return False
        if self._clock() >= until:
            del self._until[name]
            return False
        self._until.move_to_end(name)
        return True

    def put(self, name: str, *, seconds: float) -> None:
        """Remember a name from now on."""
        self._until[name] = self._clock() + seconds
        self._until.move_to_end(name)
        if len(self._until) > self._limit:
            self._until.popitem(last=False)
