"""
From an outcome to the events that record it: pure, and safe to repeat.

An outcome is recorded whatever has happened meanwhile (a lost lease, an ended saga):
when the log already knows it, nothing is written.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import assert_never

from domain import events as e
from domain import findings as f
from domain.booking import Booking, BookingStatus, Goal
from domain.ledger import LineStatus
from domain.policy import Policy
from domain.retry import BREAKER_OPEN, HELD_BACK
from sagas import outcomes as o
from sagas.deferring import record_cancel_held_back, wait_to_send
from sagas.sight import with_sight
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
    booking: Booking,
    attempt_id: str,
    outcome: o.CreateOutcome,
    *,
    answered_at: datetime,
    now: datetime,
    policy: Policy,
) -> tuple[e.BookingEvent, ...]:
    """Return what a create's outcome, known since `answered_at`, adds to the log."""
    news = _of_create(booking, attempt_id, outcome, answered_at=answered_at, now=now, policy=policy)
    return with_sight(booking, news, now=now)


def _of_create(
    booking: Booking,
    attempt_id: str,
    outcome: o.CreateOutcome,
    *,
    answered_at: datetime,
    now: datetime,
    policy: Policy,
) -> tuple[e.BookingEvent, ...]:
    line = booking.ledger.of(attempt_id)
    unsettled = line is not None and line.status in _UNSETTLED
    match outcome:
        case o.Made():
            return record_made(booking, attempt_id, outcome, how="made", now=now)
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
        case o.Unknown() if line is not None and line.is_doubted_by(answered_at):
            return (
                e.CalcomOutcomeUnknown(at=now, attempt_id=attempt_id, reason=outcome.reason, detail=outcome.detail),
            )
        case _:
            return ()


def record_made(
    booking: Booking, attempt_id: str, outcome: o.Made | o.Found | o.Standing, *, how: e.CreatedHow, now: datetime
) -> tuple[e.BookingEvent, ...]:
    """Return what it adds to the log that an attempt has made a booking."""
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
    wait = wait_to_send(failures, attempt_id, outcome, policy=policy)
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
            asked = tuple(it for it in effect.attempt_ids if _is_news(booking, it, outcome.started_at))
            failed = _looked(asked, (), outcome.started_at, outcome.reason, now=now)
            return (*failed, *_blind(booking, asked, outcome.reason, now=now, policy=policy))
        case o.Looked():
            asked = tuple(it for it in effect.attempt_ids if _is_news(booking, it, outcome.started_at))
            found = tuple(chain.from_iterable(_found(booking, it, outcome, now=now) for it in effect.attempt_ids))
            missing = tuple(it for it in asked if all(one.attempt_id != it for one in outcome.found))
            counted = tuple(it for it in missing if _counts(booking, it, outcome.started_at, policy))
            unseen = tuple(it for it in asked if _moved_out_of_sight(it, outcome))
            news = (
                *found,
                *_looked(missing, counted, outcome.started_at, None, now=now),
                *_looked(unseen, (), outcome.started_at, "moved_out_of_sight", now=now),
            )
            return with_sight(booking, news, now=now, clear=not unseen)
        case _:
            assert_never(outcome)


def _blind(
    booking: Booking, asked: tuple[str, ...], reason: str, *, now: datetime, policy: Policy
) -> tuple[f.InconsistencyDetected, ...]:
    """Return that both sides may differ, when a look has failed as often as is remarkable."""
    if reason == BREAKER_OPEN:
        return ()
    lines = (booking.ledger.of(attempt_id) for attempt_id in asked)
    if all(line is None or line.failed_looks + 1 != policy.inconsistent_after for line in lines):
        return ()
    evidence = f"looking at Cal.com has failed {policy.inconsistent_after} times, last with {reason}"
    return (f.InconsistencyDetected(at=now, kind="orphan", uid=None, evidence=evidence),)


