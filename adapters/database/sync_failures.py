"""The read model of sync failures, as it is in the database."""

from uuid import UUID

from sqlalchemy import Engine

from adapters.database.reading import Readers
from projections.failures import SyncFailure
from projections.sync_failure_pages import FailureFilter, FailurePage, find_failure, list_failures


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
