"""Where a booking stands, in a line."""

from adapters.reasons import sentence
from domain.booking import Booking, BookingStatus


def in_a_line(booking: Booking) -> str:
    """Return where a booking stands, for people."""
    line = f"{booking.booking_id} {booking.status}"
    match booking.status:
        case BookingStatus.BOOKED:
            starts, ends = booking.starts_at or booking.facts.starts_at, booking.ends_at or booking.facts.ends_at
            return f"{line}: {starts:%Y-%m-%d %H:%M} to {ends:%H:%M} UTC, Cal.com {booking.kept_uid}"
        case BookingStatus.FAILED | BookingStatus.NEEDS_REVIEW | BookingStatus.COMPENSATING:
            why = booking.review or booking.failure or booking.undoing
            return line if why is None else f"{line}: {why.reason} ({sentence(why.reason)})"
        case BookingStatus.PENDING | BookingStatus.CANCELLING | BookingStatus.RESCHEDULING:
            return f"{line}: accepted, and still being worked on"
        case BookingStatus.CANCELLED:
            return line
