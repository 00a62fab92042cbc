"""
Whether calsaga can book an event type, before anybody asks for an appointment.

What is refused here either could not be undone (cancelling disabled, payment), is not
one booking (seats, recurrence), is not booked at once (confirmation), or would be
refused by Cal.com each time.
"""

from dataclasses import dataclass

from adapters.calcom.models import EventTypeAnswer, Switch
from domain.errors import FieldError

EVENT_TYPE = "calcom_event_type_id"
DURATION = "duration_minutes"

# Cal.com API v2: these questions are answered by the attendee of the request, or by Cal.com itself.
_ANSWERED = {"name", "email", "location", "title", "attendeePhoneNumber"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What speaks against the event type, and what a service must know of it."""

    errors: tuple[FieldError, ...]
    notice_minutes: int = 0
    sends_length: bool = False


def examine(event_type: EventTypeAnswer, *, can_list: bool, key_of: int | None, duration_minutes: int) -> Preflight:
    """
    Return everything that speaks against an event type; nothing, if calsaga can book it.

    `key_of` is the user of the API key; for an event type of a team nobody need know.
    """
    errors = [FieldError(EVENT_TYPE, message) for message in _faults(event_type)]
    if not can_list:
        errors.append(FieldError(EVENT_TYPE, "the API key cannot list this event type's bookings; use its owner's key"))
    # Cal.com API v2: the list of others' bookings is empty, not refused, and would pass for a clean look.
    elif event_type.owner_id not in {None, key_of}:
        owner = event_type.owner_id
        message = f"it belongs to Cal.com's user {owner}, and the API key to user {key_of}; use a key of user {owner}"
        errors.append(FieldError(EVENT_TYPE, message))
    if duration_minutes not in (event_type.length_options or (event_type.length_minutes,)):
        errors.append(FieldError(DURATION, _lengths(event_type)))
    return Preflight(
        errors=tuple(errors),
        notice_minutes=event_type.notice_minutes or 0,
        sends_length=bool(event_type.length_options),
    )


def _faults(event_type: EventTypeAnswer) -> list[str]:
    asked = sorted({it.slug for it in event_type.fields or () if it.required and it.slug not in _ANSWERED})
    faults = {
        "it does not allow cancelling, so a booking could not be undone": _cancelling_disabled(event_type),
        "it has seats; only bookings of a whole slot are supported": _is_on(event_type.seats)
        or bool(event_type.seats_per_slot),
        "it recurs; only single bookings are supported": _is_on(event_type.recurrence),
        "it has to be paid for": bool(event_type.price),
        "its bookings need to be confirmed by the host": _is_on(event_type.confirmation),
        "it requires authentication to book": bool(event_type.requires_authentication),
        "it requires the booker's e-mail address to be verified": bool(event_type.requires_verification),
        f"it asks questions that calsaga cannot answer: {', '.join(asked)[:100]}": bool(asked),
    }
    return [message for message, applies in faults.items() if applies]


def _cancelling_disabled(event_type: EventTypeAnswer) -> bool:
    setting = event_type.disable_cancelling
    return setting.disabled if isinstance(setting, Switch) else bool(setting)


def _is_on(setting: Switch | None) -> bool:
    # Cal.com writes a setting that is off as null or as {"disabled": true}.
    return setting is not None and not setting.disabled


def _lengths(event_type: EventTypeAnswer) -> str:
    lengths = event_type.length_options or (event_type.length_minutes,)
    return f"the event type takes {' or '.join(map(str, lengths))} minutes"
