"""
What a reschedule does next: claim first, then Cal.com, then the row.

Until Cal.com has moved the booking nothing has happened, and the appointment stays where
it is. From then on it is where Cal.com has it, whatever the local database says.
"""

from datetime import datetime
from typing import assert_never

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.booking import Booking
from domain.ledger import Line
from domain.moving import Move, MoveStatus
from domain.policy import Policy
from domain.retry import NO_OUTCOME
from sagas.obstacles import stands
from sagas.steps import InspectObstacle, Perform, Record, RescheduleAtCalcom, Shift, Step, TraceMove, Wait


def next_move(booking: Booking, move: Move, kept: Line, now: datetime, policy: Policy) -> Step:
    """Return what a booking that is being moved needs next."""
    match move.status:
        case MoveStatus.INTENDED:
            return _outcome_missing(move, now)
        case MoveStatus.IN_DOUBT:
            return _settle(move, kept, now, policy)
        case MoveStatus.REFUSED:
            return _fail(move.refusal, move.detail, now)
        case MoveStatus.MOVED:
            return _shift(booking, move, kept, now, policy)
        case MoveStatus.WANTED:
            return _ask(move, kept, now, policy)
        case status:
            assert_never(status)


def _ask(move: Move, kept: Line, now: datetime, policy: Policy) -> Step:
    if now >= move.starts_at:
        return _fail("expired", "the new time has passed", now)
    expires_at = min(move.starts_at, move.asked_at + policy.expiry)
    if now >= expires_at:
        return _fail("expired", "the appointment could not be moved in time", now)
    if move.number - move.held_back >= policy.create_attempts or move.not_sent > policy.retry.retries:
        return _fail("calcom_unavailable", "Cal.com took none of the attempts", now)
    if move.retry_at is not None and now < move.retry_at:
        return Wait(min(move.retry_at, expires_at))
    return Perform(
        RescheduleAtCalcom(
            uid=kept.uid or "",
            attempt_id=kept.attempt_id,
            starts_at=move.starts_at,
            reason=move.reason,
            number=move.number + 1,
        )
    )


def _outcome_missing(move: Move, now: datetime) -> Step:
    # The process that announced it may still be waiting for its answer.
    if move.answer_by is not None and now < move.answer_by:
        return Wait(move.answer_by)
    detail = "the move was announced, and no outcome was recorded"
    return Record((m.CalcomRescheduleUnknown(at=now, reason=NO_OUTCOME, detail=detail),))


def _settle(move: Move, kept: Line, now: datetime, policy: Policy) -> Step:
    if move.clean_looks >= policy.clean_looks:
        return Record((m.CalcomRescheduleAbsent(at=now),))
    if move.failed_looks >= policy.review_after:
        return _ask_a_person(kept, "cannot_look", f"reading the booking failed {move.failed_looks} times", now)
    due = policy.look_at_move(move)
    return Wait(due) if now < due else Perform(TraceMove(uid=kept.uid or "", attempt_id=kept.attempt_id))


def _shift(booking: Booking, move: Move, kept: Line, now: datetime, policy: Policy) -> Step:
    if booking.persistence_failure not in {None, "staff_overlap"}:
        detail = f"the local database refused the new time: {booking.persistence_failure}"
        return _ask_a_person(kept, "persistence_failed", detail, now)
    obstacle = booking.obstacle
    if obstacle is not None and obstacle.verdict is None:
        return Perform(InspectObstacle(appointment_id=obstacle.appointment_id))
    if obstacle is not None and booking.retry_at is not None and now < booking.retry_at:
        return Wait(booking.retry_at)
    # Two bookings that wait for each other's time must not wait for ever.
    stays = obstacle is not None and (stands(obstacle, policy) or booking.repeats >= policy.inconsistent_after)
    overlaps = stays or (booking.persistence_failure is not None and obstacle is None)
    # Cal.com has it there, and the old time may be gone: it is kept, flagged, and a person looks.
    flags = _flags(kept, now) if overlaps else ()
    rescheduled = m.BookingRescheduled(
        at=now,
        from_uid=kept.uid or "",
        to_uid=kept.uid or "",
        starts_at=move.starts_at,
        ends_at=move.ends_at,
        by="customer" if move.claimed else "calcom",
        overlaps=overlaps,
    )
    return Shift(rescheduled=rescheduled, flags=flags)


def _flags(kept: Line, now: datetime) -> tuple[e.BookingEvent, ...]:
    evidence = "moved at Cal.com to a time when the member of staff has another appointment here"
    return (
        f.InconsistencyDetected(at=now, kind="time_drift", uid=kept.uid, evidence=evidence, repair="manual_review"),
        f.ManualReviewRequested(at=now, reason="time_drift", detail=evidence, attempt_id=kept.attempt_id, uid=kept.uid),
    )


def _ask_a_person(kept: Line, reason: str, detail: str, now: datetime) -> Step:
    asked = f.ManualReviewRequested(at=now, reason=reason, detail=detail, attempt_id=kept.attempt_id, uid=kept.uid)
    return Record((asked,))


def _fail(reason: str, detail: str, now: datetime) -> Step:
    return Record((m.RescheduleFailed(at=now, reason=reason, detail=detail),))
