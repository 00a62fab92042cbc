"""What callers ask of a booking that there is, and what they are told."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.booking import Booking, BookingStatus, Failure
from domain.errors import AppointmentCreationError


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingResult:
    """
    Where the booking stands when the caller is answered.

    `replayed` says that the key was seen before. `near_duplicate` says that this is
    another, older booking which the new wish is too close to. `not_moved` says why a
    move that was asked for came to nothing.
    """

    booking: Booking
    replayed: bool = False
    near_duplicate: bool = False
    not_moved: Failure | None = None

    def raise_for_failure(self) -> Booking:
        """
        Return the booking unless it failed.

        Raises:
            AppointmentCreationError: with the reason why there is no appointment.

        """
        failure = self.booking.failure
        if self.booking.status is BookingStatus.FAILED and failure is not None:
            raise AppointmentCreationError(
                failure.detail or failure.reason,
                reason=failure.reason,
                booking_id=self.booking.booking_id,
                correlation_id=self.booking.facts.correlation_id,
            )
        return self.booking


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAppointment:
    """
    Cancel a booking of the company; `idempotency_key` names the command, so that a repeat is none.

    An error carries `correlation_id`, or a new one if none is given.
    """

    company_id: str
    booking_id: UUID
    reason: str
    idempotency_key: str | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleAppointment:
    """Move a booking of the company; `starts_at` is aware, `idempotency_key` names the command."""

    company_id: str
    booking_id: UUID
    starts_at: datetime
    reason: str = ""
    idempotency_key: str | None = None
