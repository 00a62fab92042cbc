"""
What the saga does next: a pure function of the booking's state and the time.

The order of the rules below *is* the saga. Doubt is settled before anything is built
on it; what is owed is done before anything new is made; only then does it go on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain import events as e
from domain import findings as f
from domain.booking import Booking, BookingStatus, Goal, appointment_id_of
from domain.ledger import Line, LineStatus
from domain.policy import Policy
from domain.retry import NO_OUTCOME
from sagas.next_move import next_move
from sagas.next_of_legs import next_of_legs
from sagas.obstacles import stands
from sagas.steps import (
    CancelAtCalcom,
    CreateAtCalcom,
    Done,
    InspectObstacle,
    LookAtCalcom,
    Perform,
    Persist,
    Record,
    Step,
    Wait,
    Withdraw,
)

CLOCK_SKEW = timedelta(minutes=5)
"""How far Cal.com's clock may be from ours when bookings are listed by their creation."""


def next_step(booking: Booking, now: datetime, policy: Policy) -> Step:
    """Return what the booking needs next."""
    if booking.initiated is None:
        return Done()
    if booking.legs:
        return next_of_legs(booking, tuple(next_step(leg, now, policy) for leg in booking.legs), now)
    obligations = tuple(_obligations(booking, now, policy))
    for step in obligations:
        if not isinstance(step, Wait):
            return step
    if obligations:
        return Wait(min(step.until for step in obligations if isinstance(step, Wait)))
    if booking.ended is not None or _waits_for_a_person(booking):
        return _check_horizon(booking, now, policy)
    if booking.goal is not Goal.BOOK:
        return _finish_undoing(booking, now)
    return _try_again(booking, now, policy)


def _waits_for_a_person(booking: Booking) -> bool:
    in_review = booking.ledger.in_review
    if booking.goal is Goal.BOOK or booking.kept_uid is None:
        return bool(in_review)
    # What is undone has come to its end when it is undone itself: only a person can cancel the surplus beside it.
    return any(line.uid in {None, booking.kept_uid} for line in in_review)


def _review_is_settled(booking: Booking) -> bool:
    return booking.review is not None and not booking.ledger.in_review


def _obligations(booking: Booking, now: datetime, policy: Policy) -> Iterator[Step]:
    """Yield what must be done whatever else happens; one that has to wait keeps no other one back."""
    surplus = (_undo(booking, line, now, policy) for line in booking.surplus)
    if booking.ledger.open:
        yield _settle_doubt(booking, now, policy)
    elif booking.leg:
        # Its appointment may have to wait for those of the other legs; what is owed has not.
        yield from surplus
        yield from _on_the_way(booking, now, policy)
    else:
        yield from _on_the_way(booking, now, policy)
    yield from surplus


def _on_the_way(booking: Booking, now: datetime, policy: Policy) -> Iterator[Step]:
    """Yield what has to follow from what stands at Cal.com."""
    kept = booking.kept
    if kept is None:
        return
    if booking.goal is Goal.BOOK and booking.ended is None:
        yield _persist(booking, kept, now, policy)
    elif booking.goal is Goal.MOVE and booking.move is not None and not kept.in_review:
        yield next_move(booking, booking.move, kept, now, policy)


def _undo(booking: Booking, line: Line, now: datetime, policy: Policy) -> Step:
    if line.retry_cancel_at is not None and now < line.retry_cancel_at:
        return Wait(line.retry_cancel_at)
    if line.cancel_failures >= policy.review_after:
        detail = f"cancelling {line.uid} at Cal.com failed {line.cancel_failures} times"
        return _ask_a_person(line, "compensation_failed", detail, now)
    return Perform(
        CancelAtCalcom(
            uid=line.uid or "",
            attempt_id=line.attempt_id,
            purpose=_purpose(booking, line),
            number=line.cancels + 1,
            since=line.attempted_at - CLOCK_SKEW,
        )
    )


def _ask_a_person(line: Line, reason: str, detail: str, now: datetime) -> Step:
    asked = f.ManualReviewRequested(at=now, reason=reason, detail=detail, attempt_id=line.attempt_id, uid=line.uid)
    return Record((asked,))


def _purpose(booking: Booking, line: Line) -> e.CancelPurpose:
    if line.uid != booking.kept_uid or booking.ended is not None:
        return "surplus"
    return "cancellation" if booking.goal is Goal.CANCEL else "compensation"


def _settle_doubt(booking: Booking, now: datetime, policy: Policy) -> Step:
    for line in booking.ledger.open:
        if line.status is LineStatus.INTENDED:
            return _outcome_missing(line, now)
    doubtful = booking.ledger.open
    absent = tuple(
        e.CalcomAttemptAbsent(at=now, attempt_id=line.attempt_id, final=False)
        for line in doubtful
        if line.clean_looks >= policy.clean_looks
    )
    if absent:
        return Record(absent)
    for line in doubtful:
        if line.failed_looks >= policy.review_after:
            detail = f"looking for the attempt at Cal.com failed {line.failed_looks} times"
            return _ask_a_person(line, "cannot_look", detail, now)
    due = min(policy.look_at(line) for line in doubtful)
    return Wait(due) if now < due else _look_for(doubtful)


