"""
The ledger: each booking with all that a judge of a client wants to know, of which the API tells only a part.
"""

from typing import Any

from adapters.sandbox.bookings import Booking
from adapters.sandbox.representation import instant


def ledger_entry(booking: Booking) -> dict[str, Any]:
    """
    Write a booking as a line of the ledger.
    """
    return {
        "uid": booking.uid,
        "status": booking.status.value,
        "start": instant(booking.start),
        "end": instant(booking.end),
        "event_type_id": booking.event_type.id,
        "hosts": list(booking.hosts),
        "attendees": [attendee.email for attendee in booking.attendees],
        "metadata": booking.metadata,
        "made_by": booking.made_by.value,
        "cancelled_by": booking.cancelled_by.value if booking.cancelled_by else None,
        "cancellation_reason": booking.cancellation_reason,
        "rescheduled_from": booking.rescheduled_from or None,
        "rescheduled_to": booking.rescheduled_to or None,
        "created_at": instant(booking.created_at),
        "updated_at": instant(booking.updated_at),
    }
