"""Whether this process can serve: whether its database answers, fits, takes writes, and has its due work done."""

import asyncio
import sqlite3
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from alembic.runtime.migration import MigrationContext

from adapters.database.due_counts import DueCounts, count_due
from domain.errors import AppointmentDatabaseError
from migrations import runner

if TYPE_CHECKING:
    from adapters.log.store import Store

PROBE_SECONDS = 3.0
LEFT_ALONE_SECONDS = 0.25
"""How long is waited while callers are kept from the database anyway, for it to say more than nothing."""
OVERDUE = timedelta(seconds=30)
NO_ANSWER = "the database does not answer"
GONE = "the database's file was deleted or replaced: restart calsaga with the one that is to be used"
LEFT_ALONE = "the database has failed lately, and is left alone until it has taken a write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """
    `problem` is why nothing can be served; `due` and `overdue` are how much work waits, and the oldest for how long.
    """

    problem: str | None
    overdue: timedelta = timedelta(0)
    due: int = 0

    @property
    def unclaimed(self) -> str | None:
        """Say that due work is not being claimed, if it is not."""
        if self.overdue <= OVERDUE:
            return None
        seconds = round(self.overdue.total_seconds())
        return f"due work is not being claimed: the oldest has waited {seconds} s; start `calsaga worker`"


class StoreProbes:
    """What can be seen of the database; who asks while somebody looks is told what they see."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._looking: asyncio.Future[Readiness] | None = None

    async def readiness(self) -> Readiness:
        """Return whether requests can be served, within `PROBE_SECONDS`."""
        left_alone = self._store.outcomes.held_back() is not None
        if self._looking is None or self._looking.done():
            # Nobody has to wait for it to the end, and another one would hang beside it.
            self._looking = asyncio.ensure_future(self._looked())
        try:
            async with asyncio.timeout(LEFT_ALONE_SECONDS if left_alone else PROBE_SECONDS):
                seen = await asyncio.shield(self._looking)
        except TimeoutError:
            return Readiness(problem=NO_ANSWER)
        return replace(seen, problem=seen.problem or LEFT_ALONE) if left_alone else seen

    async def _looked(self) -> Readiness:
        try:
            return await self._store.readers.run(self._look)
        except AppointmentDatabaseError:
            return Readiness(problem=NO_ANSWER)

    def _look(self) -> Readiness:
        try:
            self._store.check()
        except sqlite3.OperationalError:
            return Readiness(problem=GONE)
        with self._store.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            if found != _needed():
                return Readiness(
                    problem=f"the database is at revision {found}, not at {_needed()}: run `calsaga migrate`"
                )
        return _readiness(count_due(self._store.engine, self._store.clock.now()))


def _readiness(counts: DueCounts) -> Readiness:
    refusing = "the database is read-only: nothing can be booked" if counts.read_only else None
    return Readiness(problem=refusing, overdue=counts.oldest or timedelta(0), due=counts.due)


@cache
def _needed() -> str:
    return runner.newest()
