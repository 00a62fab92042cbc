"""
The events of a move to begin a test from, told in seconds after the start.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import moving as m
from domain.person import Remark
from sagas.outcomes import Gone, Standing
from tests.fakes.given import BOOKING_ID, SERVICE, SLOT, at

LATER = SLOT + timedelta(hours=3)


def requested(
    *, seconds: float = 20, starts_at: datetime = LATER, command_id: str | None = "move-1"
) -> m.RescheduleRequested:
    return m.RescheduleRequested(
        at=at(seconds),
        starts_at=starts_at,
        ends_at=starts_at + SERVICE.duration,
        command_id=command_id,
        person=Remark(reason="later, please"),
    )


def move_attempted(*, number: int = 1, seconds: float = 20, uid: str = "uid-1") -> m.CalcomRescheduleAttempted:
    return m.CalcomRescheduleAttempted(
        at=at(seconds), uid=uid, number=number, send_by=at(seconds + 5), answer_by=at(seconds + 15)
    )


def move_not_sent(*, seconds: float = 21, retry_in: float = 1) -> m.CalcomRescheduleNotSent:
    return m.CalcomRescheduleNotSent(
        at=at(seconds), reason="refused_connection", detail="", retry_at=at(seconds + retry_in)
    )


def move_unknown(*, seconds: float = 30) -> m.CalcomRescheduleUnknown:
    return m.CalcomRescheduleUnknown(at=at(seconds), reason="timeout", detail="")


def move_looked(*, seconds: float = 100, counted: bool = True, problem: str | None = None) -> m.CalcomRescheduleLooked:
    return m.CalcomRescheduleLooked(
        at=at(seconds), started_at=at(seconds), counted=counted and problem is None, problem=problem
    )


def move_absent(*, seconds: float = 200) -> m.CalcomRescheduleAbsent:
    return m.CalcomRescheduleAbsent(at=at(seconds))


def move_refused(*, seconds: float = 21) -> m.CalcomRescheduleRefused:
    return m.CalcomRescheduleRefused(at=at(seconds), reason="slot_taken", detail="taken", status=400)


def moved(
    from_uid: str = "uid-1", to_uid: str = "uid-2", *, seconds: float = 22, to: datetime = LATER, late: bool = False
) -> m.CalcomBookingMoved:
    return m.CalcomBookingMoved(
        at=at(seconds),
        attempt_id="one",
        from_uid=from_uid,
        to_uid=to_uid,
        starts_at=to,
        ends_at=to + SERVICE.duration,
        late=late,
    )


def move_failed(*, seconds: float = 300, reason: str = "calcom_unavailable") -> m.RescheduleFailed:
    return m.RescheduleFailed(at=at(seconds), reason=reason, detail="no")


def rescheduled(
    from_uid: str = "uid-2", to_uid: str = "uid-2", *, seconds: float = 23, to: datetime = LATER, overlaps: bool = False
) -> m.BookingRescheduled:
    return m.BookingRescheduled(
        at=at(seconds),
        from_uid=from_uid,
        to_uid=to_uid,
        starts_at=to,
        ends_at=to + SERVICE.duration,
        by="customer",
        overlaps=overlaps,
    )


def standing(
    uid: str = "uid-1",
    *,
    starts_at: datetime = SLOT,
    attempt_id: str | None = "one",
    origins: tuple[str, ...] = (),
) -> Standing:
    return Standing(
        uid=uid,
        calcom_status="accepted",
        starts_at=starts_at,
        ends_at=starts_at + SERVICE.duration,
        created_at=at(0),
        event_type_id=1,
        attempt_id=attempt_id,
        booking_id=None if attempt_id is None else BOOKING_ID,
        origins=origins,
    )


def gone(uid: str = "uid-1", *, attempt_id: str | None = "one", origins: tuple[str, ...] = ()) -> Gone:
    return Gone(uid=uid, attempt_id=attempt_id, booking_id=BOOKING_ID, origins=origins)


ASKED = (requested(), move_attempted())
MOVE_IN_DOUBT = (*ASKED, move_unknown())
