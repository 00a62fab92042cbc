"""Finding out whether Cal.com accepts a rejected key again, so that no booking has to be the first to try."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from domain.errors import AppointmentDatabaseError


class KeyTrials:
    """Has every rejected key tried once in `seconds`, by this process for itself; `try_rejected` sends the reads."""

    def __init__(self, try_rejected: Callable[[], Awaitable[Sequence[str]]], *, seconds: float) -> None:
        self._try_rejected = try_rejected
        self._seconds = seconds

    async def run(self) -> None:
        """Try, and wait, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            with suppress(AppointmentDatabaseError):
                await self._try_rejected()
