"""
What differs, or may differ, between both sides, and what became of it: one row a finding (M6).

A finding comes in as InconsistencyDetected or as ManualReviewRequested; both may be
about the same row. `status` is `pending` while calsaga sees to it, `manual_review`
while a person is asked, and `resolved` in the end; what is found again is open again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never, get_args
from uuid import UUID, uuid5

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.cancel_deferred import CalcomCancelDeferred
from domain.composite import CompositeInitiated, LegEvent
from domain.findings import InconsistencyKind
from domain.replacing import replace
from sagas.appending import LogEvent, OtherEvent

PENDING: Final = "pending"
RESOLVED: Final = "resolved"
MANUAL_REVIEW: Final = "manual_review"
STATUSES: Final = (PENDING, MANUAL_REVIEW, RESOLVED)
CALSAGA: Final = "calsaga"
"""The actor of what calsaga has repaired by itself."""

_KINDS: Final[dict[str, InconsistencyKind]] = {
    **{kind: kind for kind in get_args(InconsistencyKind)},
    "cannot_look": "orphan",
}
_REFUSED_CANCEL: Final[InconsistencyKind] = "compensation_failed"
"""What a person is asked for any other reason: all of those are Cal.com's, for not cancelling a booking."""


@dataclass(frozen=True, kw_only=True)
class SyncFailure:
    """
    One thing that differs, or may differ, about a booking.

    `error_message` is what was seen, in our own words, or the reason why a person is
    asked. `attempt_count` is how often it was found, failed cancels meanwhile included.
    `actor` is who has decided last, `calsaga` or a person.
    """

    id: UUID
    company_id: str
    booking_id: UUID
    appointment_id: UUID | None
    calcom_booking_id: str | None
    attempt_id: str | None
    failure_type: str
    error_message: str
    proposed_repair: str
    status: str
    resolution: str | None
    actor: str | None
    attempt_count: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to be repaired or decided."""
        return self.status != RESOLVED


@dataclass(frozen=True, kw_only=True)
class BookingFailures:
    """What the read model holds of one booking at `version`."""

    booking_id: UUID
    company_id: str
    appointment_id: UUID | None = None
    version: int
    failures: tuple[SyncFailure, ...] = ()


def failure_id_of(booking_id: UUID, kind: str, about: str | None) -> UUID:
    """Return the id of a finding, the same however often it is made."""
    return uuid5(booking_id, f"sync-failure {kind} {about}")


def evolve(state: BookingFailures, event: LogEvent) -> BookingFailures:
    """Return what is known after one more event, but for its version."""
    if isinstance(event, OtherEvent):
        return state
    match event:
        case e.AppointmentBooked():
            return _with_appointment(state, event.appointment_id)
        case e.CalcomBookingCreated():
            return _named(state, event.attempt_id, event.uid)
        case e.CalcomBookingFollowed():
            return _changed(state, _open_about(event.from_uid), lambda it: replace(it, calcom_booking_id=event.to_uid))
        case e.CalcomBookingCancelled():
            named = _named(state, event.attempt_id, event.uid)
            return _changed(
                named,
                lambda it: it.status == PENDING and it.calcom_booking_id == event.uid,
                lambda it: _resolved(it, event.how, by=CALSAGA, at=event.at),
            )
        case e.CompensationFailed():
            return _changed(
                state,
                _open_about(event.uid),
                lambda it: replace(it, attempt_count=it.attempt_count + 1, updated_at=event.at),
            )
        case f.InconsistencyDetected():
            return _detected(state, event)
        case f.InconsistencyResolved():
            return _changed(
                state,
                lambda it: it.is_open and _is_finding(it, event.kind, event.uid),
                lambda it: _resolved(it, event.how, by=event.actor, at=event.at),
            )
        case f.ManualReviewRequested():
            return _asked(state, event)
        case f.ManualReviewAnswered():
            return _answered(state, event)
        case LegEvent(event=e.AppointmentBooked()):
            # Each leg has an appointment of its own; the uid tells which one is meant.
            return state
        case LegEvent():
            return evolve(state, event.event)
        case (
            e.BookingInitiated()
            | CompositeInitiated()
            | e.CalcomBookingAttempted()
            | e.CalcomBookingNotSent()
            | e.CalcomOutcomeUnknown()
            | e.CalcomLooked()
            | e.CalcomAttemptAbsent()
            | e.CalcomBookingRefused()
            | e.CalcomBookingFound()
            | e.BookingDeferred()
            | CalcomCancelDeferred()
            | m.BookingRescheduled()
            | e.AppointmentPersistenceFailed()
            | e.ObstacleInspected()
            | e.CompensationStarted()
            | e.CancellationRequested()
            | e.CalcomCancelAttempted()
            | e.BookingFailed()
            | e.BookingCancelled()
            | f.CalcomSyncRequired()
            | m.RescheduleRequested()
            | m.CalcomRescheduleAttempted()
            | m.CalcomRescheduleNotSent()
            | m.CalcomRescheduleDeferred()
            | m.CalcomRescheduleUnknown()
            | m.CalcomRescheduleLooked()
            | m.CalcomRescheduleAbsent()
            | m.CalcomRescheduleRefused()
            | m.CalcomBookingMoved()
            | m.RescheduleFailed()
        ):
            return state
        case _:
            assert_never(event)


def _with_appointment(state: BookingFailures, appointment_id: UUID) -> BookingFailures:
    failures = tuple(replace(it, appointment_id=appointment_id) for it in state.failures)
    return replace(state, appointment_id=appointment_id, failures=failures)


def _named(state: BookingFailures, attempt_id: str, uid: str) -> BookingFailures:
    """Give what is about an attempt the uid that it turned out to have at Cal.com."""
    return _changed(
        state,
        lambda it: it.attempt_id == attempt_id and it.calcom_booking_id is None,
        lambda it: replace(it, calcom_booking_id=uid),
    )


def _detected(state: BookingFailures, event: f.InconsistencyDetected) -> BookingFailures:
    status = MANUAL_REVIEW if event.repair == "manual_review" else PENDING
    same = [it for it in state.failures if _is_finding(it, event.kind, event.uid)]
    known = _first(it for it in same if it.is_open) or _first(same)
    if known is None:
        new = _new(state, event, event.kind, event.uid, message=event.evidence, repair=event.repair, status=status)
        return _put(state, new)
    asked = known.status == MANUAL_REVIEW
    again = replace(
        _reopened(known, MANUAL_REVIEW if asked else status, at=event.at),
        calcom_booking_id=known.calcom_booking_id if known.is_open else event.uid,
        error_message=known.error_message if asked else event.evidence,
        proposed_repair=event.repair,
        attempt_count=known.attempt_count + 1,
    )
    return _put(state, again)


def _asked(state: BookingFailures, event: f.ManualReviewRequested) -> BookingFailures:
    kind = _KINDS.get(event.reason, _REFUSED_CANCEL)
    about = [
        it
        for it in state.failures
        if it.is_open and it.calcom_booking_id == event.uid and it.attempt_id in {None, event.attempt_id}
    ]
    new = _new(state, event, kind, event.uid, message=event.reason, repair="manual_review", status=MANUAL_REVIEW)
    if event.uid is None:
        # Several attempts of a booking may be in doubt, and each is asked about by itself.
        new = replace(new, id=failure_id_of(state.booking_id, kind, event.attempt_id))
    known = _first(it for it in about if it.failure_type == kind) or _first(about)
    known = known or next((it for it in state.failures if it.id == new.id), None)
    if known is None:
        return _put(state, replace(new, attempt_id=event.attempt_id))
    # What a finding says about itself says more than the reason to ask that is the same.
    message = known.error_message if known.is_open and event.reason == known.failure_type else event.reason
    asked = replace(_reopened(known, MANUAL_REVIEW, at=event.at), attempt_id=event.attempt_id, error_message=message)
    return _put(state, asked if known.is_open else replace(asked, calcom_booking_id=event.uid))


def _answered(state: BookingFailures, event: f.ManualReviewAnswered) -> BookingFailures:
    about = {
        it.id: it
        for it in state.failures
        if it.is_open
        and it.attempt_id in {None, event.attempt_id}
        and (it.calcom_booking_id == event.uid or (event.uid is None and it.attempt_id == event.attempt_id))
    }
    asked = {key for key, it in about.items() if it.status == MANUAL_REVIEW} or set(about)
    if event.answer == "retry":
        return _changed(
            state,
            lambda it: it.id in asked,
            lambda it: replace(it, status=PENDING, actor=event.actor, updated_at=event.at),
        )
    return _changed(
        state, lambda it: it.id in asked, lambda it: _resolved(it, event.answer, by=event.actor, at=event.at)
    )


def _new(
    state: BookingFailures,
    event: f.InconsistencyDetected | f.ManualReviewRequested,
    kind: InconsistencyKind,
    uid: str | None,
    *,
    message: str,
    repair: str,
    status: str,
) -> SyncFailure:
    return SyncFailure(
        id=failure_id_of(state.booking_id, kind, uid),
        company_id=state.company_id,
        booking_id=state.booking_id,
        appointment_id=state.appointment_id,
        calcom_booking_id=uid,
        attempt_id=None,
        failure_type=kind,
        error_message=message,
        proposed_repair=repair,
        status=status,
        resolution=None,
        actor=None,
        attempt_count=1,
        created_at=event.at,
        updated_at=event.at,
        resolved_at=None,
    )


def _resolved(failure: SyncFailure, how: str, *, by: str, at: datetime) -> SyncFailure:
    return replace(failure, status=RESOLVED, resolution=how, actor=by, updated_at=at, resolved_at=at)


def _reopened(failure: SyncFailure, status: str, *, at: datetime) -> SyncFailure:
    actor = failure.actor if failure.is_open else None
    return replace(failure, status=status, resolution=None, actor=actor, updated_at=at, resolved_at=None)


def _is_finding(failure: SyncFailure, kind: str, uid: str | None) -> bool:
    # By its id, too: Cal.com may have given the booking another uid since.
    same = failure.failure_type == kind and failure.calcom_booking_id == uid
    return same or failure.id == failure_id_of(failure.booking_id, kind, uid)


def _open_about(uid: str) -> Callable[[SyncFailure], bool]:
    return lambda it: it.is_open and it.calcom_booking_id == uid


def _changed(
    state: BookingFailures, which: Callable[[SyncFailure], bool], change: Callable[[SyncFailure], SyncFailure]
) -> BookingFailures:
    return replace(state, failures=tuple(change(it) if which(it) else it for it in state.failures))


def _put(state: BookingFailures, failure: SyncFailure) -> BookingFailures:
    return replace(state, failures=(*(it for it in state.failures if it.id != failure.id), failure))


def _first(failures: Iterable[SyncFailure]) -> SyncFailure | None:
    # By itself and not by its place: rows come from a table in any order.
    return min(failures, key=lambda it: (it.created_at, it.id), default=None)