def _found(booking: Booking, attempt_id: str, looked: o.Looked, *, now: datetime) -> tuple[e.BookingEvent, ...]:
    ours = [one for one in looked.found if one.attempt_id == attempt_id]
    live = sorted((one for one in ours if one.is_live), key=lambda one: (one.uid != booking.kept_uid, one.created_at))
    if live:
        return tuple(chain.from_iterable(_adopted(booking, one, ours, now=now) for one in live))
    line = booking.ledger.of(attempt_id)
    if not ours or line is None or not line.may_turn_up or _moved_out_of_sight(attempt_id, looked):
        return ()
    return (e.CalcomBookingCancelled(at=now, attempt_id=attempt_id, uid=ours[0].uid, how="already_cancelled"),)


def _adopted(
    booking: Booking, one: o.Found, all_of_attempt: Sequence[o.Found], *, now: datetime
) -> tuple[e.BookingEvent, ...]:
    # A person may have moved the booking that the log knows, once or several times: that is no second booking.
    origins = {other.uid: other.rescheduled_from for other in all_of_attempt}
    origin = one.rescheduled_from
    while origin is not None and booking.ledger.holding(origin) is None:
        origin = origins.pop(origin, None)
    if origin is None or booking.ledger.holding(one.uid) is not None:
        return record_made(booking, one.attempt_id, one, how="adopted", now=now)
    return (e.CalcomBookingFollowed(at=now, attempt_id=one.attempt_id, from_uid=origin, to_uid=one.uid),)


def record_sighting(booking: Booking, seen: o.Standing, *, now: datetime) -> tuple[e.BookingEvent, ...]:
    """Return what it adds to the log that something of this booking's stands at Cal.com."""
    attempt_id = seen.attempt_id or ""
    known = next((uid for uid in seen.uids if booking.ledger.holding(uid) is not None), None)
    if known is None:
        return with_sight(booking, record_made(booking, attempt_id, seen, how="adopted", now=now), now=now)
    # It was moved, or lives although it had been cancelled: what is followed lives.
    return (e.CalcomBookingFollowed(at=now, attempt_id=attempt_id, from_uid=known, to_uid=seen.uid),)


def _moved_out_of_sight(attempt_id: str, looked: o.Looked) -> bool:
    """Tell whether all that was found of an attempt is what it was moved away from: then it lives elsewhere."""
    ours = [one for one in looked.found if one.attempt_id == attempt_id]
    uids = {one.uid for one in ours}
    moved_on = any(one.rescheduled_to is not None and one.rescheduled_to not in uids for one in ours)
    return moved_on and not any(one.is_live for one in ours)


def _is_news(booking: Booking, attempt_id: str, started_at: datetime) -> bool:
    """Tell whether a look says something that the log does not know: not told before, about a line still asked for."""
    line = booking.ledger.of(attempt_id)
    if line is None or not line.may_turn_up:
        return False
    return line.last_looked_at is None or started_at > line.last_looked_at


def _counts(booking: Booking, attempt_id: str, started_at: datetime, policy: Policy) -> bool:
    """Tell whether a clean look began late enough to speak for the attempt's absence."""
    line = booking.ledger.of(attempt_id)
    if line is None or line.doubted_at is None or started_at < line.doubted_at:
        return False
    if line.status is LineStatus.ABSENT:
        return started_at >= policy.horizon_of(line)
    if line.clean_looks and line.last_looked_at is not None and started_at < line.last_looked_at + policy.pace:
        # Two drivers who look in the same breath see the same state of the same replica.
        return False
    return started_at >= policy.absent_from(line.answer_by)


def _looked(
    asked: tuple[str, ...], counted: tuple[str, ...], started_at: datetime, problem: str | None, *, now: datetime
) -> tuple[e.CalcomLooked, ...]:
    if not asked:
        return ()
    return (e.CalcomLooked(at=now, started_at=started_at, attempt_ids=asked, counted=counted, problem=problem),)


