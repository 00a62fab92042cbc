"""
What each event makes of a booking.

`evolve` takes every event as a fact; it never refuses and never computes policy.
"""

from collections.abc import Iterable

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.answered import answered
from domain.booking import Booking, BookingStatus, Failure, Goal, MoveCommand, Obstacle
from domain.cancel_deferred import CalcomCancelDeferred
from domain.cancelling import attempted, calcom_cancelled, cancellation_requested, compensation_failed, deferred
from domain.composite import CompositeInitiated, LegEvent, SagaEvent
from domain.differences import detected, followed, resolved
from domain.full_fallback import FULL_FALLBACK
from domain.ledger import Ledger, Line, LineStatus
from domain.legs import begun, with_leg
from domain.moving import MoveEvent, evolve_move
from domain.replacing import replace
from domain.retry import BREAKER_OPEN, HELD_BACK, NO_OUTCOME


def fold(booking: Booking, happened: Iterable[SagaEvent]) -> Booking:
    """Return the state after all these events."""
    count, last = 0, None
    for event in happened:
        booking, last = _after(booking, event), event
        count += 1
    if last is None:
        return booking
    return replace(booking, version=booking.version + count, updated_at=last.at)


def evolve(booking: Booking, event: SagaEvent) -> Booking:
    """Return the state after one more event."""
    return fold(booking, (event,))


def _after(b: Booking, event: SagaEvent) -> Booking:
    match event:
        case e.BookingInitiated():
            return replace(b, initiated=event, starts_at=event.starts_at, ends_at=event.ends_at)
        case e.CalcomBookingAttempted():
            return _attempted(b, event)
        case e.CalcomBookingNotSent():
            not_sent = _settle(b, event.attempt_id, status=LineStatus.NOT_SENT, reason=event.reason, in_review=False)
            failed = event.reason not in HELD_BACK
            return replace(not_sent, retry_at=event.retry_at, not_sent=b.not_sent + failed)
        case e.CalcomOutcomeUnknown():
            return _doubted(b, event)
        case e.CalcomLooked():
            return _looked(b, event)
        case e.CalcomAttemptAbsent():
            status = LineStatus.ABSENT_FOR_GOOD if event.final else LineStatus.ABSENT
            return _settle(b, event.attempt_id, status=status, clean_looks=0)
        case e.CalcomBookingCreated():
            return _created(b, event)
        case e.CalcomBookingRefused():
            return _refused(b, event)
        case e.CalcomBookingFollowed():
            # Whatever was known of the old uid: what is followed lives.
            lives = b.ledger.changed(lambda it: it.uid == event.from_uid, uid=event.to_uid, status=LineStatus.LIVE)
            kept_uid = event.to_uid if b.kept_uid == event.from_uid else b.kept_uid
            return replace(followed(b, event), ledger=lives, kept_uid=kept_uid)
        case e.CalcomBookingFound():
            return _found(b, event)
        case e.BookingDeferred():
            return _deferred(b, event)
        case e.AppointmentBooked():
            return replace(
                b,
                ended=BookingStatus.BOOKED,
                appointment_id=event.appointment_id,
                appointment_live=True,
                starts_at=event.starts_at,
                ends_at=event.ends_at,
                obstacle=None,
                review=None if event.settles_review else b.review,
            )
        case m.BookingRescheduled():
            return _rescheduled(b, event)
        case e.AppointmentPersistenceFailed():
            return replace(b, obstacle=_met(b, event), persistence_failure=event.reason, repeats=b.repeats + 1)
        case e.ObstacleInspected():
            obstacle = Obstacle(
                appointment_id=event.obstacle_id,
                met_at=event.at if b.obstacle is None else b.obstacle.met_at,
                verdict=event.verdict,
                looked_at=event.at,
            )
            return replace(b, obstacle=obstacle, retry_at=event.retry_at)
        case e.CompensationStarted():
            return replace(b, goal=Goal.COMPENSATE, undoing=Failure(reason=event.reason, detail=event.detail))
        case e.CancellationRequested():
            return cancellation_requested(b, event)
        case e.CalcomCancelAttempted():
            return attempted(b, event)
        case e.CalcomBookingCancelled():
            return calcom_cancelled(b, event)
        case e.CompensationFailed():
            return compensation_failed(b, event)
        case CalcomCancelDeferred():
            return deferred(b, event)
        case e.BookingFailed():
            failure = Failure(
                reason=event.reason, detail=event.detail, conflicting_booking_id=event.conflicting_booking_id
            )
            review = None if event.settles_review else b.review
            return replace(b, ended=BookingStatus.FAILED, failure=failure, review=review)
        case e.BookingCancelled():
            review = None if event.settles_review else b.review
            return replace(b, ended=BookingStatus.CANCELLED, appointment_live=False, review=review, move=None)
        case f.InconsistencyDetected():
            return detected(b, event)
        case f.InconsistencyResolved():
            return resolved(b, event)
        case f.CalcomSyncRequired():
            return b
        case f.ManualReviewRequested():
            asked = b.ledger.changed(
                lambda line: line.attempt_id == event.attempt_id and line.uid == event.uid, in_review=True
            )
            return replace(b, ledger=asked, review=Failure(reason=event.reason, detail=event.detail))
        case f.ManualReviewAnswered():
            return answered(b, event)
        case CompositeInitiated():
            return begun(b, event)
        case LegEvent():
            return with_leg(b, evolve(b.legs[event.leg - 1], event.event))
        case _:
            return _moving(b, event)


