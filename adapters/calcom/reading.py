"""Reading one booking, and why a call that changes nothing did not work."""

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from adapters.calcom import endpoints, refusals
from adapters.calcom.answers import Unreadable, is_success, problem_of, read
from adapters.calcom.models import BookingAnswer, SightingAnswer
from adapters.calcom.paced import Sender
from adapters.calcom.rate_limit import BLOCK_SECONDS, retry_after
from adapters.calcom.replies import Answer, Reply


@dataclass(frozen=True, slots=True)
class NotFound:
    """Cal.com knows no such booking, at least not in the replica that it read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The call did not work, or its answer cannot be relied on; `retry_after` in seconds."""

    reason: str
    detail: str
    retry_after: float | None = None


Seen: TypeAlias = BookingAnswer | NotFound | Failure
Booking = TypeVar("Booking", bound=BookingAnswer)


async def read_booking(wire: Sender, uid: str) -> Seen:
    """Read the booking that stands under a uid, which is public and needs no ownership."""
    return await _read(wire, uid, BookingAnswer)


async def read_sighting(wire: Sender, uid: str) -> SightingAnswer | NotFound | Failure:
    """Read the booking that stands under a uid, with what is needed to take it in."""
    return await _read(wire, uid, SightingAnswer)


async def _read(wire: Sender, uid: str, model: type[Booking]) -> Booking | NotFound | Failure:
    reply = await wire.send(endpoints.get(uid))
    if not isinstance(reply, Answer):
        return failure_of(reply)
    if not is_success(reply):
        return NotFound() if refusals.says_no_booking(problem_of(reply)) else failure_of(reply)
    try:
        seen = read(reply, model)
    except Unreadable as error:
        return Failure(reason="unreadable", detail=str(error))
    return seen if seen.uid == uid else Failure(reason="unreadable", detail="the answer is about another uid")


def failure_of(reply: Reply) -> Failure:
    """Say why a call failed, in one of our codes."""
    if not isinstance(reply, Answer):
        return Failure(reason=reply.reason, detail=reply.detail, retry_after=getattr(reply, "retry_after", None))
    problem = problem_of(reply)
    wait = retry_after(reply.headers) if reply.status in {429, 503} else None
    if refusals.says_throttled(problem):
        return Failure(reason="rate_limited", detail=problem.detail, retry_after=wait or BLOCK_SECONDS)
    if refusals.says_key_rejected(problem):
        return Failure(reason="unauthorized", detail=problem.detail)
    return Failure(reason=f"http_{reply.status}", detail=problem.detail, retry_after=wait)
