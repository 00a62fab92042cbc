"""What a caller is told: from where a booking stands to status, headers and body."""

from datetime import UTC, datetime
from math import ceil
from typing import Any

import orjson
from starlette.responses import Response

from adapters.representation import booking_document, failure_of
from adapters.web import problems as p
from adapters.web.problems import Problem
from adapters.web.refusals import booking_location
from domain.booking import Booking, BookingStatus
from sagas.orchestrator import BookingResult

ASK_AGAIN_SECONDS = 2
ASK_AGAIN_AT_MOST_SECONDS = 60
REPLAYED = {"Idempotency-Replayed": "true"}
MESSAGES = {
    BookingStatus.PENDING: "Your booking is recorded. I am still confirming the time and will finish it automatically.",
    BookingStatus.COMPENSATING: "That time could not be kept. I am making sure that nothing stays booked.",
    BookingStatus.CANCELLING: "Your cancellation is recorded and will be completed automatically.",
    BookingStatus.RESCHEDULING: "Your appointment is being moved. I will finish that automatically.",
    BookingStatus.NEEDS_REVIEW: "Your request is recorded. One of our staff has to look at it and will finish it.",
}
DEFERRED = "The calendar cannot be reached at the moment. Your request is queued and will be retried automatically."


def json_answer(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401
    """Return anything that orjson can write."""
    return Response(orjson.dumps(content), status_code=status, headers=headers, media_type="application/json")


def answer_booking(result: BookingResult, *, correlation_id: str) -> Response:
    """Return the answer to a wish for an appointment."""
    booking = result.booking
    if result.near_duplicate:
        return _near_duplicate(booking.booking_id).answer(correlation_id)
    match booking.status:
        case BookingStatus.BOOKED if result.replayed:
            return _standing(booking, status=200, replayed=True)
        case BookingStatus.BOOKED:
            return _standing(booking, status=201, replayed=False)
        case BookingStatus.FAILED | BookingStatus.CANCELLED:
            return _refusal(booking, replayed=result.replayed).answer(correlation_id)
        case BookingStatus.NEEDS_REVIEW if not booking.facts.key_given:
            return _refusal(booking, replayed=result.replayed).answer(correlation_id)
        case _:
            return _standing(booking, status=202, replayed=result.replayed)


def answer_cancellation(result: BookingResult) -> Response:
    """Return the answer to a cancellation: done, or going on."""
    ended = result.booking.status in {BookingStatus.CANCELLED, BookingStatus.FAILED}
    return _standing(result.booking, status=200 if ended else 202, replayed=result.replayed)


def answer_state(booking: Booking) -> Response:
    """Return a booking as it stands."""
    return json_answer({"booking": booking_document(booking)})


def _standing(booking: Booking, *, status: int, replayed: bool) -> Response:
    headers = {"Location": booking_location(booking.booking_id)}
    if replayed:
        headers |= REPLAYED
    content: dict[str, Any] = {"booking": booking_document(booking)}
    if status == 202:  # noqa: PLR2004 - HTTP's own number
        headers["Retry-After"] = str(_ask_again_in(booking))
        content["message"] = _message(booking)
    return json_answer(content, status=status, headers=headers)


def _message(booking: Booking) -> str:
    if booking.status is BookingStatus.PENDING and booking.deferred_for is not None:
        return DEFERRED
    return MESSAGES[booking.status]


def _ask_again_in(booking: Booking) -> int:
    if booking.status is BookingStatus.NEEDS_REVIEW:
        return ASK_AGAIN_AT_MOST_SECONDS
    if booking.retry_at is None:
        return ASK_AGAIN_SECONDS
    seconds = (booking.retry_at - datetime.now(UTC)).total_seconds()
    return min(max(ceil(seconds), ASK_AGAIN_SECONDS), ASK_AGAIN_AT_MOST_SECONDS)


def _near_duplicate(first: Any) -> Problem:  # noqa: ANN401
    detail = (
        "This customer already has a booking of this service at nearly the same time: see `booking_id`. "
        "Send `allow_near_duplicate` to book beside it."
    )
    facts = {"reason": "near_duplicate", "booking_id": first}
    return Problem(kind=p.NEAR_DUPLICATE, detail=detail, facts=facts)


def _refusal(booking: Booking, *, replayed: bool) -> Problem:
    failure = failure_of(booking)
    reason = booking.status.value if failure is None else failure.reason
    detail = "" if failure is None else failure.detail
    facts: dict[str, Any] = {"reason": reason, "booking_id": booking.booking_id}
    match booking.status, reason:
        case BookingStatus.NEEDS_REVIEW, _:
            kind, detail = p.NEEDS_REVIEW, "A person has to decide about this booking first."
        case BookingStatus.CANCELLED, _:
            kind, facts["reason"] = p.BOOKING_CANCELLED, "cancelled"
            detail = "The booking that this key stands for was cancelled; use a new key to book again."
        case _, "near_duplicate":
            kind = p.NEAR_DUPLICATE
        case _, "slot_taken":
            kind, facts["alternatives"] = p.SLOT_TAKEN, []
        case _:
            kind = p.BOOKING_REFUSED
    return Problem(kind=kind, detail=_sentence(detail or reason), facts=facts, headers=REPLAYED if replayed else {})


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
