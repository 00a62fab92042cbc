"""Finding out whether the database is well again, so that no caller has to wait for that."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from adapters.breakers.watched import WatchedBreaker
from domain.errors import AppointmentDatabaseError

BETWEEN_PROBES = 0.2
LONGEST_PAUSE = 5.0


class DatabaseRecovery:
    """
    Sends a cheap read whenever one may be heard, from the moment the breaker opens until it is closed.

    `ping` sends it, and what comes of it reaches the breaker as that of every other call does.
    """

    def __init__(self, breaker: WatchedBreaker, *, ping: Callable[[], Awaitable[object]]) -> None:
        self._breaker = breaker
        self._ping = ping

    async def run(self) -> None:
        """Wait for it to open, until cancelled."""
        while True:
            await self._breaker.opened.wait()
            while (refusal := self._breaker.held_back()) is not None:
                wait = LONGEST_PAUSE if refusal.reason == "manual" else refusal.retry_after or 0.0
                await asyncio.sleep(min(max(wait, BETWEEN_PROBES), LONGEST_PAUSE))
                with suppress(AppointmentDatabaseError):
                    await self._ping()
            self._breaker.opened.clear()
