"""
What the calendar is asked for at the sandbox.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from adapters.calcom.calendar import CalComCalendar
from domain.booking import Booking
from sagas.outcomes import CreateOutcome, Looked, LookOutcome, Made
from sagas.steps import CancelAtCalcom, LookAtCalcom
from tests.unit.adapters.calcom.building import a_booking, a_service

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)


def booking_of(*, event_type: int = 1, hours: int = 0) -> Booking:
    service = a_service(calcom_event_type_id=event_type)
    return a_booking(starts_at=TOMORROW + timedelta(hours=hours), service=service)


async def create(calendar: CalComCalendar, booking: Booking, attempt_id: str) -> CreateOutcome:
    return await calendar.create(booking, attempt_id=attempt_id, send_by=datetime.now(UTC) + timedelta(seconds=2))


async def look(calendar: CalComCalendar, booking: Booking, *attempt_ids: str) -> LookOutcome:
    since = datetime.now(UTC) - timedelta(minutes=5)
    return await calendar.look(booking, LookAtCalcom(attempt_ids=attempt_ids, since=since))


async def found(calendar: CalComCalendar, booking: Booking, attempt_id: str) -> list[str]:
    looked = await look(calendar, booking, attempt_id)
    assert isinstance(looked, Looked)
    return [one.uid for one in looked.found if one.is_live]


def a_cancel(uid: str, attempt_id: str, *, purpose: str = "compensation", age: int = 10) -> CancelAtCalcom:
    since = datetime.now(UTC) - timedelta(minutes=age)
    return CancelAtCalcom(uid=uid, attempt_id=attempt_id, purpose=purpose, number=1, since=since)  # type: ignore[arg-type]


async def made(calendar: CalComCalendar, booking: Booking, attempt_id: str) -> Made:
    outcome = await create(calendar, booking, attempt_id)
    assert isinstance(outcome, Made)
    return outcome
