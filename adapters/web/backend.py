"""What the API calls, made from the application's parts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.database.breaker_events import StoredBreakerEvents
from adapters.database.queue import RetryQueue
from adapters.database.sync_failures import StoredSyncFailures
from adapters.health.readiness import StoreProbes
from adapters.web.ports import Backend
from adapters.web.recent import breaker_states, redis_check
from projections.booking_pages import BookingFilter, BookingPage, list_bookings

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.log.store import Store


def backend_over(application: "Application", *, limited: bool = False) -> Backend:
    """Return the backend that an open application is; `limited` if callers are held to its rate limits."""
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
        health=application.health.seen,
        metrics=application.metrics,
        breakers=application.resilience.breakers,
        fallback=application.resilience.fallback,
        rungs=application.resilience.rungs,
        queue=RetryQueue(
            engine=application.store.engine, readers=application.store.readers, decoded=application.store.log.decoded
        ),
        standings=application.resilience.breakers,
        breaker_states=breaker_states(application.resilience.breakers),
        redis=redis_check(application.health.seen),
        snapshots=application.resilience.kept,
        failures=application.resilience.failures,
        measures=application.resilience.levels.measures,
        alerts=application.resilience.levels.alerts,
        alert_figures=application.resilience.levels.alert_figures,
        limiter=application.resilience.limiter if limited else None,
        answered=application.calls.answered,
        breaker_events=StoredBreakerEvents(engine=application.store.engine, readers=application.store.readers),
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

        return await self.store.readers.answer(ask)
