"""Whether this process can serve: whether its database answers, fits, takes writes, and has its due work done."""

import asyncio
from dataclasses import dataclass
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
OVERDUE = timedelta(seconds=30)
NO_ANSWER = "the database does not answer"


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


@dataclass(frozen=True, slots=True)
class StoreProbes:
    """What can be seen of the database."""

    store: "Store"

    async def readiness(self) -> Readiness:
        """Return whether requests can be served, within `PROBE_SECONDS`."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await self.store.readers.run(self._look)
        except (AppointmentDatabaseError, TimeoutError):
            return Readiness(problem=NO_ANSWER)

    def _look(self) -> Readiness:
        with self.store.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            if found != _needed():
                return Readiness(
                    problem=f"the database is at revision {found}, not at {_needed()}: run `calsaga migrate`"
                )
        return _readiness(count_due(self.store.engine, self.store.clock.now()))


def _readiness(counts: DueCounts) -> Readiness:
    refusing = "the database is read-only: nothing can be booked" if counts.read_only else None
    return Readiness(problem=refusing, overdue=counts.oldest or timedelta(0), due=counts.due)


@cache
def _needed() -> str:
    return runner.newest()
