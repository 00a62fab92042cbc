"""
What came of asking Cal.com for a booking: ours, refused, not sent, or unknown.

A success is no proof. Cal.com API v2 answers a repeat by the same attendee on an event
type with confirmation or round robin with the existing booking and 201; only the
attempt's id in the metadata tells whether this call made it. And a fault is no proof
of the contrary, save for the few that `adapters.calcom.refusals` lists.
"""

from datetime import datetime, timedelta

from adapters.calcom import refusals
from adapters.calcom.answers import Problem, Unreadable, is_success, problem_of, read
from adapters.calcom.models import BookingAnswer
from adapters.calcom.rate_limit import BLOCK_SECONDS, retry_after
from adapters.calcom.reading import read_booking
from adapters.calcom.refusals import Refusal
from adapters.calcom.replies import Answer, Reply, Unsent
from adapters.calcom.wire import Wire
from sagas.next_step import CLOCK_SKEW
from sagas.outcomes import CreateOutcome, Made, NotSent, Refused, Unknown


async def outcome_of(
    reply: Reply, *, wire: Wire, attempt_id: str, asked_at: datetime, table: tuple[Refusal, ...]
) -> CreateOutcome:
    """Classify what came of a create; `table` holds the answers that prove that nothing was made."""
    if isinstance(reply, Unsent):
        return not_sent(reply)
    if not isinstance(reply, Answer):
        return Unknown(reason=reply.reason, detail=reply.detail)
    if not is_success(reply):
        return _not_made(reply, problem_of(reply), table)
    try:
        booking = read(reply, BookingAnswer)
    except Unreadable as error:
        return Unknown(reason="unreadable", detail=str(error))
    if booking.attempt_id is None:
        return await _recognized(wire, booking.uid, attempt_id=attempt_id, asked_at=asked_at)
    return _made(booking, attempt_id=attempt_id)


def not_sent(unsent: Unsent) -> NotSent:
    """Say in the sagas' words that nothing left."""
    return NotSent(reason=unsent.reason, detail=unsent.detail, retry_after=unsent.retry_after, defer=unsent.defer)


def _not_made(answer: Answer, problem: Problem, table: tuple[Refusal, ...]) -> CreateOutcome:
    if refusals.says_throttled(problem):
        wait = retry_after(answer.headers) or BLOCK_SECONDS
        return NotSent(reason="rate_limited", detail=problem.detail, retry_after=wait, defer=True)
    if refusals.says_key_rejected(problem):
        return NotSent(reason="unauthorized", detail=problem.detail, defer=True)
    refusal = refusals.find(table, problem)
    if refusal is None:
        return Unknown(reason=f"http_{problem.status}", detail=problem.detail)
    return Refused(reason=refusal.reason, detail=problem.detail, status=problem.status, conflict=refusal.conflict)


def _made(booking: BookingAnswer, *, attempt_id: str) -> Made | Refused:
    if booking.attempt_id != attempt_id:
        return _duplicate()
    return Made(uid=booking.uid, starts_at=booking.starts_at, ends_at=booking.ends_at, calcom_status=booking.status)


async def _recognized(wire: Wire, uid: str, *, attempt_id: str, asked_at: datetime) -> CreateOutcome:
    seen = await read_booking(wire, uid)
    if not isinstance(seen, BookingAnswer):
        return Unknown(reason="unrecognized", detail="the answer has no attempt id, and the booking could not be read")
    if seen.attempt_id is not None:
        return _made(seen, attempt_id=attempt_id)
    if seen.created_at < asked_at - CLOCK_SKEW - timedelta(seconds=1):
        return _duplicate()
    return Unknown(reason="unrecognized", detail="the booking carries no attempt id")


def _duplicate() -> Refused:
    # It may be one that an earlier attempt of ours has made: as a conflict, it has those looked for again.
    detail = "Cal.com returned a booking that was there before; nothing was created"
    return Refused(reason="duplicate", detail=detail, conflict=True)
