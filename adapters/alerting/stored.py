"""The read model of alerts, as it is in the database."""

from collections.abc import Sequence

from sqlalchemy import Engine

from adapters.database.reading import Readers
from domain.alert import Alert
from projections.alerts import latest_alerts, list_alerts


class StoredAlerts:
    """Lists alerts; what has happened a moment ago may not be among them yet."""

    def __init__(self, *, engine: Engine, readers: Readers) -> None:
        self._engine = engine
        self._readers = readers

    async def latest(self) -> Sequence[Alert]:
        """
        Return the latest alert of each rule and service, be it active or over.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """

        def ask() -> Sequence[Alert]:
            with self._engine.connect() as connection:
                return latest_alerts(connection)

        return await self._readers.glance(ask)

    async def list(self, *, status: str | None, limit: int) -> Sequence[Alert]:
        """
        Return alerts, the active ones first, then the newest.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """

        def ask() -> Sequence[Alert]:
            with self._engine.connect() as connection:
                return list_alerts(connection, status=status, limit=limit)

        return await self._readers.glance(ask)
