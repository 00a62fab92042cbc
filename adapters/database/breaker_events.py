"""The read model of the breakers' transitions, as it is in the database."""

from sqlalchemy import Engine

from adapters.database.reading import Readers
from projections.breaker_event_pages import BreakerEventPage, list_breaker_events


class StoredBreakerEvents:
    """Lists transitions; what has happened a moment ago may not be among them yet."""

    def __init__(self, *, engine: Engine, readers: Readers) -> None:
        self._engine = engine
        self._readers = readers

    async def page(self, *, service: str | None, limit: int, cursor: str | None) -> BreakerEventPage:
        """
        Return a page of the transitions of one breaker, or of all, the newest first.

        Raises:
            ValueError: the cursor was not handed out for this breaker.
            AppointmentDatabaseError: the database did not answer.

        """

        def ask() -> BreakerEventPage:
            with self._engine.connect() as connection:
                return list_breaker_events(connection, service=service, limit=limit, cursor=cursor)

        return await self._readers.run(ask)
