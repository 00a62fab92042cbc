"""What a caller is told: from where a booking stands to status, headers and body."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from starlette.responses import Response

from adapters.phrases import Language, Phrase, phrase, reason_in
from adapters.reasons import sentence
from adapters.representation import booking_document
from adapters.web import problems as p
from adapters.web.notices import fallback_document
from adapters.web.problems import Problem
from adapters.web.refusals import booking_location
from domain.booking import Booking, BookingStatus, Failure
from domain.fallback import WRITE, Rung, Ways, rung_of
from projections.bookings import summary
from sagas.deferring import deferral
from sagas.wishes import BookingResult

Alternatives: TypeAlias = Sequence[datetime]

TAKEN = "slot_taken"
ASK_AGAIN_SECONDS = 2
ASK_AGAIN_AT_MOST_SECONDS = 60
REPLAYED = {"Idempotency-Replayed": "true"}
_MESSAGES = {
    BookingStatus.PENDING: Phrase.PENDING,
    BookingStatus.COMPENSATING: Phrase.COMPENSATING,
    BookingStatus.CANCELLING: Phrase.CANCELLING,
    BookingStatus.RESCHEDULING: Phrase.RESCHEDULING,
    BookingStatus.NEEDS_REVIEW: Phrase.NEEDS_REVIEW,
}
_DEFERRED = {
    BookingStatus.PENDING: Phrase.DEFERRED,
    BookingStatus.CANCELLING: Phrase.CANCEL_DEFERRED,
    BookingStatus.RESCHEDULING: Phrase.MOVE_DEFERRED,
}
"""What was asked for and is put off; that something is taken back later is nothing that anybody waits for."""


def json_answer(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401
    """Return anything that orjson can write."""
    return Response(orjson.dumps(content), status_code=status, headers=headers, media_type="application/json")


def rung_of_booking(booking: Booking) -> Rung:
    """Return the rung that a booking's answer comes from: an outcome, and a wish that is under way, from the first."""
    queued = booking.status in _DEFERRED and deferral(booking)[0] is not None
    reviewed = booking.status is BookingStatus.NEEDS_REVIEW
    return rung_of(WRITE, Ways(primary=not queued and not reviewed, queued=queued, manual_review=reviewed))


def is_without_slot(result: BookingResult) -> bool:
    """Tell whether the answer to a wish is that somebody else has the slot."""
    booking = result.booking
    failed = booking.status is BookingStatus.FAILED and not result.near_duplicate
    return failed and booking.failure is not None and booking.failure.reason == TAKEN


def is_stopped_by_slot(result: BookingResult) -> bool:
    """Tell whether the answer to a move is that somebody else has the slot."""
    return result.not_moved is not None and result.not_moved.reason == TAKEN


def answer_booking(
    result: BookingResult,
    *,
    correlation_id: str,
    alternatives: Alternatives | None = None,
    language: Language = "en",
) -> Response:
    """Return the answer to a wish for an appointment; `alternatives` are other times, if the slot is taken."""
    booking = result.booking
    if result.near_duplicate:
        # A derived key finds the same booking again, whatever is allowed.
        return _near_duplicate(booking.booking_id, key=" with an `Idempotency-Key`").answer(correlation_id, language)
    match booking.status:
        case BookingStatus.BOOKED if result.replayed:
            return _standing(booking, status=200, replayed=True)
        case BookingStatus.BOOKED:
            return _standing(booking, status=201, replayed=False)
        case BookingStatus.FAILED | BookingStatus.CANCELLED:
            return _refusal(booking, replayed=result.replayed, alternatives=alternatives).answer(
                correlation_id, language
            )
        case BookingStatus.NEEDS_REVIEW if not booking.facts.key_given:
            return _refusal(booking, replayed=result.replayed).answer(correlation_id, language)
        case _:
            return _standing(booking, status=202, replayed=result.replayed, language=language)


def answer_cancellation(result: BookingResult, *, language: Language = "en") -> Response:
    """Return the answer to a cancellation: done, or going on."""
    ended = result.booking.status in {BookingStatus.CANCELLED, BookingStatus.FAILED}
    return _standing(result.booking, status=200 if ended else 202, replayed=result.replayed, language=language)


