"""
Events, wishes and bookings to begin a test from: one booking, told in seconds after its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import events as e
from domain.booking import Booking, fold, initial_state
from domain.commands import RequestBooking
from domain.deciding import initiate
from domain.idempotency import key_for
from domain.person import Person, Remark
from domain.policy import Policy
from domain.service import Service
from domain.wish import BookAppointment, CustomerWish
from tests.fakes.time import START

POLICY = Policy()
SLOT = START + timedelta(days=1)
SERVICE = Service(
    company_id="acme", service_id="cut", name="Cut", duration_minutes=30, calcom_event_type_id=1, staff_id="ann"
)
PERSON = Person(name="Ada Lovelace", email="ada@example.com", phone="+491701234567")
REQUEST = RequestBooking(service=SERVICE, person=PERSON, starts_at=SLOT, time_zone="Europe/Berlin", source="phone")
WISH = BookAppointment(
    company_id="acme",
    service_id="cut",
    customer=CustomerWish(name="Ada Lovelace", email="ada@example.com", phone="+49 170 1234567"),
    starts_at=SLOT,
    time_zone="UTC",
    source="phone",
)
KEY = key_for(REQUEST)
BOOKING_ID = KEY.booking_id
OBSTACLE_ID = UUID(int=7)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def wish(**changes: Any) -> BookAppointment:  # noqa: ANN401 - any field of a wish
    return replace(WISH, **changes)


def customer(**changes: Any) -> BookAppointment:  # noqa: ANN401 - any field of a customer
    return replace(WISH, customer=replace(WISH.customer, **changes))


def request(**changes: Any) -> RequestBooking:  # noqa: ANN401 - any field of a request
    return replace(REQUEST, **changes)


def initiated(**changes: Any) -> e.BookingInitiated:  # noqa: ANN401 - any field of the event
    return replace(initiate(REQUEST, key=KEY, now=at(0), policy=POLICY), **changes)


def attempted(attempt: str = "one", *, number: int = 1, seconds: float = 0) -> e.CalcomBookingAttempted:
    return e.CalcomBookingAttempted(
        at=at(seconds), attempt_id=attempt, number=number, send_by=at(seconds + 5), answer_by=at(seconds + 15)
    )


def not_sent(attempt: str = "one", *, seconds: float = 1, retry_in: float = 1) -> e.CalcomBookingNotSent:
    return e.CalcomBookingNotSent(
        at=at(seconds), attempt_id=attempt, reason="refused_connection", detail="", retry_at=at(seconds + retry_in)
    )


def unknown(attempt: str = "one", *, seconds: float = 10) -> e.CalcomOutcomeUnknown:
    return e.CalcomOutcomeUnknown(at=at(seconds), attempt_id=attempt, reason="timeout", detail="")


def looked(*attempts: str, seconds: float = 80, counted: bool = True, problem: str | None = None) -> e.CalcomLooked:
    ids = attempts or ("one",)
    return e.CalcomLooked(
        at=at(seconds),
        started_at=at(seconds),
        attempt_ids=ids,
        counted=ids if counted and problem is None else (),
        problem=problem,
    )


def absent(attempt: str = "one", *, seconds: float = 120, final: bool = False) -> e.CalcomAttemptAbsent:
    return e.CalcomAttemptAbsent(at=at(seconds), attempt_id=attempt, final=final)


def created(
    attempt: str = "one",
    uid: str = "uid-1",
    *,
    seconds: float = 1,
    calcom_status: str = "accepted",
    late: bool = False,
    starts_at: datetime = SLOT,
) -> e.CalcomBookingCreated:
    return e.CalcomBookingCreated(
        at=at(seconds),
        attempt_id=attempt,
        uid=uid,
        starts_at=starts_at,
        ends_at=starts_at + SERVICE.duration,
        calcom_status=calcom_status,
        how="made",
        late=late,
    )


def refused(attempt: str = "one", *, seconds: float = 1, conflict: bool = False) -> e.CalcomBookingRefused:
    return e.CalcomBookingRefused(
        at=at(seconds), attempt_id=attempt, reason="slot_taken", detail="no", status=400, conflict=conflict
    )


def booked(uid: str = "uid-1", *, seconds: float = 1) -> e.AppointmentBooked:
    return e.AppointmentBooked(
        at=at(seconds),
        appointment_id=UUID(int=1),
        calcom_uid=uid,
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
    )


def not_persisted(
    *, seconds: float = 1, reason: str = "staff_overlap", obstacle_id: UUID | None = OBSTACLE_ID
) -> e.AppointmentPersistenceFailed:
    return e.AppointmentPersistenceFailed(at=at(seconds), reason=reason, obstacle_id=obstacle_id)


def inspected(verdict: e.ObstacleVerdict, *, seconds: float = 2, retry_in: float = 0) -> e.ObstacleInspected:
    return e.ObstacleInspected(
        at=at(seconds), obstacle_id=OBSTACLE_ID, verdict=verdict, retry_at=at(seconds + retry_in)
    )


def compensating(*, seconds: float = 2, reason: str = "slot_taken") -> e.CompensationStarted:
    return e.CompensationStarted(at=at(seconds), reason=reason, detail="in the way")


def cancellation(*, seconds: float = 5, command_id: str | None = None) -> e.CancellationRequested:
    return e.CancellationRequested(at=at(seconds), person=Remark(reason="no need"), command_id=command_id)


def cancel_attempted(uid: str = "uid-1", *, number: int = 1, seconds: float = 6) -> e.CalcomCancelAttempted:
    return e.CalcomCancelAttempted(at=at(seconds), uid=uid, purpose="cancellation", number=number)


def cancelled_there(
    uid: str = "uid-1", attempt: str = "one", *, seconds: float = 7, how: e.CancelHow = "cancelled"
) -> e.CalcomBookingCancelled:
    return e.CalcomBookingCancelled(at=at(seconds), attempt_id=attempt, uid=uid, how=how)


def followed(from_uid: str, to_uid: str, *, attempt: str = "one", seconds: float = 7) -> e.CalcomBookingFollowed:
    return e.CalcomBookingFollowed(at=at(seconds), attempt_id=attempt, from_uid=from_uid, to_uid=to_uid)


def cancel_failed(uid: str = "uid-1", *, seconds: float = 7, retry_in: float = 1) -> e.CompensationFailed:
    return e.CompensationFailed(
        at=at(seconds), uid=uid, reason="http_502", detail="bad gateway", retry_at=at(seconds + retry_in)
    )


def failed(*, seconds: float = 8, reason: str = "slot_taken") -> e.BookingFailed:
    return e.BookingFailed(at=at(seconds), reason=reason, detail="no")


def cancelled(*, seconds: float = 8) -> e.BookingCancelled:
    return e.BookingCancelled(at=at(seconds), reason="requested")


def review(attempt: str = "one", uid: str | None = "uid-1", *, seconds: float = 8) -> e.ManualReviewRequested:
    return e.ManualReviewRequested(
        at=at(seconds), reason="compensation_failed", detail="no", attempt_id=attempt, uid=uid
    )


def given(*events: e.BookingEvent, initiated_with: Mapping[str, Any] | None = None) -> Booking:
    """
    Return the booking after it was asked for and these events.
    """
    return fold(initial_state(BOOKING_ID), (initiated(**(initiated_with or {})), *events))


IN_DOUBT = (attempted(), unknown())
ABSENT = (*IN_DOUBT, looked(seconds=90), looked(seconds=120), absent())
BOOKED = (attempted(), created(), booked())
