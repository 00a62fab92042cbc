"""
What follows when a booking is compared with what stands at Cal.com: pure, and safe to repeat.

Who compares is a webhook or the reconciler. Cal.com is right about what people do
there; the log is right about what we owe. Where both agree, nothing is written.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.booking import Booking, BookingStatus, Goal
from domain.ledger import LineStatus
from domain.webhook import WebhookOutcome
from sagas import outcomes as o
from sagas.recording import record_gone, record_sighting, settled


class NotNow(Enum):
    """Why a booking is not compared now."""

    UNDER_WAY = auto()
    """Its saga is at work, and will see for itself."""
    IN_DOUBT = auto()
    """Its saga looks for what was just seen: wake it."""
    REBOOKED = auto()
    """It was cancelled at Cal.com, and then booked anew there by a person: what stands there is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    How both sides differ, and the events that make them equal.

    `owes` says that the saga has to act at Cal.com; `moves` that the appointment's row
    goes along with the last event; `cancels` that it is cancelled.
    """

    kind: f.InconsistencyKind
    repair: f.Repair
    uid: str
    evidence: str
    outcome: WebhookOutcome
    events: tuple[e.BookingEvent, ...] = ()
    owes: bool = False
    moves: bool = False
    cancels: bool = False


def compare(
    booking: Booking, trace: o.Standing | o.Gone, *, now: datetime, webhook_id: UUID | None = None
) -> Difference | NotNow | None:
    """Return how a booking that we know differs from what stands at Cal.com, or None if it does not."""
    if booking.status is BookingStatus.NEEDS_REVIEW:
        return _answer(booking, trace, now)
    if booking.ended is None:
        if booking.leg and booking.goal is Goal.BOOK and isinstance(trace, o.Gone):
            return _gone_before_the_pivot(booking, trace, now)
        doubtful = booking.ledger.open or (booking.move is not None and booking.move.is_open)
        return NotNow.IN_DOUBT if doubtful else NotNow.UNDER_WAY
    if isinstance(trace, o.Gone):
        return _gone(booking, trace, now)
    if booking.ended is BookingStatus.BOOKED and booking.kept_uid in trace.uids:
        return _moved(booking, trace, now, webhook_id)
    return NotNow.REBOOKED if _is_rebooked(booking, trace) else _surplus(booking, trace, now)


def _gone_before_the_pivot(leg: Booking, trace: o.Gone, now: datetime) -> Difference | NotNow:
    """Return that a leg is gone which waits for the others: nobody is at work on it, and it would yet be booked."""
    kept = leg.kept
    if kept is None or kept.uid is None or kept.uid not in trace.uids:
        return NotNow.IN_DOUBT if leg.ledger.open else NotNow.UNDER_WAY
    gone = e.CalcomBookingCancelled(at=now, attempt_id=kept.attempt_id, uid=kept.uid, how="already_cancelled")
    return Difference(
        kind="ghost",
        repair="none",
        uid=kept.uid,
        evidence="a leg that waits for the others was cancelled at Cal.com",
        outcome="cancelled",
        events=(gone, *settled(leg, kept.uid, now=now)),
        owes=True,
    )


def doubled(other: Booking, trace: o.Standing, *, now: datetime) -> Difference | None:
    """Return that a walk-in is here twice: once more under a uid that it had before, read from a stale replica."""
    uid, foreign = other.kept_uid, all(line.foreign for line in other.ledger.lines)
    if uid is None or uid not in trace.origins or other.status is not BookingStatus.BOOKED or not foreign:
        return None
    return Difference(
        kind="ghost",
        repair="mark_cancelled",
        uid=uid,
        evidence=f"it was moved at Cal.com, and is booked here as {trace.uid}, too",
        outcome="cancelled",
        events=record_gone(other, uid, now=now),
        cancels=True,
    )


def found(difference: Difference, *, now: datetime) -> f.InconsistencyDetected:
    """Return the finding that tells of a difference."""
    return f.InconsistencyDetected(
        at=now,
        kind=difference.kind,
        uid=difference.uid,
        evidence=difference.evidence,
        repair=difference.repair,
    )


def repaired(difference: Difference, *, now: datetime) -> f.InconsistencyResolved:
    """Return that a difference is mended."""
    return f.InconsistencyResolved(
        at=now, kind=difference.kind, uid=difference.uid, how=difference.repair, actor="calsaga"
    )


def overlapping(difference: Difference, *, now: datetime) -> Difference:
    """Return a move, or a booking found, that goes into a time when the member of staff is busy: kept, and flagged."""
    *before, last = difference.events
    if not isinstance(last, m.BookingRescheduled | e.AppointmentBooked):
        return difference
    flagged = f.InconsistencyDetected(
        at=now,
        kind="foreign_booking" if isinstance(last, e.AppointmentBooked) else "time_drift",
        uid=difference.uid,
        evidence="at Cal.com it stands at a time when the member of staff has another appointment",
        repair="manual_review",
    )
    return replace(difference, events=(*before, replace(last, overlaps=True), flagged))


def _answer(booking: Booking, trace: o.Standing | o.Gone, now: datetime) -> Difference | None:
    """Return that what a person was asked to look for stands there."""
    asked = any(line.uid is None and line.attempt_id == trace.attempt_id for line in booking.ledger.in_review)
    if isinstance(trace, o.Gone) or not asked:
        return None
    return Difference(
        kind="orphan",
        repair="adopt",
        uid=trace.uid,
        evidence=f"{trace.uid} is live at Cal.com, and a person was asked whether it is",
        outcome="adopted",
        events=record_sighting(booking, trace, now=now),
        owes=True,
    )


def _gone(booking: Booking, trace: o.Gone, now: datetime) -> Difference | None:
    lived = next((line for line in booking.ledger.live if line.uid in trace.uids), None)
    if lived is None or lived.uid is None:
        return None
    if lived.uid != booking.kept_uid or booking.ended is not BookingStatus.BOOKED:
        cancelled = e.CalcomBookingCancelled(
            at=now, attempt_id=lived.attempt_id, uid=lived.uid, how="already_cancelled"
        )
        return Difference(
            kind="status_drift",
            repair="none",
            uid=lived.uid,
            evidence="what was to be cancelled is cancelled at Cal.com",
            outcome="cancelled",
            events=(cancelled, *settled(booking, lived.uid, now=now)),
            owes=True,
        )
    return Difference(
        kind="ghost",
        repair="mark_cancelled",
        uid=lived.uid,
        evidence=f"booked here, cancelled at Cal.com as {trace.uid}",
        outcome="cancelled",
        events=record_gone(booking, lived.uid, now=now),
        cancels=True,
    )


def _moved(booking: Booking, trace: o.Standing, now: datetime, webhook_id: UUID | None) -> Difference | None:
    kept = booking.kept_uid or trace.uid
    same_time = (booking.starts_at, booking.ends_at) == (trace.starts_at, trace.ends_at)
    if kept == trace.uid and same_time:
        return _there_again(booking, kept, now)
    followed: tuple[e.BookingEvent, ...] = ()
    if kept != trace.uid:
        line = booking.ledger.holding(kept)
        attempt_id = trace.attempt_id or "" if line is None else line.attempt_id
        followed = (e.CalcomBookingFollowed(at=now, attempt_id=attempt_id, from_uid=kept, to_uid=trace.uid),)
    moved = m.BookingRescheduled(
        at=now,
        from_uid=kept,
        to_uid=trace.uid,
        starts_at=trace.starts_at,
        ends_at=trace.ends_at,
        by="calcom",
        webhook_id=None if webhook_id is None else str(webhook_id),
    )
    return Difference(
        kind="time_drift",
        repair="move",
        uid=trace.uid,
        evidence=f"booked here as {kept}, stands at Cal.com as {trace.uid} from {trace.starts_at.isoformat()}",
        outcome="moved",
        events=(*_left_behind(booking, kept, trace, now=now), *followed, moved),
        moves=True,
    )


def _there_again(booking: Booking, kept: str, now: datetime) -> Difference | None:
    """Return that what was missed stands where it should."""
    missed = any((one.kind, one.uid) == ("ghost", kept) for one in booking.inconsistencies)
    if not missed and ("ghost", kept) not in booking.let_stand:
        return None
    # What a person let stand is told, too: if it is missed once more, they are asked anew.
    seen = f.InconsistencyResolved(at=now, kind="ghost", uid=kept, how="seen", actor="calsaga")
    return Difference(
        kind="ghost", repair="none", uid=kept, evidence="it is there again", outcome="equal", events=(seen,)
    )


def missing(uid: str, *, now: datetime) -> Difference:
    """Return that a booked uid is neither in Cal.com's list nor found by itself: a person must say what that means."""
    evidence = "booked here; Cal.com's list does not have it, and Cal.com finds nothing under the uid"
    difference = Difference(kind="ghost", repair="manual_review", uid=uid, evidence=evidence, outcome="flagged")
    return replace(difference, events=(found(difference, now=now),))


