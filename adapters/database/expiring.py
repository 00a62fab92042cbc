"""A small memory of what was read a moment ago."""

import time
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

LIMIT = 10_000
"""How many entries it holds before it forgets all of them, so that it cannot grow without end."""


class Expiring(Generic[K, V]):
    """Remember values for `seconds`."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Return what is remembered, or None."""
        until, value = self._known.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: K, value: V) -> None:
        """Remember a value from now on."""
        if len(self._known) >= LIMIT:
            self._known.clear()
        self._known[key] = (time.monotonic() + self._seconds, value)

    def forget(self, key: K) -> None:
        """Forget one."""
        self._known.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
