"""When members of staff are busy, as far as it is known here: their claims and their appointments."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Engine, Table, select, union_all

from adapters.database.reading import Readers
from adapters.database.tables import appointments, slot_claims
from domain.period import Period


class DatabaseTaken:
    """Find what is taken of a period."""

    def __init__(self, *, engine: Engine, readers: Readers) -> None:
        self._engine = engine
        self._readers = readers

    async def by_staff(self, staff_id: str, period: Period, *, company_id: str) -> Sequence[Period]:
        """
        Return when a member of staff is busy.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._find("staff_id", staff_id, period, company_id))

    async def by_service(self, service_id: str, period: Period, *, company_id: str) -> Sequence[Period]:
        """
        Return when somebody has booked a service.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._find("service_id", service_id, period, company_id))

    def _find(self, column: str, value: str, period: Period, company_id: str) -> Sequence[Period]:
        def is_meant(table: Table) -> ColumnElement[bool]:
            return (
                (table.c.company_id == company_id)
                & (table.c[column] == value)
                & (table.c.ends_at > period.starts_at)
                & (table.c.starts_at < period.ends_at)
            )

        claimed = select(slot_claims.c.starts_at, slot_claims.c.ends_at).where(is_meant(slot_claims))
        booked = select(appointments.c.starts_at, appointments.c.ends_at).where(
            is_meant(appointments), appointments.c.status == "booked"
        )
        with self._engine.connect() as connection:
            rows = connection.execute(union_all(claimed, booked))
            return [Period(starts_at=row.starts_at, ends_at=row.ends_at) for row in rows]
