"""
An office that moves its booking.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sagas.wishes import BookingResult, RescheduleAppointment
from tests.fakes.calcom import CalcomBooking
from tests.fakes.given import BOOKING_ID, WISH
from tests.fakes.moves import LATER
from tests.fakes.office import Office

HOUR = 3600


def a_booked_office() -> Office:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    return office


async def move(office: Office, to: datetime = LATER, *, key: str | None = None, patience: float = 10) -> BookingResult:
    wanted = RescheduleAppointment(company_id="acme", booking_id=BOOKING_ID, starts_at=to, idempotency_key=key)
    return await office.orchestrator.reschedule(wanted, patience=patience)


def row_of(office: Office, booking_id: UUID = BOOKING_ID) -> tuple[bool, str, datetime, bool]:
    (row,) = (one for one in office.log.appointments.values() if one.inserted.booking_id == booking_id)
    return row.booked, row.inserted.calcom_booking_uid, row.inserted.starts_at, row.inserted.overlap_allowed


def live_at(office: Office) -> list[tuple[str, datetime]]:
    return [(one.uid, one.starts_at) for one in office.calcom.live()]


def a_foreign_booking(office: Office, starts_at: datetime) -> CalcomBooking:
    return office.calcom.commit(
        event_type_id=1, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30), attempt_id=None
    )