def _left_behind(
    booking: Booking, kept: str, trace: o.Standing, *, now: datetime
) -> tuple[f.InconsistencyResolved, ...]:
    """Return that what was found about the old time is over; that metadata says what the log does not know is not."""
    unknown = (trace.attempt_id, trace.booking_id) != (None, None)
    return tuple(
        one
        for one in settled(booking, kept, how="moved", now=now)
        if one.kind == "time_drift" or (one.kind == "foreign_booking" and not unknown)
    )


def _is_rebooked(booking: Booking, trace: o.Standing) -> bool:
    """Tell whether people have cancelled it at Cal.com and taken it up again; nobody has asked us to cancel it."""
    cancelled_there = booking.ended is BookingStatus.CANCELLED and booking.cancellation is None
    return cancelled_there and booking.kept_uid in trace.origins


def _surplus(booking: Booking, trace: o.Standing, now: datetime) -> Difference | None:
    """Return that something of ours lives at Cal.com which the booking does not want."""
    line = booking.ledger.holding(trace.uid)
    if line is not None and line.status in {LineStatus.LIVE, LineStatus.SET_ASIDE}:
        # The saga knows, and cancels it already; or a person has said that it may stay there.
        return None
    if any(one.foreign for one in booking.ledger.lines):
        # Not ours to cancel, whatever was said about it before.
        return None
    seen = record_sighting(booking, trace, now=now)
    booked = booking.ended is BookingStatus.BOOKED
    evidence = f"{trace.uid} is live at Cal.com, and the booking is {booking.status.value}"
    owed = f.CalcomSyncRequired(at=now, uid=trace.uid, reason="surplus" if booked else "orphan")
    return Difference(
        kind="duplicate" if booked else "orphan",
        repair="cancel",
        uid=trace.uid,
        evidence=evidence,
        outcome="cancelling",
        events=(owed, *seen),
        owes=True,
    )
