"""From the outcome of a move at Cal.com to the events that record it: pure, and safe to repeat."""

from datetime import datetime
from typing import assert_never

from domain import events as e
from domain import moving as m
from domain.booking import Booking, Goal
from domain.evolving import fold
from domain.moving import MoveStatus
from domain.policy import Policy
from sagas import outcomes as o
from sagas.deferring import wait_to_move
from sagas.recording import record_made, settled
from sagas.steps import RescheduleAtCalcom, TraceMove


def announce_reschedule(
    effect: RescheduleAtCalcom, *, now: datetime, policy: Policy
) -> tuple[m.CalcomRescheduleAttempted, ...]:
    """Return the event that must be in the log before Cal.com is asked to move anything."""
    send_by = now + policy.send_within
    return (
        m.CalcomRescheduleAttempted(
            at=now,
            uid=effect.uid,
            number=effect.number,
            send_by=send_by,
            answer_by=send_by + policy.attempt_limit,
        ),
    )


def record_reschedule(
    booking: Booking,
    effect: RescheduleAtCalcom,
    outcome: o.CreateOutcome,
    *,
    answered_at: datetime,
    now: datetime,
    policy: Policy,
) -> tuple[e.BookingEvent, ...]:
    """Return what the outcome of a move, known since `answered_at`, adds to the log."""
    if isinstance(outcome, o.Made):
        return _moved(booking, effect.uid, effect.attempt_id, outcome, now=now)
    move = booking.move
    if move is None or booking.goal is not Goal.MOVE or move.number != effect.number:
        return ()
    if isinstance(outcome, o.Unknown):
        doubted = move.is_doubted_by(answered_at)
        unknown = m.CalcomRescheduleUnknown(at=now, reason=outcome.reason, detail=outcome.detail)
        return (unknown,) if doubted else ()
    if not move.is_open:
        return ()
    match outcome:
        case o.Refused():
            return (
                m.CalcomRescheduleRefused(at=now, reason=outcome.reason, detail=outcome.detail, status=outcome.status),
            )
        case o.NotSent():
            retry_at = now + wait_to_move(booking, move, outcome, policy=policy)
            return (m.CalcomRescheduleNotSent(at=now, reason=outcome.reason, detail=outcome.detail, retry_at=retry_at),)
        case _:
            assert_never(outcome)


def record_trace(
    booking: Booking, effect: TraceMove, trace: o.Trace, *, started_at: datetime, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what reading the old uid adds to the log: moved, gone, or one look more that saw it stand."""
    match trace:
        case o.Standing() if trace.uid != effect.uid:
            failed = _by_somebody_else(booking, trace, now=now)
            moved = _moved(fold(booking, failed), effect.uid, effect.attempt_id, trace, now=now)
            return (*failed, *moved)
        case o.Gone():
            return _cancelled_meanwhile(booking, effect, now=now)
        case o.Standing():
            return _looked(booking, started_at, None, now=now, policy=policy)
        case o.NotThere():
            return _looked(booking, started_at, "not_there", now=now, policy=policy)
        case o.TraceFailed():
            return _looked(booking, started_at, trace.reason, now=now, policy=policy)
        case _:
            assert_never(trace)


def _moved(
    booking: Booking, from_uid: str, attempt_id: str, to: o.Made | o.Standing, *, now: datetime
) -> tuple[e.BookingEvent, ...]:
    if booking.ledger.holding(to.uid) is not None:
        return ()
    if booking.ledger.holding(from_uid) is None:
        # It was moved by another attempt already, and once more: what this one has made is one booking too many.
        return record_made(booking, attempt_id, to, how="made" if isinstance(to, o.Made) else "adopted", now=now)
    waited_for = booking.goal is Goal.MOVE and booking.move is not None and booking.move.status is not MoveStatus.MOVED
    return (
        m.CalcomBookingMoved(
            at=now,
            attempt_id=attempt_id,
            from_uid=from_uid,
            to_uid=to.uid,
            starts_at=to.starts_at,
            ends_at=to.ends_at,
            late=not waited_for,
        ),
    )


def _by_somebody_else(booking: Booking, seen: o.Standing, *, now: datetime) -> tuple[m.RescheduleFailed, ...]:
    """Return that the move has come to nothing, if Cal.com has another time than was asked for."""
    move = booking.move
    waits = booking.goal is Goal.MOVE and move is not None and move.status is MoveStatus.IN_DOUBT
    known = booking.ledger.holding(seen.uid) is not None
    if move is None or not waits or known or seen.starts_at == move.starts_at:
        return ()
    detail = f"at Cal.com it was moved to {seen.starts_at.isoformat()} meanwhile"
    return (m.RescheduleFailed(at=now, reason="moved_at_calcom", detail=detail),)


def _cancelled_meanwhile(booking: Booking, effect: TraceMove, *, now: datetime) -> tuple[e.BookingEvent, ...]:
    # A booking that is not being moved any more is left to a webhook or the reconciler, who see to its row, too.
    line = booking.ledger.holding(effect.uid)
    if line is None or booking.goal is not Goal.MOVE:
        return ()
    gone = e.CalcomBookingCancelled(at=now, attempt_id=line.attempt_id, uid=effect.uid, how="already_cancelled")
    return (gone, *settled(booking, effect.uid, now=now))


def _looked(
    booking: Booking, started_at: datetime, problem: str | None, *, now: datetime, policy: Policy
) -> tuple[m.CalcomRescheduleLooked, ...]:
    move = booking.move
    if move is None or move.status is not MoveStatus.IN_DOUBT:
        return ()
    if move.last_looked_at is not None and started_at <= move.last_looked_at:
        return ()
    late_enough = move.answer_by is not None and started_at >= policy.absent_from(move.answer_by)
    paced = not move.clean_looks or move.last_looked_at is None or started_at >= move.last_looked_at + policy.pace
    counted = problem is None and late_enough and paced
    return (m.CalcomRescheduleLooked(at=now, started_at=started_at, counted=counted, problem=problem),)
