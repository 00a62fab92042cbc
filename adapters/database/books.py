"""What the reconciler compares on this side, and how far it has come on the other."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, and_, select

from adapters.database.reading import Readers
from adapters.database.services import DatabaseServices
from adapters.database.tables import appointments, reconciliations, services
from adapters.database.upserting import upsert
from domain.service import Service
from sagas.ports import Clock
from sagas.reconciling import BookedRow


class DatabaseBooks:
    """The local appointments and services, and the reconciler's watermarks."""

    def __init__(self, *, engine: Engine, readers: Readers, stored: DatabaseServices, clock: Clock) -> None:
        self._engine = engine
        self._readers = readers
        self._stored = stored
        self._clock = clock

    async def services(self) -> Sequence[Service]:
        """
        Return all services of all companies.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return [offer.service for offer in await self._stored.all()]

    async def booked(self, *, company_id: str, event_type_id: int, ending_after: datetime) -> Sequence[BookedRow]:
        """
        Return the booked appointments of an event type that have not ended by then.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = (
            select(appointments.c.booking_id, appointments.c.calcom_booking_uid)
            .join(
                services,
                and_(
                    services.c.company_id == appointments.c.company_id,
                    services.c.service_id == appointments.c.service_id,
                ),
            )
            .where(
                appointments.c.company_id == company_id,
                services.c.calcom_event_type_id == event_type_id,
                appointments.c.status == "booked",
                appointments.c.ends_at > ending_after,
                appointments.c.calcom_booking_uid.is_not(None),
            )
        )

        def ask() -> Sequence[BookedRow]:
            with self._engine.connect() as connection:
                return [
                    BookedRow(booking_id=row.booking_id, uid=row.calcom_booking_uid)
                    for row in connection.execute(query)
                ]

        return await self._readers.run(ask)

    async def swept_until(self, *, company_id: str, event_type_id: int) -> datetime | None:
        """
        Return up to when Cal.com's changes have been seen, None if never.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = select(reconciliations.c.swept_until).where(
            reconciliations.c.company_id == company_id, reconciliations.c.event_type_id == event_type_id
        )

        def ask() -> datetime | None:
            with self._engine.connect() as connection:
                return connection.execute(query).scalar_one_or_none()

        return await self._readers.run(ask)

    async def swept(self, *, company_id: str, event_type_id: int, until: datetime) -> None:
        """
        Take note of a sweep that has seen everything up to a moment.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        row = {
            "company_id": company_id,
            "event_type_id": event_type_id,
            "swept_until": until,
            "finished_at": self._clock.now(),
        }

        def note() -> None:
            with self._engine.begin() as connection:
                upsert(connection, reconciliations, row)

        await self._readers.run(note)
