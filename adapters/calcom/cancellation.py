"""
Cancelling at Cal.com what is ours, and nothing else.

Cal.com API v2: whoever knows a uid can cancel it, so ownership is ours to check. A
repeat is answered with 400, a moved booking counts as cancelled and names its
successor, and 500 has been seen on cancels that did cancel: a repeat finds the truth.
"""

from collections.abc import Awaitable, Callable

from adapters.calcom import endpoints, refusals
from adapters.calcom.answers import Unreadable, is_success, problem_of, read
from adapters.calcom.bodies import cancel_body
from adapters.calcom.models import BookingAnswer
from adapters.calcom.reading import Failure, NotFound, Seen, failure_of, read_booking
from adapters.calcom.replies import Answer
from adapters.calcom.wire import Wire
from domain.booking import Booking
from sagas.outcomes import (
    CancelFailed,
    Cancelled,
    CancelOutcome,
    CancelRefused,
    LookFailed,
    LookOutcome,
    Moved,
    NotOurs,
)
from sagas.steps import CancelAtCalcom

Search = Callable[[], Awaitable[LookOutcome]]
"""Look for the attempt that made the booking."""

_NOT_FOUND = 404
_UNDOING = "The booking could not be completed."
_NO_REASON = "The customer cancelled."


async def cancel_booking(
    wire: Wire, booking: Booking, effect: CancelAtCalcom, *, search: Search, may_be_gone: bool
) -> CancelOutcome:
    """
    Cancel a booking, after a look at whose it is unless the customer wants it cancelled.

    `may_be_gone` is false as long as Cal.com's replicas may not have got the booking
    yet: then its absence means nothing.
    """
    if effect.purpose != "cancellation":
        settled = _checked(await read_booking(wire, effect.uid), effect)
        if isinstance(settled, NotFound):
            return await _not_found(effect, search, may_be_gone=may_be_gone)
        if settled is not None:
            return settled
    reply = await wire.send(endpoints.cancel(effect.uid), body=cancel_body(_reason(booking, effect)))
    if isinstance(reply, Answer) and is_success(reply):
        return _cancelled(reply, effect)
    problem = problem_of(reply) if isinstance(reply, Answer) else None
    if problem is None:
        return _failed(failure_of(reply))
    refusal = refusals.find(refusals.CANCEL, problem)
    if refusal is not None:
        return CancelRefused(reason=refusal.reason, detail=problem.detail)
    if not refusals.says_already_cancelled(problem) and problem.status != _NOT_FOUND:
        return _failed(failure_of(reply))
    seen = await read_booking(wire, effect.uid)
    if isinstance(seen, NotFound):
        return await _not_found(effect, search, may_be_gone=may_be_gone)
    return _dead(seen) or CancelFailed(reason="still_live", detail=problem.detail)


def _checked(seen: Seen, effect: CancelAtCalcom) -> CancelOutcome | NotFound | None:
    if isinstance(seen, BookingAnswer) and seen.attempt_id != effect.attempt_id:
        carried = "another" if seen.attempt_id else "no"
        return NotOurs(detail=f"the booking {effect.uid} carries {carried} attempt id")
    return seen if isinstance(seen, NotFound) else _dead(seen)


def _dead(seen: BookingAnswer | Failure) -> CancelOutcome | None:
    if isinstance(seen, Failure):
        return _failed(seen)
    if seen.is_live:
        return None
    return Moved(to_uid=seen.rescheduled_to_uid) if seen.rescheduled_to_uid else Cancelled(how="already_cancelled")


def _cancelled(answer: Answer, effect: CancelAtCalcom) -> CancelOutcome:
    try:
        booking = read(answer, BookingAnswer)
    except Unreadable as error:
        return CancelFailed(reason="unreadable", detail=str(error))
    if booking.uid != effect.uid or booking.is_live:
        return CancelFailed(reason="unreadable", detail="the answer does not say that this booking is cancelled")
    return Moved(to_uid=booking.rescheduled_to_uid) if booking.rescheduled_to_uid else Cancelled(how="cancelled")


async def _not_found(effect: CancelAtCalcom, search: Search, *, may_be_gone: bool) -> CancelOutcome:
    if not may_be_gone:
        return CancelFailed(reason="not_visible", detail="Cal.com does not show the booking yet")
    looked = await search()
    if isinstance(looked, LookFailed):
        return CancelFailed(reason=looked.reason, detail="the booking is not found, and the list could not be read")
    ours = [found for found in looked.found if found.attempt_id == effect.attempt_id]
    live = [found.uid for found in ours if found.is_live]
    if effect.uid in live:
        return CancelFailed(reason="not_visible", detail="Cal.com lists the booking, but does not find it")
    if live:
        return Moved(to_uid=live[0])
    return Cancelled(how="already_cancelled" if ours else "gone")


def _failed(failure: Failure) -> CancelFailed:
    return CancelFailed(reason=failure.reason, detail=failure.detail, retry_after=failure.retry_after)


def _reason(booking: Booking, effect: CancelAtCalcom) -> str:
    if effect.purpose != "cancellation":
        return _UNDOING
    asked = "" if booking.cancellation is None else booking.cancellation.person.reason.strip()
    return asked or _NO_REASON
