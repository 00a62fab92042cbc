"""
What calsaga sends, and nothing beside it.

Cal.com API v2: an unknown property of a body is refused with 400, and
`lengthInMinutes` is accepted by event types with several lengths alone.
"""

from datetime import datetime

import orjson

from adapters.calcom.endpoints import instant
from adapters.calcom.models import ATTEMPT_KEY, BOOKING_KEY
from domain.booking import Booking
from domain.person import Person

_LONGEST_REASON = 500


def create_body(booking: Booking, *, attempt_id: str) -> bytes:
    """Return the body that asks for a booking."""
    facts = booking.facts
    body: dict[str, object] = {
        "start": instant(facts.starts_at),
        "attendee": _attendee(facts.person, time_zone=facts.time_zone),
        "eventTypeId": facts.service.calcom_event_type_id,
        "metadata": {
            BOOKING_KEY: str(booking.booking_id),
            "calsaga_company_id": facts.service.company_id,
            ATTEMPT_KEY: attempt_id,
        },
    }
    if facts.service.sends_length:
        body["lengthInMinutes"] = facts.service.duration_minutes
    return orjson.dumps(body)


def cancel_body(reason: str) -> bytes:
    """Return the body of a cancel; Cal.com may insist on a reason, so there always is one."""
    return orjson.dumps({"cancellationReason": reason[:_LONGEST_REASON]})


def reschedule_body(*, starts_at: datetime, reason: str) -> bytes:
    """Return the body that moves a booking."""
    return orjson.dumps({"start": instant(starts_at), "reschedulingReason": reason[:_LONGEST_REASON]})


def _attendee(person: Person, *, time_zone: str) -> dict[str, str]:
    attendee = {"name": person.name, "timeZone": time_zone, "language": "en"}
    # Without an address the property is left out: Cal.com makes one up from the phone number.
    if person.email is not None:
        attendee["email"] = person.email
    if person.phone is not None:
        attendee["phoneNumber"] = person.phone
    return attendee
