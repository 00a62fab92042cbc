"""Old rows about how services did are deleted once an hour, by one process of the whole fleet."""

import asyncio
from datetime import timedelta

import structlog

from adapters.database.passes import Passes
from adapters.database.pruning import Pruning
from domain.errors import AppointmentDatabaseError
from sagas.ports import Clock

NAME = "pruning"
EVERY = timedelta(hours=1)
_log = structlog.get_logger("calsaga.pruning")


class PruningRunner:
    """Deletes what is older than `keep`; `run` ends when it is cancelled."""

    def __init__(self, pruning: Pruning, passes: Passes, *, clock: Clock, keep: timedelta) -> None:
        self._pruning = pruning
        self._passes = passes
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """Delete whenever no process has for an hour."""
        while True:
            try:
                await asyncio.sleep((await self._passes.until_next(every=EVERY)).total_seconds())
                await self.take_turn()
            except AppointmentDatabaseError as error:
                _log.info("pruning.left", **error.as_log())
                await asyncio.sleep(EVERY.total_seconds())

    async def take_turn(self) -> bool:
        """
        Delete if it is this process's turn, and tell whether it was.

        Raises:
            AppointmentDatabaseError: the database did not take it; the next turn does it.

        """
        if not await self._passes.begin(every=EVERY):
            return False
        await self._pruning.prune(before=self._clock.now() - self._keep)
        return True
