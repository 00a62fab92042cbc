"""
Announcements as the JSON that Cal.com sends.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapters.sandbox.announcements import Announcement
from adapters.sandbox.bookings import Attendee, Booking
from adapters.sandbox.event_types import OWNER, Host
from adapters.sandbox.representation import booking_title, responses, whole_seconds


def payload(announcement: Announcement) -> dict[str, Any]:
    """
    Write what is told of a booking. Its status is in capitals here and nowhere else.
    """
    booking = announcement.booking
    event_type = booking.event_type
    told: dict[str, Any] = {
        "type": event_type.slug,
        "title": booking_title(booking),
        "description": "",
        "additionalNotes": "",
        "customInputs": {},
        "startTime": whole_seconds(booking.start),
        "endTime": whole_seconds(booking.end),
        "organizer": _organizer(booking),
        "responses": _responses(booking),
        "userFieldsResponses": {},
        "attendees": [_attendee(attendee, at=booking.start) for attendee in booking.attendees],
        "location": booking.location,
        "destinationCalendar": None,
        "eventTypeId": event_type.id,
        "uid": booking.uid,
        "bookingId": booking.id,
        "iCalUID": f"{booking.uid}@Cal.com",
        "iCalSequence": 0,
        "eventTitle": event_type.name,
        "eventDescription": "",
        "requiresConfirmation": event_type.confirmation,
        "price": event_type.price,
        "currency": "usd",
        "length": (booking.end - booking.start) // timedelta(minutes=1),
        "status": announcement.status.value.upper(),
    }
    if announcement.tells_metadata:
        told["metadata"] = booking.metadata
    return told | announcement.more


def ping_payload(now: datetime) -> dict[str, Any]:
    """
    Write what the button for a test sends: it tells of no booking, so it has no uid.
    """
    return {
        "type": "Test",
        "title": "Test trigger event",
        "description": "",
        "startTime": whole_seconds(now),
        "endTime": whole_seconds(now),
        "attendees": [{"email": "jdoe@example.com", "name": "John Doe", "timeZone": "Europe/London"}],
        "organizer": {"name": OWNER.name, "email": OWNER.email, "timeZone": "UTC"},
    }


def _organizer(booking: Booking) -> dict[str, Any]:
    host = Host(id=booking.hosts[0])
    return {
        "id": host.id,
        "name": host.name,
        "email": host.email,
        "username": host.username,
        "timeZone": "UTC",
        "language": {"locale": "en"},
        "timeFormat": "HH:mm",
        "utcOffset": 0,
    }


def _attendee(attendee: Attendee, *, at: datetime) -> dict[str, Any]:
    offset = at.astimezone(ZoneInfo(attendee.time_zone)).utcoffset() or timedelta()
    return {
        "email": attendee.email,
        "name": attendee.name,
        "timeZone": attendee.time_zone,
        "language": {"locale": attendee.language},
        "utcOffset": offset // timedelta(minutes=1),
    }


def _responses(booking: Booking) -> dict[str, Any]:
    entered = responses(booking.attendees[0], booking=booking)
    return {name: {"label": name, "value": value} for name, value in entered.items()}
