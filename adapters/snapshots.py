"""How everything stands, kept once a minute by one process of the whole fleet (M10)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from adapters.breakers.documents import kept_document
from adapters.breakers.registry import Look
from adapters.database.passes import Passes
from adapters.database.snapshots import KeptSnapshot, Snapshots
from domain.errors import AppointmentDatabaseError
from sagas.ports import Clock

log = logging.getLogger("calsaga.snapshots")
NAME = "snapshots"
EVERY = timedelta(minutes=1)


class SnapshotRunner:
    """
    Keeps a snapshot a minute, for `keep`; `run` ends when it is cancelled.

    What is each process's own is that of the process whose turn it was.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Look]],
        *,
        passes: Passes,
        snapshots: Snapshots,
        clock: Clock,
        keep: timedelta,
    ) -> None:
        self._look = look
        self._passes = passes
        self._snapshots = snapshots
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """Keep one whenever no process has for a minute."""
        while True:
            await asyncio.sleep((await self._pause()).total_seconds())
            try:
                await self.take_turn()
            except AppointmentDatabaseError as error:
                log.info("snapshot.left", extra=error.as_log())

    async def take_turn(self) -> bool:
        """
        Keep a snapshot if it is this process's turn, and tell whether it was.

        Raises:
            AppointmentDatabaseError: the database did not take it; this minute has none.

        """
        if not await self._passes.begin(every=EVERY):
            return False
        look = await self._look()
        now = self._clock.now()
        kept = KeptSnapshot(at=now, verdict=look.assessment.verdict, document=kept_document(look))
        await self._snapshots.keep(kept, forget_before=now - self._keep)
        return True

    async def _pause(self) -> timedelta:
        try:
            return await self._passes.until_next(every=EVERY)
        except AppointmentDatabaseError:
            return EVERY
