"""
What the API under test finds of bookings, in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.booking import Booking
from domain.errors import AppointmentError, UnknownBooking, UnknownService
from domain.validating_legs import validate_composite
from domain.validation import validate
from domain.wish import BookAppointment, BookComposite
from projections.booking_pages import BookingFilter, BookingPage
from projections.bookings import summary
from sagas.appending import Recorded
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.unit.adapters.web.given import (
    ATTEMPTED,
    BOOKED,
    BOOKING_ID,
    CREATED,
    NOW,
    OFFER,
    SERVICE,
    booking,
    initiated,
    stream,
)


@dataclass
class FakeBookings:
    """Validates as the orchestrator does, then answers `result` or raises `error`."""

    result: BookingResult = field(default_factory=lambda: BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED)))
    error: Exception | None = None
    booked: list[BookAppointment] = field(default_factory=list)
    composites: list[BookComposite] = field(default_factory=list)
    cancelled: list[CancelAppointment] = field(default_factory=list)
    rescheduled: list[RescheduleAppointment] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        if wish.service_id != SERVICE.service_id or wish.company_id != SERVICE.company_id:
            raise UnknownService(wish.service_id)
        validate(wish, OFFER, now=NOW)
        self.booked.append(wish)
        return self._answer(patience)

    async def book_composite(self, wish: BookComposite, *, patience: float) -> BookingResult:
        offers = [OFFER if leg.service_id == SERVICE.service_id else None for leg in wish.legs]
        validate_composite(wish, offers, now=NOW)
        self.composites.append(wish)
        return self._answer(patience)

    async def cancel(self, wish: CancelAppointment, *, patience: float) -> BookingResult:
        await self.get(wish.booking_id, company_id=wish.company_id)
        self.cancelled.append(wish)
        return self._answer(patience)

    async def reschedule(self, wish: RescheduleAppointment, *, patience: float) -> BookingResult:
        await self.get(wish.booking_id, company_id=wish.company_id)
        self.rescheduled.append(wish)
        return self._answer(patience)

    async def get(self, booking_id: UUID, *, company_id: str) -> Booking:
        if booking_id != BOOKING_ID or company_id != SERVICE.company_id:
            raise UnknownBooking(booking_id)
        return self.result.booking

    def _answer(self, patience: float) -> BookingResult:
        self.patience.append(patience)
        if self.error is not None:
            raise self.error
        return self.result


@dataclass
class FakeStreams:
    recorded: list[Recorded] = field(default_factory=lambda: stream([initiated(), ATTEMPTED, CREATED, BOOKED]))
    error: AppointmentError | None = None

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        if self.error is not None:
            raise self.error
        return self.recorded if stream_id == BOOKING_ID else []


@dataclass
class FakeList:
    asked: list[tuple[BookingFilter, int, str | None]] = field(default_factory=list)

    async def page(self, wanted: BookingFilter, *, limit: int, cursor: str | None) -> BookingPage:
        self.asked.append((wanted, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        own = wanted.company_id == SERVICE.company_id
        rows = (summary(booking(ATTEMPTED, CREATED, BOOKED)),) if own else ()
        return BookingPage(bookings=rows, next_cursor="more", position=7, head=9)
