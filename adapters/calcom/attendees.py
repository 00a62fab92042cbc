"""
Whom a booking at Cal.com is for.

For an attendee who gave a phone number only, Cal.com makes up an address of its digits
(its `contructEmailFromPhoneNumber`) and sends nothing there (`isSmsCalEmail`). It is
nobody's: taken for the customer's own, it would keep the real one out.
"""

import re

from adapters.calcom.models import AttendeeAnswer, SightingAnswer
from sagas.outcomes import Attendee

_MADE_UP = "@sms.cal.com"
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


def attendee_of(seen: SightingAnswer) -> Attendee | None:
    """Return the first attendee, with what is their own; None if there is none."""
    if not seen.attendees:
        return None
    first = seen.attendees[0]
    address = (first.email or "").strip()
    if not address.lower().endswith(_MADE_UP):
        return _attendee(first, email=first.email, phone=first.phone)
    digits = _DIGITS.fullmatch(address[: -len(_MADE_UP)])
    return _attendee(first, email=None, phone=first.phone or (f"+{digits[0]}" if digits else None))


def _attendee(answer: AttendeeAnswer, *, email: str | None, phone: str | None) -> Attendee:
    return Attendee(name=answer.name, email=email, phone=phone, time_zone=answer.time_zone)
