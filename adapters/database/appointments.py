"""The local appointments, read one by one."""

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
