"""
Why there is no appointment, in a sentence that anybody may read.

What Cal.com or a database said stays in the events: it can quote a person, and it is
written for programmers.
"""

from typing import Final

_TAKEN: Final = "The time is already taken."
_MISFIT: Final = "The service is not set up at Cal.com the way calsaga knows it; whoever runs this has to mend that."
_DATABASE: Final = "The appointment could not be stored, and nothing stays booked."
_UNREACHABLE: Final = "The calendar could not be reached in time."
OTHERWISE: Final = "The booking could not be made."

SENTENCES: Final = {
    "slot_taken": _TAKEN,
    "near_duplicate": "The customer already has a booking of this service at nearly the same time.",
    "duplicate": "The calendar already holds this booking for somebody else's request.",
    "out_of_bounds": "The time is outside of what can be booked, too soon or too far ahead.",
    "in_the_past": "The time has passed.",
    "booker_limit": "The customer has as many bookings as the calendar allows.",
    "missing_field": "The calendar asks for something that the request does not have.",
    "invalid_request": "The calendar did not accept the request.",
    "length_not_offered": _MISFIT,
    "event_type_not_bookable": _MISFIT,
    "event_type_not_found": _MISFIT,
    "no_hosts": _MISFIT,
    "authentication_required": _MISFIT,
    "needs_confirmation": _MISFIT,
    "expired": "The booking could not be made in time.",
    "calcom_unavailable": _UNREACHABLE,
    "cancelled_at_calcom": "The booking was cancelled in the calendar.",
    "staff_overlap": _TAKEN,
    "duplicate_key": _DATABASE,
    "duplicate_calcom_uid": _DATABASE,
    "duplicate_appointment": _DATABASE,
    "unknown_service": _DATABASE,
    "compensation_failed": "The calendar did not cancel the booking; a person has to do it.",
    "cancelling_disabled": "The calendar does not allow this booking to be cancelled; a person has to do it.",
    "already_ended": "The appointment is over and cannot be cancelled any more; a person has to decide.",
    "foreign_booking": "The calendar's booking is not the one that was made here; a person has to look at it.",
    "time_drift": "The calendar has the appointment at a time when the member of staff is busy; a person has to look.",
    "leg_cancelled": "One of the services was cancelled before all of them were booked.",
    "cannot_look": "The calendar does not show whether the booking was made; a person has to look.",
}


def sentence(reason: str) -> str:
    """Return what people are told; of a reason that nobody has described yet, no more than that it failed."""
    return SENTENCES.get(reason, OTHERWISE)
