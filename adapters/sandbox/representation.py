"""
Bookings as Cal.com's JSON.
"""

from datetime import datetime
from typing import Any

from adapters.sandbox.bookings import Attendee, Booking
from adapters.sandbox.event_types import Host


def instant(moment: datetime) -> str:
    """
    Write an instant of UTC as JavaScript does.
    """
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def whole_seconds(moment: datetime) -> str:
    """
    Write an instant of UTC without its fraction, as webhooks have the times of bookings.
    """
    return moment.isoformat(timespec="seconds")[:-6] + "Z"


def booking_title(booking: Booking) -> str:
    return f"{booking.event_type.name} between {Host(id=booking.hosts[0]).name} and {booking.attendees[0].name}"


def booking_output(booking: Booking) -> dict[str, Any]:
    """
    Write a booking as Cal.com's ``BookingOutput``, or as its recurring or seated kin.
    """
    event_type = booking.event_type
    output: dict[str, Any] = {
        "id": booking.id,
        "uid": booking.uid,
        "title": booking_title(booking),
        "description": "",
        "hosts": [host_output(host) for host in booking.hosts],
        "status": booking.status.value,
        "cancellationReason": booking.cancellation_reason,
        "cancelledByEmail": booking.cancelled_by_email,
        "rescheduledByEmail": booking.rescheduled_by_email,
        "start": instant(booking.start),
        "end": instant(booking.end),
        "duration": int((booking.end - booking.start).total_seconds()) // 60,
        "eventTypeId": event_type.id,
        "eventType": {"id": event_type.id, "slug": event_type.slug},
        "meetingUrl": booking.location,
        "location": booking.location,
        "absentHost": False,
        "createdAt": instant(booking.created_at),
        "updatedAt": instant(booking.updated_at),
        "metadata": booking.metadata,
        "icsUid": f"{booking.uid}@Cal.com",
        "attendees": [_attendee_output(attendee, booking=booking) for attendee in booking.attendees],
    }
    if not event_type.seats:
        output["guests"] = list(booking.guests)
        output["bookingFieldsResponses"] = responses(booking.attendees[0], booking=booking)
    return output | _links(booking)


def created_output(bookings: list[Booking]) -> Any:  # noqa: ANN401 - JSON: an object, or a list of them
    """
    Write the result of a create: one booking, a seat in one, or all of a recurring series.
    """
    if bookings[0].recurring_uid:
        return [booking_output(booking) for booking in bookings]
    output = booking_output(bookings[0])
    if bookings[0].event_type.seats:
        output["seatUid"] = bookings[0].attendees[-1].seat_uid
    return output


def host_output(host_id: int) -> dict[str, Any]:
    """
    Write a host as part of a booking.
    """
    host = Host(id=host_id)
    return {
        "id": host.id,
        "name": host.name,
        "email": host.email,
        "displayEmail": host.email,
        "username": host.username,
        "timeZone": "UTC",
    }


def responses(attendee: Attendee, *, booking: Booking) -> dict[str, Any]:
    """
    Write what an attendee entered into the form of a booking.
    """
    phone = {"attendeePhoneNumber": attendee.phone} if attendee.phone else {}
    return {
        "name": attendee.name,
        "email": attendee.email,
        "guests": list(booking.guests),
        **phone,
        **booking.responses,
    }


def _attendee_output(attendee: Attendee, *, booking: Booking) -> dict[str, Any]:
    output: dict[str, Any] = {
        "name": attendee.name,
        "email": attendee.email,
        "displayEmail": attendee.email,
        "timeZone": attendee.time_zone,
        "language": attendee.language,
        "absent": False,
    }
    if attendee.phone:
        output["phoneNumber"] = attendee.phone
    if attendee.seat_uid:
        output["seatUid"] = attendee.seat_uid
        output["bookingFieldsResponses"] = responses(attendee, booking=booking)
    return output


def _links(booking: Booking) -> dict[str, str]:
    links = {
        "reschedulingReason": booking.rescheduling_reason,
        "rescheduledFromUid": booking.rescheduled_from,
        "rescheduledToUid": booking.rescheduled_to,
        "recurringBookingUid": booking.recurring_uid,
    }
    return {name: value for name, value in links.items() if value}