def answer_reschedule(
    result: BookingResult,
    *,
    correlation_id: str,
    alternatives: Alternatives | None = None,
    language: Language = "en",
) -> Response:
    """Return the answer to a move: done, going on, or refused with the appointment where it was."""
    booking = result.booking
    if result.not_moved is not None:
        reason, other = result.not_moved.reason, result.not_moved.conflicting_booking_id
        kind = p.SLOT_TAKEN if reason == TAKEN else p.NOT_MOVED
        facts = {"reason": reason, "booking_id": other or booking.booking_id, **_others(alternatives)}
        told = sentence(reason) if other is None else f"{sentence(reason)} See `booking_id`."
        detail = f"{told} The appointment stays where it is."
        problem = Problem(
            kind=kind,
            detail=detail,
            facts=facts,
            headers=_marks(replayed=result.replayed),
            say=lambda language: f"{reason_in(reason, language)} {phrase(Phrase.STAYS, language)}",
        )
        return problem.answer(correlation_id, language)
    moved = booking.status is BookingStatus.BOOKED
    return _standing(booking, status=200 if moved else 202, replayed=result.replayed, language=language)


def answer_state(booking: Booking) -> Response:
    """Return a booking as it stands."""
    return json_answer({"booking": booking_document(summary(booking))})


def _standing(booking: Booking, *, status: int, replayed: bool, language: Language = "en") -> Response:
    headers = {"Location": booking_location(booking.booking_id), **_marks(replayed=replayed)}
    content: dict[str, Any] = {"booking": booking_document(summary(booking))}
    if status == 202:  # noqa: PLR2004 - HTTP's own number
        headers["Retry-After"] = str(_ask_again_in(booking))
        content["message"] = phrase(_message(booking), language)
        content |= fallback_document(rung_of_booking(booking), language)
    return json_answer(content, status=status, headers=headers)


def _message(booking: Booking) -> Phrase:
    if rung_of_booking(booking) == "queued":
        return _DEFERRED[booking.status]
    return _MESSAGES.get(booking.status, Phrase.PENDING)


def _ask_again_in(booking: Booking) -> int:
    if booking.status is BookingStatus.NEEDS_REVIEW:
        return ASK_AGAIN_AT_MOST_SECONDS
    retry_at = deferral(booking)[1] if rung_of_booking(booking) == "queued" else booking.retry_at
    if retry_at is None:
        return ASK_AGAIN_SECONDS
    seconds = (retry_at - datetime.now(UTC)).total_seconds()
    return min(max(ceil(seconds), ASK_AGAIN_SECONDS), ASK_AGAIN_AT_MOST_SECONDS)


def _near_duplicate(first: UUID | None, *, key: str, replayed: bool = False) -> Problem:
    detail = (
        "This customer already has a booking of this service at nearly the same time: see `booking_id`. "
        f"Send `allow_near_duplicate`{key} to book beside it."
    )
    facts = {"reason": "near_duplicate", "booking_id": first}
    say = partial(phrase, Phrase.NEAR_DUPLICATE)
    return Problem(kind=p.NEAR_DUPLICATE, detail=detail, facts=facts, headers=_marks(replayed=replayed), say=say)


def _refusal(booking: Booking, *, replayed: bool, alternatives: Alternatives | None = None) -> Problem:
    facts: dict[str, Any] = {"reason": booking.status.value, "booking_id": booking.booking_id}
    if booking.status is BookingStatus.NEEDS_REVIEW:
        kind, detail = p.NEEDS_REVIEW, "A person has to decide about this booking first."
        say = partial(phrase, Phrase.NEEDS_REVIEW)
    elif booking.status is BookingStatus.CANCELLED:
        kind, detail = p.BOOKING_CANCELLED, "The booking of this key was cancelled; use a new key to book again."
        say = partial(phrase, Phrase.BOOKING_CANCELLED)
    else:
        failure = booking.failure or Failure(reason="refused", detail="")
        if failure.reason == "near_duplicate":
            # A given key is used up by this answer, and refused with another payload.
            key = " with a new `Idempotency-Key`" if booking.facts.key_given else ""
            return _near_duplicate(failure.conflicting_booking_id, key=key, replayed=replayed)
        kind, detail = p.BOOKING_REFUSED, sentence(failure.reason)
        say = partial(reason_in, failure.reason)
        facts["reason"] = failure.reason
        if failure.reason == TAKEN:
            kind = p.SLOT_TAKEN
            facts |= _others(alternatives)
    return Problem(kind=kind, detail=detail, facts=facts, headers=_marks(replayed=replayed), say=say)


def _others(alternatives: Alternatives | None) -> dict[str, Any]:
    # Left out, because an empty list says that nothing is free.
    return {} if alternatives is None else {"alternatives": alternatives}


def _marks(*, replayed: bool) -> dict[str, str]:
    return REPLAYED if replayed else {}
