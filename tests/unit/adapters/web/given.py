"""
What the web tests begin with: a service, its one booking, and what has happened to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from adapters.web.ports import CustomerRecord, FreeSlots
from domain import events as e
from domain import findings as f
from domain.booking import Booking, initial_state
from domain.evolving import fold
from domain.offer import Offer
from domain.person import Person, Remark
from domain.service import Service
from projections.circuit_breaker_events import CircuitBreakerEvent
from projections.engagement import Engagement
from projections.failures import SyncFailure, failure_id_of
from sagas.appending import Recorded

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
STARTS = datetime(2027, 3, 2, 9, tzinfo=UTC)
BOOKING_ID = UUID("11111111-2222-5333-8444-555555555555")
OTHER_ID = UUID("99999999-2222-5333-8444-555555555555")
ALL_SCOPES = ("bookings:write", "bookings:read", "ops:read", "ops:write", "fleet:write")
SERVICE = Service(
    company_id="acme", service_id="consult", name="Consultation", duration_minutes=30, calcom_event_type_id=1
)
OFFER = Offer(service=SERVICE)
ADA = CustomerRecord(
    customer_id=UUID("22222222-2222-5333-8444-555555555555"),
    name="Ada Lovelace",
    email="ada@example.com",
    phone="+491701234567",
    created_at=NOW,
    engagement=Engagement(
        customer_id=UUID("22222222-2222-5333-8444-555555555555"),
        company_id="acme",
        requested=4,
        booked=3,
        moved=1,
        cancelled=1,
        last_event_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
    ),
)


def initiated(*, key_given: bool = False) -> e.BookingInitiated:
    return e.BookingInitiated(
        at=NOW,
        service=SERVICE,
        customer_id=uuid4(),
        person=Person(name="Ada Lovelace", email="ada@example.com", phone="+491701234567", notes="knee"),
        starts_at=STARTS,
        ends_at=STARTS + timedelta(minutes=30),
        time_zone="Europe/Berlin",
        source="web",
        staff_id=None,
        call_id=None,
        confidence=None,
        allow_near_duplicate=False,
        idempotency_key="key-1",
        key_given=key_given,
        generation=0,
        fingerprint="f",
        valid_until=STARTS,
        correlation_id="first",
        policy_version="1",
    )


CREATED = e.CalcomBookingCreated(
    at=NOW,
    attempt_id="a",
    uid="uid1",
    starts_at=STARTS,
    ends_at=STARTS + timedelta(minutes=30),
    calcom_status="accepted",
    how="made",
    late=False,
)
ATTEMPTED = e.CalcomBookingAttempted(at=NOW, attempt_id="a", number=1, send_by=NOW, answer_by=NOW)
BOOKED = e.AppointmentBooked(
    at=NOW, appointment_id=uuid4(), calcom_uid="uid1", starts_at=STARTS, ends_at=STARTS + timedelta(minutes=30)
)
CANCEL_ASKED = e.CancellationRequested(at=NOW, person=Remark(reason="ill"), command_id=None)
CANCELLED = e.BookingCancelled(at=NOW, reason="requested")
REVIEW = f.ManualReviewRequested(at=NOW, reason="compensation_failed", detail="cancel failed", attempt_id="a", uid=None)
FOUND = f.InconsistencyDetected(at=NOW, kind="orphan", uid="uid1", evidence="it stands there alone", repair="cancel")
FAILURE_ID = failure_id_of(BOOKING_ID, "orphan", "uid1")
FAILURE = SyncFailure(
    id=FAILURE_ID,
    company_id="acme",
    booking_id=BOOKING_ID,
    appointment_id=None,
    calcom_booking_id="uid1",
    attempt_id="a",
    failure_type="orphan",
    error_message="it stands there alone",
    proposed_repair="cancel",
    status="manual_review",
    resolution=None,
    actor=None,
    attempt_count=1,
    created_at=NOW,
    updated_at=NOW,
    resolved_at=None,
)
BREAKER_EVENT = CircuitBreakerEvent(
    id=OTHER_ID,
    service="calcom",
    from_state="closed",
    to_state="open",
    cause="failures",
    reason=None,
    actor=None,
    failures=5,
    calls=7,
    slow=None,
    epoch=1,
    shared=True,
    instance=None,
    at=NOW,
)
UNDOING = e.CompensationStarted(at=NOW, reason="slot_taken", detail="in the way")


def failed(reason: str, *, conflicting: UUID | None = None) -> e.BookingFailed:
    return e.BookingFailed(at=NOW, reason=reason, detail="it did not work", conflicting_booking_id=conflicting)


def booking(*happened: e.BookingEvent, key_given: bool = False) -> Booking:
    return fold(initial_state(BOOKING_ID), [initiated(key_given=key_given), *happened])


def stream(happened: Iterable[e.BookingEvent]) -> list[Recorded]:
    return [
        Recorded(
            stream_id=BOOKING_ID,
            version=version,
            event=event,
            append_id="x",
            correlation_id="first",
            recorded_at=NOW + timedelta(minutes=version),
        )
        for version, event in enumerate(happened, 1)
    ]


FREE = FreeSlots(starts=(STARTS.astimezone(ZoneInfo("Europe/Berlin")),), source="cache", age_seconds=3.14)
