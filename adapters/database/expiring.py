"""A small memory of what was read a moment ago."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from domain.errors import AppointmentError

K = TypeVar("K")
V = TypeVar("V")

LIMIT = 10_000
"""How many entries it holds before it forgets all of them, so that it cannot grow without end."""


class Expiring(Generic[K, V]):
    """Remember values for `seconds`."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[K, tuple[float, V]] = {}
        self._readings: dict[K, asyncio.Task[V]] = {}

    async def read(self, key: K, read: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """
        Return what is remembered, or else what `read` returns, once however many ask for it at the same time.

        It goes on when those who wait for it leave, for the sake of the next. What is forgotten meanwhile is not
        remembered, and whoever asks afterwards has it read anew.

        Raises:
            Exception: whatever `read` raises.

        """
        known = self.get(key)
        if known is not None:
            return known
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = asyncio.create_task(read())
            reading.add_done_callback(lambda done: self._remember(key, done))
        try:
            return await asyncio.shield(reading)
        except AppointmentError as error:
            # Each of them has a correlation id of their own.
            raise error.twin() from error

    def _remember(self, key: K, reading: asyncio.Task[V]) -> None:
        # Asked for in any case, because everybody who waited may have left.
        failed = reading.cancelled() or reading.exception() is not None
        if self._readings.get(key) is reading:
            del self._readings[key]
            if not failed:
                self.put(key, reading.result())

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
        self._readings.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._readings.clear()
