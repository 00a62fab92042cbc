"""When members of staff are busy, as far as it is known here: their claims and their appointments."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Engine,
    RowMapping,
    Table,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from adapters.database.reading import Readers
from adapters.database.tables import appointments, slot_claims
from domain.period import Period
from domain.staffing import Busy
from projections.columns import Instant

_OF_A_BOOKING = ("booking_id", "staff_id", "starts_at", "ends_at")
_HALF_OPEN: ColumnElement[str] = literal_column("'[)'")
_BOOKED: ColumnElement[bool] = literal_column("appointments.status = 'booked'")


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
        return [one.period for one in await self.busy(period, company_id=company_id, staff_ids=[staff_id])]

    async def by_service(self, service_id: str, period: Period, *, company_id: str) -> Sequence[Period]:
        """
        Return when somebody has booked a service.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.answer(lambda: self._find_by_service(service_id, period, company_id))

    async def busy(self, period: Period, *, company_id: str, staff_ids: Sequence[str]) -> Sequence[Busy]:
        """
        Return what bookings take of a period from any of these members of staff.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.answer(lambda: self._find_busy(period, company_id, staff_ids))

    def _find_busy(self, period: Period, company_id: str, staff_ids: Sequence[str]) -> Sequence[Busy]:
        query = busy_query(period, company_id=company_id, staff_ids=staff_ids, dialect=self._engine.dialect.name)
        with self._engine.connect() as connection:
            return [read_busy(row) for row in connection.execute(query).mappings()]

    def _find_by_service(self, service_id: str, period: Period, company_id: str) -> Sequence[Period]:
        def is_meant(table: Table) -> ColumnElement[bool]:
            return (table.c.company_id == company_id) & (table.c.service_id == service_id) & _within(table, period)

        claimed = select(slot_claims.c.starts_at, slot_claims.c.ends_at).where(is_meant(slot_claims))
        booked = select(appointments.c.starts_at, appointments.c.ends_at).where(is_meant(appointments), _BOOKED)
        with self._engine.connect() as connection:
            rows = connection.execute(union_all(claimed, booked))
            return [Period(starts_at=row.starts_at, ends_at=row.ends_at) for row in rows]


def busy_query(period: Period, *, company_id: str, staff_ids: Sequence[str], dialect: str) -> CompoundSelect[Any]:
    """Return what asks for claims and appointments in one statement, each part by an index."""

    def is_meant(table: Table) -> ColumnElement[bool]:
        overlaps = _overlaps(table, period) if dialect == "postgresql" else _within(table, period)
        return (table.c.company_id == company_id) & table.c.staff_id.in_(staff_ids) & overlaps

    return union_all(
        *(
            select(*(table.c[name] for name in _OF_A_BOOKING)).where(is_meant(table), *more)
            for table, more in _holders(dialect)
        )
    )


def _holders(dialect: str) -> Iterator[tuple[Table, tuple[ColumnElement[bool], ...]]]:
    yield slot_claims, ()
    if dialect != "postgresql":
        yield appointments, (_BOOKED,)
        return
    # There, two indexes hold a half of the appointments each, and both know periods as ranges only.
    yield appointments, (_BOOKED, ~appointments.c.overlap_allowed)
    yield appointments, (_BOOKED, appointments.c.overlap_allowed)


def _within(table: Table, period: Period) -> ColumnElement[bool]:
    return (table.c.ends_at > period.starts_at) & (table.c.starts_at < period.ends_at)


def _overlaps(table: Table, period: Period) -> ColumnElement[bool]:
    starts_at, ends_at = literal(period.starts_at, Instant), literal(period.ends_at, Instant)
    asked = func.tstzrange(starts_at, ends_at, _HALF_OPEN)
    return func.tstzrange(table.c.starts_at, table.c.ends_at, _HALF_OPEN).op("&&", is_comparison=True)(asked)


def read_busy(row: RowMapping) -> Busy:
    """Return what a row of `busy_query` says."""
    return Busy(
        booking_id=row["booking_id"],
        staff_id=row["staff_id"],
        period=Period(starts_at=row["starts_at"], ends_at=row["ends_at"]),
    )
