"""
The Booking aggregate: what the log says about one booking, folded.

`evolve` takes every event as a fact; it never refuses and never computes policy.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID, uuid5

from domain import events as e
from domain.ledger import Ledger, Line, LineStatus


class Goal(StrEnum):
    """Where the saga is heading."""

    BOOK = "book"
    COMPENSATE = "compensate"
    CANCEL = "cancel"


class BookingStatus(StrEnum):
    """What a caller is told."""

    PENDING = "pending"
    BOOKED = "booked"
    COMPENSATING = "compensating"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    RESCHEDULING = "rescheduling"
    NEEDS_REVIEW = "needs_review"


ENDED = frozenset({BookingStatus.BOOKED, BookingStatus.FAILED, BookingStatus.CANCELLED})
_UNDER_WAY = {
    Goal.BOOK: BookingStatus.PENDING,
    Goal.COMPENSATE: BookingStatus.COMPENSATING,
    Goal.CANCEL: BookingStatus.CANCELLING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a booking failed, is being undone, or waits for a person: a code, and words for people."""

    reason: str
    detail: str
    conflicting_booking_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """The row that refused our appointment, and what was found out about it."""

    appointment_id: UUID
    verdict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """The state of one booking at `version`; version 0 is a booking that nobody has asked for yet."""

    booking_id: UUID
    version: int = 0
    initiated: e.BookingInitiated | None = None
    ledger: Ledger = field(default_factory=Ledger)
    goal: Goal = Goal.BOOK
    ended: BookingStatus | None = None
    kept_uid: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    appointment_id: UUID | None = None
    appointment_live: bool = False
    obstacle: Obstacle | None = None
    persistence_failure: str | None = None
    undoing: Failure | None = None
    failure: Failure | None = None
    review: Failure | None = None
    cancellation: e.CancellationRequested | None = None
    cancel_commands: tuple[str, ...] = ()
    inconsistencies: tuple[e.InconsistencyDetected, ...] = ()
    retry_at: datetime | None = None
    not_sent: int = 0
    deferred_for: str | None = None
    calls: int = 0
    repeats: int = 0
    updated_at: datetime | None = None

    @property
    def status(self) -> BookingStatus:
        """Return the one word for where the booking stands."""
        if self.review is not None:
            return BookingStatus.NEEDS_REVIEW
        return self.ended or _UNDER_WAY[self.goal]

    @property
    def facts(self) -> e.BookingInitiated:
        """
        Return what was asked for.

        Raises:
            LookupError: nobody has asked for this booking.

        """
        if self.initiated is None:
            msg = f"booking {self.booking_id} does not exist"
            raise LookupError(msg)
        return self.initiated

    @property
    def surplus(self) -> tuple[Line, ...]:
        """Return the live lines that this booking must not have, or no longer wants."""
        unwanted = self.goal is not Goal.BOOK or self.ended in {BookingStatus.FAILED, BookingStatus.CANCELLED}
        live = (line for line in self.ledger.live if not line.in_review)
        return tuple(line for line in live if unwanted or line.uid != self.kept_uid)

    @property
    def kept(self) -> Line | None:
        """Return the live line that is the booking."""
        return next((line for line in self.ledger.live if line.uid == self.kept_uid), None)

    @property
    def resilience_strategy(self) -> str | None:
        """Return what it took to get here (M5): null, `retry` or `degradation`."""
        if self.deferred_for is not None:
            return "degradation"
        return "retry" if self.repeats or any(line.doubted_at for line in self.ledger.lines) else None


def initial_state(booking_id: UUID) -> Booking:
    """Return the booking before anything has happened."""
    return Booking(booking_id=booking_id)


def appointment_id_of(booking_id: UUID) -> UUID:
    """Return the id of the booking's row, the same however often the insert is repeated."""
    return uuid5(booking_id, "appointment")


def fold(booking: Booking, happened: Iterable[e.BookingEvent]) -> Booking:
    """Return the state after all these events."""
    count, last = 0, None
    for event in happened:
        booking, last = _after(booking, event), event
        count += 1
    if last is None:
        return booking
    return replace(booking, version=booking.version + count, updated_at=last.at)


def evolve(booking: Booking, event: e.BookingEvent) -> Booking:
    """Return the state after one more event."""
    return fold(booking, (event,))


