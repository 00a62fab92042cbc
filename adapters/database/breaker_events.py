"""The read model of the breakers' transitions, as it is in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from adapters.database.reading import Readers
from domain.breaker_words import Transition
from projections.breaker_event_pages import BreakerEventPage, list_breaker_events
from projections.breaker_transitions import transitions_since


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

        return await self._readers.answer(ask)


class StoredTransitions:
    """How breakers have moved, the fleet's and those of one process, the `instance`."""

    def __init__(self, *, engine: Engine, readers: Readers, instance: str) -> None:
        self._engine = engine
        self._readers = readers
        self._instance = instance

    async def since(self, start: datetime, *, shared: Mapping[str, bool]) -> Mapping[str, Sequence[Transition]]:
        """
        Return the transitions since an instant, by the breaker; `shared` says of each whether it is the fleet's.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """

        def ask() -> Mapping[str, Sequence[Transition]]:
            with self._engine.connect() as connection:
                return {
                    name: transitions_since(
                        connection, start, service=name, instance=None if is_shared else self._instance
                    )
                    for name, is_shared in shared.items()
                }

        return await self._readers.answer(ask)
