"""
What a booking's end says of us: a refusal for the customer's own reason is no failure of anybody's (M32).
"""

from typing import Final

from domain.booking import Booking, BookingStatus
from domain.breaker_words import Outcome

CUSTOMERS_OWN: Final = frozenset(
    {
        "slot_taken",
        "staff_overlap",
        "near_duplicate",
        "duplicate",
        "out_of_bounds",
        "in_the_past",
        "booker_limit",
        "missing_field",
        "invalid_request",
        "cancelled_at_calcom",
        "leg_cancelled",
    }
)
"""Why a booking fails that could be made for somebody else, at another time, or with other words."""
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
    return part.failure.reason not in CUSTOMERS_OWN
