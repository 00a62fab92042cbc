"""
From an outcome to the events that record it: pure, and safe to repeat.

An outcome is recorded whatever has happened meanwhile (a lost lease, an ended saga):
when the log already knows it, nothing is written.
"""

from datetime import datetime, timedelta
from itertools import chain

from domain import events as e
from domain.booking import Booking, BookingStatus, Goal
from domain.ledger import LineStatus
from domain.policy import Policy
from sagas import outcomes as o
from sagas.steps import CancelAtCalcom, LookAtCalcom

_UNSETTLED = frozenset({LineStatus.INTENDED, LineStatus.IN_DOUBT})
_GIVEN_UP = frozenset({LineStatus.ABSENT, LineStatus.ABSENT_FOR_GOOD, LineStatus.NOT_SENT, LineStatus.REFUSED})


def announce_create(
    *, attempt_id: str, number: int, now: datetime, policy: Policy
) -> tuple[e.CalcomBookingAttempted, ...]:
    """Return the event that must be in the log before Cal.com is asked to create anything."""
    send_by = now + policy.send_within
    return (
        e.CalcomBookingAttempted(
            at=now, attempt_id=attempt_id, number=number, send_by=send_by, answer_by=send_by + policy.attempt_limit
        ),
    )


def announce_cancel(effect: CancelAtCalcom, *, now: datetime) -> tuple[e.CalcomCancelAttempted, ...]:
    """Return the event that must be in the log before Cal.com is asked to cancel."""
    return (e.CalcomCancelAttempted(at=now, uid=effect.uid, purpose=effect.purpose, number=effect.number),)


