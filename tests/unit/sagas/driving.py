"""
An engine at work, and what happens beside it meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from domain.booking import Booking
from domain.events import BookingEvent
from sagas.appending import InsertAppointment
from tests.fakes.given import BOOKED, BOOKING_ID, SERVICE, SLOT, attempted, created, initiated
from tests.fakes.office import Office
from tests.fakes.rows import AppointmentRow

STRANGER = UUID(int=9)


async def book_new(office: Office) -> None:
    await office.engine.drive(office.engine.open(BOOKING_ID, initiated()))


async def go_on(office: Office) -> None:
    await office.engine.drive(office.engine.begin(await office.engine.load(BOOKING_ID)))


async def until_quiet(office: Office) -> None:
    while office.agenda.rows:
        await asyncio.sleep(5)
        await office.worker.run_due()


def meanwhile(office: Office, act: Callable[[], Awaitable[None]]) -> None:
    """
    Act right after the next answer of Cal.com's, before anybody has recorded it.
    """
    create = office.calendar.create

    async def create_and_act(booking: Booking, *, attempt_id: str, send_by: datetime) -> object:
        outcome = await create(booking, attempt_id=attempt_id, send_by=send_by)
        office.calendar.create = create  # type: ignore[method-assign]
        await act()
        return outcome

    office.calendar.create = create_and_act  # type: ignore[method-assign, assignment]


def stranger(office: Office, uid: str | None = "uid-0", *, booking_id: UUID = STRANGER) -> UUID:
    """
    Put a row into the way of the booking.
    """
    appointment_id = UUID(int=4)
    row = InsertAppointment(
        appointment_id=appointment_id,
        company_id="acme",
        booking_id=booking_id,
        idempotency_key="another",
        calcom_booking_uid=uid or "",
        service_id="cut",
        offered_as="cut",
        customer_id=UUID(int=5),
        staff_id="ann",
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
        source="webhook",
        retry_count=0,
        sync_attempt_count=0,
        last_sync_attempted_at=None,
        resilience_strategy=None,
    )
    office.log.appointments[appointment_id] = AppointmentRow(inserted=row)
    return appointment_id


def as_uid(uid: str) -> tuple[BookingEvent, ...]:
    return (attempted(), created(uid=uid), BOOKED[-1])
