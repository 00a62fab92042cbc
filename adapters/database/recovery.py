"""Finding out whether the database is well again, so that no caller has to wait for that."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from adapters.breakers.watched import WatchedBreaker
from adapters.database.outcomes import CallListener
from domain.errors import AppointmentDatabaseError

BETWEEN_PROBES = 0.2
LONGEST_PAUSE = 5.0


class DatabaseRecovery:
    """
    Makes a small write whenever one may be heard, from the moment the breaker opens until it is closed.

    `write` makes it; where it fails, the breaker hears of that as of every other call, and that it went well is
    told to `listener`.
    """

    def __init__(
        self, breaker: WatchedBreaker, *, write: Callable[[], Awaitable[object]], listener: CallListener
    ) -> None:
        self._breaker = breaker
        self._write = write
        self._listener = listener

    async def run(self) -> None:
        """Wait for it to open, until cancelled."""
        while True:
            await self._breaker.opened.wait()
            while (refusal := self._breaker.held_back()) is not None:
                wait = LONGEST_PAUSE if refusal.reason == "manual" else refusal.retry_after or 0.0
                await asyncio.sleep(min(max(wait, BETWEEN_PROBES), LONGEST_PAUSE))
                with suppress(AppointmentDatabaseError):
                    await self._write()
                    self._listener(None, wrote=True)
            self._breaker.opened.clear()