def _outcome_missing(line: Line, now: datetime) -> Step:
    # The process that announced the attempt may still be waiting for its answer.
    if now < line.answer_by:
        return Wait(line.answer_by)
    detail = "the attempt was announced, and no outcome was recorded"
    return Record((e.CalcomOutcomeUnknown(at=now, attempt_id=line.attempt_id, reason=NO_OUTCOME, detail=detail),))


def _look_for(lines: tuple[Line, ...]) -> Step:
    since = min(line.attempted_at for line in lines) - CLOCK_SKEW
    return Perform(LookAtCalcom(attempt_ids=tuple(line.attempt_id for line in lines), since=since))


def _check_horizon(booking: Booking, now: datetime, policy: Policy) -> Step:
    presumed = booking.ledger.presumed_absent
    if not presumed:
        return Done()
    confirmed = tuple(
        e.CalcomAttemptAbsent(at=now, attempt_id=line.attempt_id, final=True) for line in presumed if line.clean_looks
    )
    if confirmed:
        return Record(confirmed)
    due = max(policy.look_at_horizon(line) for line in presumed)
    return Wait(due) if now < due else _look_for(presumed)


def _finish_undoing(booking: Booking, now: datetime) -> Step:
    if booking.goal is Goal.MOVE:
        # While it was being moved, somebody has cancelled it at Cal.com.
        return Withdraw(events=(e.BookingCancelled(at=now, reason="cancelled_at_calcom"),))
    if booking.goal is Goal.CANCEL:
        cancelled = e.BookingCancelled(at=now, reason="requested", settles_review=_review_is_settled(booking))
        return Withdraw(events=(cancelled,)) if booking.appointment_live else Record((cancelled,))
    why = booking.undoing
    reason, detail = ("compensated", "") if why is None else (why.reason, why.detail)
    return Record((_failed(booking, reason, detail, now),))


def _failed(booking: Booking, reason: str, detail: str, now: datetime) -> e.BookingFailed:
    return e.BookingFailed(at=now, reason=reason, detail=detail, settles_review=_review_is_settled(booking))


def _persist(booking: Booking, line: Line, now: datetime, policy: Policy) -> Step:
    if line.calcom_status != "accepted":
        return _compensate("needs_confirmation", f"Cal.com answered {line.calcom_status!r} instead of accepting", now)
    if booking.retry_at is not None and now < booking.retry_at:
        return Wait(booking.retry_at)
    if booking.obstacle is not None and booking.obstacle.verdict is None:
        return Perform(InspectObstacle(appointment_id=booking.obstacle.appointment_id))
    in_the_way = booking.obstacle
    if in_the_way is not None and (stands(in_the_way, policy) or now >= booking.facts.valid_until):
        unseen = "; Cal.com does not find its booking" if in_the_way.verdict == "missing" else ""
        detail = f"another appointment of the same member of staff is in the way{unseen}"
        return _compensate("slot_taken", detail, now)
    if booking.persistence_failure is not None and booking.obstacle is None:
        return _compensate(booking.persistence_failure, "the local database refused the appointment", now)
    return Persist(
        booked=e.AppointmentBooked(
            at=now,
            appointment_id=appointment_id_of(booking.booking_id, leg=booking.leg),
            calcom_uid=line.uid or "",
            starts_at=booking.starts_at or booking.facts.starts_at,
            ends_at=booking.ends_at or booking.facts.ends_at,
            settles_review=_review_is_settled(booking),
        )
    )


def _compensate(reason: str, detail: str, now: datetime) -> Step:
    return Record((e.CompensationStarted(at=now, reason=reason, detail=detail),))


def _try_again(booking: Booking, now: datetime, policy: Policy) -> Step:
    ended = _reason_to_give_up(booking, now, policy)
    if ended is not None:
        return Record((ended,))
    if booking.retry_at is not None and now < booking.retry_at and not booking.until_switched:
        return Wait(min(booking.retry_at, booking.facts.valid_until))
    return Perform(CreateAtCalcom(number=len(booking.ledger.lines) + 1))


def in_line_until(booking: Booking) -> datetime | None:
    """Return until when, at the latest, a booking waits for full fallback to be switched off; None if it does not."""
    if not booking.until_switched or booking.retry_at is None:
        return None
    return min(booking.retry_at, booking.facts.valid_until)


def _reason_to_give_up(booking: Booking, now: datetime, policy: Policy) -> e.BookingFailed | None:
    for line in booking.ledger.lines:
        if line.status is LineStatus.REFUSED:
            return _failed(booking, line.reason or "refused", line.detail, now)
        if line.status is LineStatus.CANCELLED:
            detail = "the booking was made and is cancelled at Cal.com"
            return _failed(booking, "cancelled_at_calcom", detail, now)
    if now >= booking.facts.valid_until:
        return _failed(booking, "expired", "the booking could not be made in time", now)
    if booking.ledger.counted_attempts >= policy.create_attempts:
        return _failed(booking, "calcom_unavailable", "Cal.com took none of the attempts", now)
    return None


def is_over(booking: Booking) -> bool:
    """Tell whether a caller who waits for the outcome has it."""
    if booking.status is BookingStatus.NEEDS_REVIEW:
        return True
    return booking.ended is not None