def record_cancel(
    booking: Booking, effect: CancelAtCalcom, outcome: o.CancelOutcome, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what a cancel's outcome adds to the log."""
    line = booking.ledger.holding(effect.uid)
    if line is None or line.status is not LineStatus.LIVE:
        return ()
    if line.in_review and isinstance(outcome, o.CancelRefused | o.NotOurs):
        return ()
    match outcome:
        case o.Cancelled():
            cancelled = e.CalcomBookingCancelled(at=now, attempt_id=effect.attempt_id, uid=effect.uid, how=outcome.how)
            return (cancelled, *settled(booking, effect.uid, now=now))
        case o.Moved() if booking.ledger.holding(outcome.to_uid) is not None:
            # What it became has a line of its own, found by a look: a uid never stands in two lines.
            return (
                e.CalcomBookingCancelled(at=now, attempt_id=effect.attempt_id, uid=effect.uid, how="already_cancelled"),
            )
        case o.Moved():
            return (
                e.CalcomBookingFollowed(
                    at=now, attempt_id=effect.attempt_id, from_uid=effect.uid, to_uid=outcome.to_uid
                ),
            )
        case o.CancelRefused():
            return (_review(effect, outcome.reason, outcome.detail, now=now),)
        case o.NotOurs():
            return (
                f.InconsistencyDetected(at=now, kind="foreign_booking", uid=effect.uid, evidence=outcome.detail),
                _review(effect, "foreign_booking", outcome.detail, now=now),
            )
        case o.CancelFailed() if outcome.reason in HELD_BACK:
            return record_cancel_held_back(booking, effect.uid, _not_asked(outcome), now=now, policy=policy)
        case o.CancelFailed():
            return _cancel_failed(line.cancel_failures + 1, effect, outcome, now=now, policy=policy)
        case _:
            assert_never(outcome)


def settled(
    booking: Booking, uid: str, *, now: datetime, how: str = "cancelled"
) -> tuple[f.InconsistencyResolved, ...]:
    """Return that what was found about a uid is settled, now that it is not live any more."""
    return tuple(
        f.InconsistencyResolved(at=now, kind=one.kind, uid=uid, how=how, actor="calsaga")
        for one in booking.inconsistencies
        if one.uid == uid
    )


def _not_asked(outcome: o.CancelFailed) -> o.NotSent:
    return o.NotSent(reason=outcome.reason, detail=outcome.detail, retry_after=outcome.retry_after, defer=True)


def _review(effect: CancelAtCalcom, reason: str, detail: str, *, now: datetime) -> f.ManualReviewRequested:
    return f.ManualReviewRequested(at=now, reason=reason, detail=detail, attempt_id=effect.attempt_id, uid=effect.uid)


def _cancel_failed(
    failures: int, effect: CancelAtCalcom, outcome: o.CancelFailed, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    wait = policy.retry.wait(failures, salt=effect.uid, asked_for=outcome.retry_after)
    failed = e.CompensationFailed(
        at=now, uid=effect.uid, reason=outcome.reason, detail=outcome.detail, retry_at=now + wait
    )
    if failures != policy.inconsistent_after:
        return (failed,)
    evidence = f"cancelling at Cal.com has failed {failures} times, last with {outcome.reason}"
    return (
        failed,
        f.InconsistencyDetected(at=now, kind="compensation_failed", uid=effect.uid, evidence=evidence),
    )


def record_gone(booking: Booking, uid: str, *, now: datetime) -> tuple[e.BookingEvent, ...]:
    """Return what it adds to a booked booking's log that Cal.com does not hold it any more."""
    line = booking.ledger.holding(uid)
    if line is None or booking.ended is not BookingStatus.BOOKED:
        return ()
    return (
        e.CalcomBookingCancelled(at=now, attempt_id=line.attempt_id, uid=uid, how="already_cancelled"),
        e.BookingCancelled(at=now, reason="cancelled_at_calcom"),
        *settled(booking, uid, now=now),
    )
