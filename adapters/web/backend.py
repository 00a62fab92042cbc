"""What the API calls, made from the application's parts."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from alembic.runtime.migration import MigrationContext

from adapters.database.due_counts import count_due
from adapters.database.sync_failures import StoredSyncFailures
from adapters.web.ports import Backend, Readiness
from domain.errors import AppointmentDatabaseError
from migrations import runner
from projections.booking_pages import BookingFilter, BookingPage, list_bookings

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.log.store import Store

PROBE_SECONDS = 3.0


def backend_over(application: "Application") -> Backend:
    """Return the backend that an open application is."""
    directory = application.directory
    return Backend(
        bookings=application.orchestrator,
        streams=application.store.log,
        list=StoredBookings(application.store),
        sync_failures=StoredSyncFailures(engine=application.store.engine, readers=application.store.readers),
        repairs=application.repairs,
        keys=directory.keys,
        services=directory.services,
        customers=directory.customers,
        availability=application.availability,
        alternatives=application.alternatives,
        companies=directory.companies,
        inbox=application.inbox,
        probes=StoreProbes(application.store),
        metrics=application.metrics,
        breakers=application.resilience.breakers,
        standings=application.resilience.breakers,
        snapshots=application.resilience.kept,
        failures=application.resilience.failures,
    )


@dataclass(frozen=True, slots=True)
class StoredBookings:
    """The read model of bookings, as it is in the database."""

    store: "Store"

    async def page(self, wanted: BookingFilter, *, limit: int, cursor: str | None) -> BookingPage:
        """
        Return a page of bookings, by start.

        Raises:
            ValueError: the cursor was not handed out for this filter.
            AppointmentDatabaseError: the database did not answer.

        """
        head = await self.store.log.head()

        def ask() -> BookingPage:
            with self.store.engine.connect() as connection:
                return list_bookings(connection, wanted, head=head, limit=limit, cursor=cursor)

        return await self.store.readers.run(ask)


@dataclass(frozen=True, slots=True)
class StoreProbes:
    """What can be seen of the database: whether it answers, fits, takes writes, and has its due work done."""

    store: "Store"

    async def readiness(self) -> Readiness:
        """Return whether requests can be served, within `PROBE_SECONDS`."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await self.store.readers.run(self._look)
        except (AppointmentDatabaseError, TimeoutError):
            return Readiness(problem="the database does not answer", overdue=timedelta(0))

    def _look(self) -> Readiness:
        with self.store.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            if found != _needed():
                problem = f"the database is at revision {found}, not at {_needed()}: run `calsaga migrate`"
                return Readiness(problem=problem, overdue=timedelta(0))
        counts = count_due(self.store.engine, self.store.clock.now())
        refusing = "the database is read-only: nothing can be booked" if counts.read_only else None
        return Readiness(problem=refusing, overdue=counts.oldest or timedelta(0))


@cache
def _needed() -> str:
    return runner.newest()