def _after(b: Booking, event: e.BookingEvent) -> Booking:
    match event:
        case e.BookingInitiated():
            return replace(b, initiated=event, starts_at=event.starts_at, ends_at=event.ends_at)
        case e.CalcomBookingAttempted():
            return _attempted(b, event)
        case e.CalcomBookingNotSent():
            not_sent = _settle(b, event.attempt_id, status=LineStatus.NOT_SENT, reason=event.reason, in_review=False)
            # To be held back by the rate limit says nothing of whether Cal.com can be reached.
            failed = event.reason != "rate_limited"
            return replace(not_sent, retry_at=event.retry_at, not_sent=b.not_sent + failed)
        case e.CalcomOutcomeUnknown():
            return _settle(
                b,
                event.attempt_id,
                status=LineStatus.IN_DOUBT,
                reason=event.reason,
                doubted_at=event.at,
                looks=0,
                clean_looks=0,
            )
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
            followed = replace(b, ledger=lives)
            return replace(followed, kept_uid=event.to_uid) if b.kept_uid == event.from_uid else followed
        case e.BookingDeferred():
            return replace(b, deferred_for=event.reason, retry_at=event.until)
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
        case e.AppointmentPersistenceFailed():
            obstacle = None if event.obstacle_id is None else Obstacle(appointment_id=event.obstacle_id)
            return replace(b, obstacle=obstacle, persistence_failure=event.reason, repeats=b.repeats + 1)
        case e.ObstacleInspected():
            obstacle = Obstacle(appointment_id=event.obstacle_id, verdict=event.verdict)
            return replace(b, obstacle=obstacle, retry_at=event.retry_at)
        case e.CompensationStarted():
            return replace(b, goal=Goal.COMPENSATE, undoing=Failure(reason=event.reason, detail=event.detail))
        case e.CancellationRequested():
            return _cancellation_requested(b, event)
        case e.CalcomCancelAttempted():
            cancelling = b.ledger.changed(lambda line: line.uid == event.uid, cancels=event.number)
            return replace(b, ledger=cancelling, calls=b.calls + 1, repeats=b.repeats + (event.number > 1))
        case e.CalcomBookingCancelled():
            return _calcom_cancelled(b, event)
        case e.CompensationFailed():
            return _compensation_failed(b, event)
        case e.BookingFailed():
            failure = Failure(
                reason=event.reason, detail=event.detail, conflicting_booking_id=event.conflicting_booking_id
            )
            review = None if event.settles_review else b.review
            return replace(b, ended=BookingStatus.FAILED, failure=failure, review=review)
        case e.BookingCancelled():
            review = None if event.settles_review else b.review
            return replace(b, ended=BookingStatus.CANCELLED, appointment_live=False, review=review)
        case e.InconsistencyDetected():
            return replace(b, inconsistencies=(*b.inconsistencies, event))
        case e.ManualReviewRequested():
            asked = b.ledger.changed(
                lambda line: line.attempt_id == event.attempt_id and line.uid == event.uid, in_review=True
            )
            return replace(b, ledger=asked, review=Failure(reason=event.reason, detail=event.detail))
        case _:
            assert_never(event)


def _settle(b: Booking, attempt_id: str, **facts: object) -> Booking:
    return replace(b, ledger=b.ledger.changed(lambda line: line.attempt_id == attempt_id and line.uid is None, **facts))


def _attempted(b: Booking, event: e.CalcomBookingAttempted) -> Booking:
    line = Line(attempt_id=event.attempt_id, number=event.number, attempted_at=event.at, answer_by=event.answer_by)
    return replace(
        b, ledger=b.ledger.opened(line), calls=b.calls + 1, repeats=b.repeats + (event.number > 1), retry_at=None
    )


def _looked(b: Booking, event: e.CalcomLooked) -> Booking:
    lines = tuple(
        replace(
            line,
            looks=line.looks + 1,
            clean_looks=line.clean_looks + (line.attempt_id in event.counted),
            failed_looks=0 if event.problem is None else line.failed_looks + 1,
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


def _cancellation_requested(b: Booking, event: e.CancellationRequested) -> Booking:
    commands = b.cancel_commands if event.command_id is None else (*b.cancel_commands, event.command_id)
    asked = replace(b, cancellation=event, cancel_commands=commands)
    if b.goal is not Goal.BOOK or b.ended in {BookingStatus.FAILED, BookingStatus.CANCELLED}:
        return asked
    return replace(asked, goal=Goal.CANCEL, ended=None, retry_at=None)


def _calcom_cancelled(b: Booking, event: e.CalcomBookingCancelled) -> Booking:
    def is_it(line: Line) -> bool:
        return line.uid == event.uid or (line.uid is None and line.attempt_id == event.attempt_id)

    return replace(b, ledger=b.ledger.changed(is_it, status=LineStatus.CANCELLED, uid=event.uid, in_review=False))


def _compensation_failed(b: Booking, event: e.CompensationFailed) -> Booking:
    line = b.ledger.holding(event.uid)
    failures = 1 if line is None else line.cancel_failures + 1
    changed = b.ledger.changed(lambda it: it.uid == event.uid, cancel_failures=failures, retry_cancel_at=event.retry_at)
    return replace(b, ledger=changed)
