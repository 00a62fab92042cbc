"""
The answers of which it is known what Cal.com has done: nothing.

Cal.com API v2: any 4xx or 5xx can be sent after a booking was inserted (payment,
calendar and e-mail faults come later), so a create is refused only by one of the checks
below, which run before the insert. They are told apart by status, code and text, since
most of them are a plain 400. Whatever is not in the table is unknown.
"""

import re
from dataclasses import dataclass

from adapters.calcom.answers import Problem

_BAD_REQUEST = "BadRequestException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One check: how its answer looks, our word for it, and whether it means that the slot is held."""

    status: int
    code: str
    text: re.Pattern[str]
    reason: str
    conflict: bool = False


def _refusal(status: int, code: str, text: str, reason: str, *, conflict: bool = False) -> Refusal:
    return Refusal(status=status, code=code, text=re.compile(text, re.DOTALL), reason=reason, conflict=conflict)


_TAKEN = r"(?:User|One of the hosts) either already has booking at this time or is not available"
_BOUNDS = r"The event type can't be booked at the \"start\" time provided\. This could be because it's too soon .*"
_PAST = r"Attempting to book a meeting in the past\."

CREATE = (
    _refusal(400, _BAD_REQUEST, _TAKEN, "slot_taken", conflict=True),
    _refusal(409, "", r"booking_conflict_error", "slot_taken", conflict=True),
    _refusal(409, "ConflictException", r"No more seats left at this seated booking\.", "slot_taken", conflict=True),
    _refusal(400, _BAD_REQUEST, _BOUNDS, "out_of_bounds"),
    _refusal(400, _BAD_REQUEST, _PAST, "in_the_past"),
    _refusal(
        400,
        _BAD_REQUEST,
        r"Attendee with this email can't book because the maximum number of active bookings has been reached\."
        r"(?: You can reschedule your existing booking \([^)]*\) to a new timeslot instead\.)?",
        "booker_limit",
    ),
    _refusal(400, _BAD_REQUEST, r"\s*Missing required booking field response: .*", "missing_field"),
    _refusal(
        400,
        _BAD_REQUEST,
        r"Missing attendee phone number - it is required by the event type\..*",
        "missing_field",
    ),
    _refusal(
        400,
        _BAD_REQUEST,
        r"Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths\..*",
        "length_not_offered",
    ),
    _refusal(
        400,
        _BAD_REQUEST,
        r"Provided 'lengthInMinutes' is not one of the possible lengths for the event type\b.*",
        "length_not_offered",
    ),
    _refusal(400, _BAD_REQUEST, r"\w+ property is wrong,.*", "invalid_request"),
    _refusal(
        400,
        _BAD_REQUEST,
        r"Event type with id=\d+ is the parent managed event type that can't be booked\..*",
        "event_type_not_bookable",
    ),
    _refusal(
        422,
        "UnprocessableEntityException",
        r"Can't book this team event type because it has no hosts\..*",
        "no_hosts",
    ),
    _refusal(404, "NotFoundException", r"Event type with id \d+ not found\.", "event_type_not_found"),
    _refusal(
        401,
        "UnauthorizedException",
        r"(?:checkBookingRequiresAuthentication - |This event type requires authentication\.).*",
        "authentication_required",
    ),
    _refusal(403, "ForbiddenException", r"checkBookingRequiresAuthentication - .*", "authentication_required"),
)

RESCHEDULE = (
    _refusal(400, _BAD_REQUEST, _TAKEN, "slot_taken", conflict=True),
    _refusal(409, "", r"booking_conflict_error", "slot_taken", conflict=True),
    _refusal(400, _BAD_REQUEST, _BOUNDS, "out_of_bounds"),
    _refusal(400, _BAD_REQUEST, _PAST, "in_the_past"),
    _refusal(400, _BAD_REQUEST, r"\w+ property is wrong,.*", "invalid_request"),
)

CANCEL = (
    _refusal(400, "", r"This event type does not allow cancellations\.?", "cancelling_disabled"),
    _refusal(400, _BAD_REQUEST, r"This event type does not allow cancellations\.?", "cancelling_disabled"),
    _refusal(400, "", r"Cannot cancel a booking that has already ended\.?", "already_ended"),
    _refusal(400, _BAD_REQUEST, r"Cannot cancel a booking that has already ended\.?", "already_ended"),
)

_ALREADY_CANCELLED = (
    _refusal(
        400,
        _BAD_REQUEST,
        r"Can't cancel booking with uid=\S+ because it has been cancelled already\..*",
        "already_cancelled",
    ),
    _refusal(400, "", r"This booking has already been cancelled\.", "already_cancelled"),
)
_NO_BOOKING = _refusal(
    404, "NotFoundException", r"Booking with uid=\S+ was not found in the database", "booking_not_found"
)
_THROTTLED = _refusal(
    429, "ThrottlerException", r"CustomThrottlerGuard - Too many requests\. Please try again later\.", "rate_limited"
)
_KEY_REJECTED = _refusal(
    401, "UnauthorizedException", r"(?:ApiAuthStrategy - |CustomThrottlerGuard - Invalid API Key).*", "unauthorized"
)


def find(table: tuple[Refusal, ...], problem: Problem) -> Refusal | None:
    """Return the check that gave this answer, if it is one of the table."""
    return next((row for row in table if _is(row, problem)), None)


def says_already_cancelled(problem: Problem) -> bool:
    """Tell whether a cancel came too late to do anything."""
    return find(_ALREADY_CANCELLED, problem) is not None


def says_no_booking(problem: Problem) -> bool:
    """Tell a booking that does not exist from a path that does not (a wrong version header, say)."""
    return _is(_NO_BOOKING, problem)


def says_throttled(problem: Problem) -> bool:
    """Tell whether the throttler, which stands before everything, sent the call back."""
    return _is(_THROTTLED, problem)


def says_key_rejected(problem: Problem) -> bool:
    """Tell whether the guard of the API key sent the call back."""
    return _is(_KEY_REJECTED, problem)


def _is(row: Refusal, problem: Problem) -> bool:
    return row.status == problem.status and row.code == problem.code and row.text.fullmatch(problem.message) is not None