def record_create(
    booking: Booking, attempt_id: str, outcome: o.CreateOutcome, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what a create's outcome adds to the log."""
    line = booking.ledger.of(attempt_id)
    unsettled = line is not None and line.status in _UNSETTLED
    match outcome:
        case o.Made():
            return _made(booking, attempt_id, outcome, how="made", now=now)
        case o.Refused() if unsettled:
            return (
                e.CalcomBookingRefused(
                    at=now,
                    attempt_id=attempt_id,
                    reason=outcome.reason,
                    detail=outcome.detail,
                    status=outcome.status,
                    conflict=outcome.conflict,
                ),
            )
        case o.NotSent() if unsettled:
            return _not_sent(booking, attempt_id, outcome, now=now, policy=policy)
        case o.Unknown() if line is not None and line.status is LineStatus.INTENDED:
            return (
                e.CalcomOutcomeUnknown(at=now, attempt_id=attempt_id, reason=outcome.reason, detail=outcome.detail),
            )
        case _:
            return ()


def _made(
    booking: Booking, attempt_id: str, outcome: o.Made | o.Found, *, how: e.CreatedHow, now: datetime
) -> tuple[e.BookingEvent, ...]:
    if booking.ledger.holding(outcome.uid) is not None:
        return ()
    line = booking.ledger.of(attempt_id)
    late = line is None or line.status in _GIVEN_UP or booking.ended is not None or booking.goal is not Goal.BOOK
    return (
        e.CalcomBookingCreated(
            at=now,
            attempt_id=attempt_id,
            uid=outcome.uid,
            starts_at=outcome.starts_at,
            ends_at=outcome.ends_at,
            calcom_status=outcome.calcom_status,
            how=how,
            late=late,
        ),
    )


def _not_sent(
    booking: Booking, attempt_id: str, outcome: o.NotSent, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    failures = booking.not_sent + 1
    wait = policy.retry.delay(failures, salt=attempt_id)
    if outcome.retry_after is not None:
        wait = max(wait, timedelta(seconds=outcome.retry_after))
    not_sent = e.CalcomBookingNotSent(
        at=now, attempt_id=attempt_id, reason=outcome.reason, detail=outcome.detail, retry_at=now + wait
    )
    if outcome.defer or failures > policy.retry.retries:
        return (not_sent, e.BookingDeferred(at=now, until=now + wait, reason=outcome.reason))
    return (not_sent,)


def record_look(
    booking: Booking, effect: LookAtCalcom, outcome: o.LookOutcome, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what a look adds to the log: bookings found, or one look more that found nothing."""
    match outcome:
        case o.LookFailed():
            return (
                e.CalcomLooked(
                    at=now,
                    started_at=outcome.started_at,
                    attempt_ids=effect.attempt_ids,
                    counted=(),
                    problem=outcome.reason,
                ),
            )
        case o.Looked():
            found = tuple(chain.from_iterable(_found(booking, it, outcome, now=now) for it in effect.attempt_ids))
            missing = tuple(it for it in effect.attempt_ids if all(one.attempt_id != it for one in outcome.found))
            return (*found, *_missed(booking, missing, outcome, now=now, policy=policy))


def _found(booking: Booking, attempt_id: str, looked: o.Looked, *, now: datetime) -> tuple[e.BookingEvent, ...]:
    ours = [one for one in looked.found if one.attempt_id == attempt_id]
    live = sorted((one for one in ours if one.is_live), key=lambda one: (one.uid != booking.kept_uid, one.created_at))
    if live:
        return tuple(chain.from_iterable(_made(booking, attempt_id, one, how="adopted", now=now) for one in live))
    line = booking.ledger.of(attempt_id)
    if not ours or line is None or line.status is LineStatus.CANCELLED:
        return ()
    return (e.CalcomBookingCancelled(at=now, attempt_id=attempt_id, uid=ours[0].uid, how="already_cancelled"),)


def _missed(
    booking: Booking, missing: tuple[str, ...], looked: o.Looked, *, now: datetime, policy: Policy
) -> tuple[e.CalcomLooked, ...]:
    if not missing:
        return ()
    lines = (booking.ledger.of(attempt_id) for attempt_id in missing)
    counted = tuple(
        line.attempt_id
        for line in lines
        if line is not None and looked.started_at >= policy.absent_from(line.answer_by)
    )
    return (e.CalcomLooked(at=now, started_at=looked.started_at, attempt_ids=missing, counted=counted, problem=None),)


def record_cancel(
    booking: Booking, effect: CancelAtCalcom, outcome: o.CancelOutcome, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what a cancel's outcome adds to the log."""
    line = booking.ledger.holding(effect.uid)
    if line is None or line.status is not LineStatus.LIVE:
        return ()
    match outcome:
        case o.Cancelled():
            return (e.CalcomBookingCancelled(at=now, attempt_id=effect.attempt_id, uid=effect.uid, how=outcome.how),)
        case o.Moved():
            return (
                e.CalcomBookingFollowed(
                    at=now, attempt_id=effect.attempt_id, from_uid=effect.uid, to_uid=outcome.to_uid
                ),
            )
        case o.CancelRefused():
            return (e.ManualReviewRequested(at=now, reason=outcome.reason, detail=outcome.detail),)
        case o.NotOurs():
            return (
                e.InconsistencyDetected(at=now, kind="foreign_booking", uid=effect.uid, evidence=outcome.detail),
                e.ManualReviewRequested(at=now, reason="foreign_booking", detail=outcome.detail),
            )
        case o.CancelFailed():
            return _cancel_failed(line.cancel_failures + 1, effect, outcome, now=now, policy=policy)


def _cancel_failed(
    failures: int, effect: CancelAtCalcom, outcome: o.CancelFailed, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    wait = policy.retry.delay(failures, salt=effect.uid)
    if outcome.retry_after is not None:
        wait = max(wait, timedelta(seconds=outcome.retry_after))
    failed = e.CompensationFailed(
        at=now, uid=effect.uid, reason=outcome.reason, detail=outcome.detail, retry_at=now + wait
    )
    if failures != policy.inconsistent_after:
        return (failed,)
    evidence = f"cancelling at Cal.com has failed {failures} times, last with {outcome.reason}"
    return (
        failed,
        e.InconsistencyDetected(at=now, kind="compensation_failed", uid=effect.uid, evidence=evidence),
    )


def record_inspection(
    booking: Booking, outcome: o.Inspected, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what the look at the row in the way adds to the log."""
    if booking.obstacle is None or booking.ended is BookingStatus.BOOKED:
        return ()
    wait = policy.retry.delay(1, salt=str(booking.booking_id)) if outcome.verdict == "moving" else timedelta(0)
    return (
        e.ObstacleInspected(
            at=now, obstacle_id=booking.obstacle.appointment_id, verdict=outcome.verdict, retry_at=now + wait
        ),
    )
