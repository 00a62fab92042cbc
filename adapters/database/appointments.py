"""The local appointments, for the sagas to read."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine, select

from adapters.database.tables import appointments
from sagas.ports import RowInTheWay


def find_appointment(engine: Engine, appointment_id: UUID) -> RowInTheWay | None:
    """Return one row, or None."""
    query = select(
        appointments.c.id, appointments.c.booking_id, appointments.c.calcom_booking_uid, appointments.c.status
    ).where(appointments.c.id == appointment_id)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return RowInTheWay(
        appointment_id=row.id,
        booking_id=row.booking_id,
        calcom_booking_uid=row.calcom_booking_uid,
        is_booked=row.status == "booked",
    )


def find_holders(engine: Engine, company_id: str, uids: Sequence[str]) -> dict[str, UUID]:
    """Return which booking of a company has each of these uids."""
    # The company is compared in a way that no index serves, so that only the uids can be looked up.
    query = select(appointments.c.calcom_booking_uid, appointments.c.booking_id).where(
        appointments.c.calcom_booking_uid.in_(uids), appointments.c.company_id.concat("") == company_id
    )
    with engine.connect() as connection:
        return {row.calcom_booking_uid: row.booking_id for row in connection.execute(query)}


def find_companies(engine: Engine, uids: Sequence[str]) -> dict[str, str]:
    """Return which company has each of these uids."""
    query = select(appointments.c.calcom_booking_uid, appointments.c.company_id).where(
        appointments.c.calcom_booking_uid.in_(uids)
    )
    with engine.connect() as connection:
        return {row.calcom_booking_uid: row.company_id for row in connection.execute(query)}
