"""
What a booking's end says of us.

A refusal for the customer's own reason is no failure of anybody's (M32), and one that comes of how a company has set
itself up is none of everybody's.
"""

from typing import Final

from domain.booking import Booking, BookingStatus
from domain.booking_result import CUSTOMERS_OWN
from domain.breaker_words import Outcome

SET_UP: Final = frozenset(
    {
        "authentication_required",
        "event_type_not_bookable",
        "event_type_not_found",
        "length_not_offered",
        "needs_confirmation",
        "no_hosts",
        "unauthorized",
    }
)
"""Why the bookings of one company fail until it has set up its event types or its key otherwise: theirs alone."""
WORK_FAILED: Final = frozenset({"compensation_failed", "cannot_look"})
"""Why a person is asked because what we tried did not work; otherwise because somebody has changed something."""


def outcome_of(booking: Booking) -> Outcome:
    """Return what it says of our own work where a booking stands; under way, it says nothing."""
    if any(_failed(part) for part in booking.legs or (booking,)):
        return "failed"
    return "succeeded" if booking.status is BookingStatus.BOOKED else "ignored"


def _failed(part: Booking) -> bool:
    if part.review is not None:
        return part.review.reason in WORK_FAILED
    if part.ended is not BookingStatus.FAILED or part.failure is None:
        return False
    return part.failure.reason not in CUSTOMERS_OWN | SET_UP