def _settle(b: Booking, attempt_id: str, **facts: object) -> Booking:
    return replace(b, ledger=b.ledger.changed(lambda line: line.attempt_id == attempt_id and line.uid is None, **facts))


def _doubted(b: Booking, event: e.CalcomOutcomeUnknown) -> Booking:
    in_doubt = _settle(
        b,
        event.attempt_id,
        status=LineStatus.IN_DOUBT,
        reason=event.reason,
        doubted_at=event.at,
        looks=0,
        clean_looks=0,
        failed_looks=0,
        refused_looks=0,
    )
    line = b.ledger.of(event.attempt_id)
    if line is None or event.reason == NO_OUTCOME or event.at <= line.answer_by:
        return in_doubt
    # Its process stood still, and the request left so late: only from now on can a look speak for its absence.
    return _settle(in_doubt, event.attempt_id, answer_by=event.at)


def _attempted(b: Booking, event: e.CalcomBookingAttempted) -> Booking:
    line = Line(attempt_id=event.attempt_id, number=event.number, attempted_at=event.at, answer_by=event.answer_by)
    return replace(
        b,
        ledger=b.ledger.opened(line),
        calls=b.calls + 1,
        repeats=b.repeats + (event.number > 1),
        retry_at=None,
        until_switched=False,
    )


def _deferred(b: Booking, event: e.BookingDeferred) -> Booking:
    opened = event.at if event.reason == BREAKER_OPEN else None
    return replace(
        b,
        deferred_for=event.reason,
        retry_at=event.until,
        breaker_open_at=b.breaker_open_at or opened,
        until_switched=event.reason == FULL_FALLBACK,
    )


def _looked(b: Booking, event: e.CalcomLooked) -> Booking:
    lines = tuple(
        replace(
            line,
            looks=line.looks + 1,
            clean_looks=line.clean_looks + (line.attempt_id in event.counted),
            failed_looks=0 if event.problem is None else line.failed_looks + (event.problem != BREAKER_OPEN),
            refused_looks=0 if event.problem is None else line.refused_looks + (event.problem == BREAKER_OPEN),
            last_looked_at=event.started_at,
        )
        if line.attempt_id in event.attempt_ids and line.uid is None
        else line
        for line in b.ledger.lines
    )
    return replace(b, ledger=Ledger(lines))


def _created(b: Booking, event: e.CalcomBookingCreated) -> Booking:
    # Whatever a person was asked about the attempt when nothing was known of it: this is the answer.
    facts = {"status": LineStatus.LIVE, "uid": event.uid, "calcom_status": event.calcom_status, "in_review": False}
    line = b.ledger.of(event.attempt_id)
    if line is not None and line.uid is not None and b.ledger.holding(event.uid) is None:
        # One attempt turned out to have made a second booking: it gets a line of its own.
        extra = replace(
            line,
            uid=event.uid,
            status=LineStatus.LIVE,
            calcom_status=event.calcom_status,
            in_review=False,
            cancels=0,
            cancel_failures=0,
            retry_cancel_at=None,
            cancel_deferred_for=None,
        )
        after = replace(b, ledger=b.ledger.opened(extra))
    else:
        after = replace(
            b,
            ledger=b.ledger.changed(
                lambda it: it.attempt_id == event.attempt_id and it.uid in {None, event.uid}, **facts
            ),
        )
    if b.kept_uid is None and b.goal is Goal.BOOK and b.ended is None:
        after = replace(after, kept_uid=event.uid, starts_at=event.starts_at, ends_at=event.ends_at)
    return after


