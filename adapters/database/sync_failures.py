"""The read model of sync failures, as it is in the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, func, select

from adapters.database.reading import Readers
from domain.spike import BEFORE, LATELY, Found
from projections.failures import SyncFailure
from projections.sync_failure_pages import FailureFilter, FailurePage, find_failure, list_failures
from projections.tables import sync_failures


class StoredSyncFailures:
    """Lists and finds sync failures; what has happened a moment ago may not be among them yet."""

    def __init__(self, *, engine: Engine, readers: Readers) -> None:
        self._engine = engine
        self._readers = readers

    async def page(self, wanted: FailureFilter, *, limit: int, cursor: str | None) -> FailurePage:
        """
        Return a page of a company's sync failures, the newest first.

        Raises:
            ValueError: the cursor was not handed out for this filter.
            AppointmentDatabaseError: the database did not answer.

        """

        def ask() -> FailurePage:
            with self._engine.connect() as connection:
                return list_failures(connection, wanted, limit=limit, cursor=cursor)

        return await self._readers.answer(ask)

    async def found(self, *, now: datetime) -> Found:
        """
        Return how many sync failures of all companies were found lately, and how many before; walk-ins are none.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        c = sync_failures.c
        lately = now - LATELY
        query = select(func.count().filter(c.created_at > lately), func.count().filter(c.created_at <= lately)).where(
            c.created_at > lately - BEFORE, c.failure_type != "foreign_booking"
        )

        def ask() -> Found:
            with self._engine.connect() as connection:
                counted = connection.execute(query).one()
            return Found(lately=counted[0], before=counted[1])

        return await self._readers.run(ask)

    async def find(self, failure_id: UUID, *, company_id: str) -> SyncFailure | None:
        """
        Return a sync failure of the company, or None if it has no such one.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """

        def ask() -> SyncFailure | None:
            with self._engine.connect() as connection:
                return find_failure(connection, failure_id, company_id=company_id)

        return await self._readers.answer(ask)
