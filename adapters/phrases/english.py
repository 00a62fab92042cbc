"""The phrases in English; why there is no appointment stands in `adapters.reasons`."""

from collections.abc import Mapping
from typing import Final

from adapters.phrases.keys import Phrase
from adapters.reasons import OTHERWISE, SENTENCES

PHRASES: Final[Mapping[Phrase, str]] = {
    Phrase.STALE: "Availability from cache (may be stale)",
    Phrase.QUEUED: "Request queued, will retry automatically",
    Phrase.MANUAL_REVIEW: "Critical - requires manual action",
    Phrase.REFUSED: "System experiencing issues. We are working to restore service.",
    Phrase.MAY_GO_ON: "Your request may have been recorded all the same; please ask again in a moment.",
    Phrase.PENDING: ("Your booking is recorded. I am still confirming the time and will finish it automatically."),
    Phrase.DEFERRED: (
        "The calendar cannot be reached at the moment. Your request is queued and will be retried automatically."
    ),
    Phrase.CANCEL_DEFERRED: (
        "The calendar cannot be reached at the moment. Your cancellation is recorded and will be done automatically."
    ),
    Phrase.MOVE_DEFERRED: (
        "The calendar cannot be reached at the moment. Your wish is recorded and your appointment will be moved "
        "automatically."
    ),
    Phrase.COMPENSATING: "That time could not be kept. I am making sure that nothing stays booked.",
    Phrase.CANCELLING: "Your cancellation is recorded and will be completed automatically.",
    Phrase.RESCHEDULING: "Your appointment is being moved. I will finish that automatically.",
    Phrase.NEEDS_REVIEW: "Your request is recorded. One of our staff has to look at it and will finish it.",
    Phrase.NEAR_DUPLICATE: "You already have a booking of this service at nearly the same time.",
    Phrase.BOOKING_CANCELLED: "That booking was cancelled.",
    Phrase.STAYS: "The appointment stays where it is.",
    Phrase.ALREADY_OVER: "That appointment is over and cannot be changed any more.",
    Phrase.MADE_ELSEWHERE: "That appointment was made directly in the calendar and has to be changed there.",
    Phrase.NOT_BOOKED: "That appointment is not booked at the moment.",
    Phrase.CANNOT_BE_MOVED: (
        "Several services that were booked together cannot be moved. Please cancel them and book again."
    ),
    Phrase.NOTHING_TO_DECIDE: "There is nothing to decide about any more.",
    Phrase.OTHERWISE: OTHERWISE,
}
REASONS: Final[Mapping[str, str]] = SENTENCES