def _moving(b: Booking, event: MoveEvent) -> Booking:
    moving = replace(b, move=evolve_move(b.move, event))
    match event:
        case m.RescheduleRequested():
            commands = b.move_commands
            if event.command_id is not None:
                commands = (*commands, MoveCommand(command_id=event.command_id, starts_at=event.starts_at))
            return replace(
                moving,
                goal=Goal.MOVE,
                ended=None,
                move_failure=None,
                move_commands=commands,
                obstacle=None,
                persistence_failure=None,
            )
        case m.CalcomRescheduleAttempted():
            return replace(moving, calls=b.calls + 1, repeats=b.repeats + (event.number > 1))
        case m.CalcomBookingMoved():
            return _moved(moving, event)
        case m.RescheduleFailed():
            failure = Failure(
                reason=event.reason, detail=event.detail, conflicting_booking_id=event.conflicting_booking_id
            )
            # A cancellation that came meanwhile goes on; else the appointment stays as it was.
            stays = b.goal is Goal.MOVE
            back = replace(moving, goal=Goal.BOOK, ended=BookingStatus.BOOKED) if stays else moving
            return replace(back, move_failure=failure, move_commands=_failed(b, failure))
        case _:
            return moving


def _failed(b: Booking, failure: Failure) -> tuple[MoveCommand, ...]:
    asked = None if b.move is None else b.move.command_id
    return tuple(replace(one, failure=failure) if one.command_id == asked else one for one in b.move_commands)


def _moved(b: Booking, event: m.CalcomBookingMoved) -> Booking:
    lives = b.ledger.changed(lambda it: it.uid == event.from_uid, uid=event.to_uid, status=LineStatus.LIVE)
    kept = event.to_uid if b.kept_uid == event.from_uid else b.kept_uid
    followed = replace(b, ledger=lives, kept_uid=kept)
    if b.goal is Goal.BOOK and b.ended is BookingStatus.BOOKED:
        return replace(followed, goal=Goal.MOVE, ended=None, obstacle=None, persistence_failure=None)
    return followed


def _rescheduled(b: Booking, event: m.BookingRescheduled) -> Booking:
    there = replace(
        b,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        webhook_id=event.webhook_id or b.webhook_id,
        move=None,
        obstacle=None,
        let_stand=(),
    )
    return replace(there, goal=Goal.BOOK, ended=BookingStatus.BOOKED) if b.goal is Goal.MOVE else there


def _met(b: Booking, event: e.AppointmentPersistenceFailed) -> Obstacle | None:
    """Return the row in the way; one that is there again was met when it was there first."""
    if event.obstacle_id is None:
        return None
    if b.obstacle is not None and b.obstacle.appointment_id == event.obstacle_id:
        return Obstacle(appointment_id=event.obstacle_id, met_at=b.obstacle.met_at)
    return Obstacle(appointment_id=event.obstacle_id, met_at=event.at)


def _found(b: Booking, event: e.CalcomBookingFound) -> Booking:
    line = Line(
        attempt_id=f"calcom:{event.uid}",
        number=0,
        attempted_at=event.at,
        answer_by=event.at,
        status=LineStatus.LIVE,
        uid=event.uid,
        calcom_status=event.calcom_status,
        foreign=True,
    )
    return replace(
        b,
        ledger=b.ledger.opened(line),
        kept_uid=event.uid,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        webhook_id=event.webhook_id,
    )


def _refused(b: Booking, event: e.CalcomBookingRefused) -> Booking:
    refused = _settle(
        b,
        event.attempt_id,
        status=LineStatus.REFUSED,
        reason=event.reason,
        detail=event.detail,
        conflict=event.conflict,
        in_review=False,
    )
    if not event.conflict:
        return refused
    # What holds the slot may be an attempt that was thought absent: all of those are in doubt again.
    doubted = refused.ledger.changed(
        lambda line: line.status is LineStatus.ABSENT,
        status=LineStatus.IN_DOUBT,
        doubted_at=event.at,
        looks=0,
        clean_looks=0,
        last_looked_at=None,
    )
    return replace(refused, ledger=doubted)
