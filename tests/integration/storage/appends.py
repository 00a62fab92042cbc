"""
Appends as the engine makes them, and a database that is open without an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import create_engine, insert, make_url, text

from adapters.database.clock import DatabaseClock
from adapters.database.engine import open_engine
from adapters.database.tables import services
from adapters.database.unanswered import Connections
from adapters.log.store import _open
from adapters.recording.backend import Backend, Options
from adapters.recording.codec import booking_codec
from adapters.recording.mapper import EventMapper
from adapters.recording.probing import Probe, ignore
from domain import events as e
from domain import moving as m
from domain.findings import InconsistencyDetected
from domain.person import Person
from domain.service import Service
from sagas.appending import (
    Append,
    CancelAppointment,
    Customer,
    DueAfter,
    InsertAppointment,
    Instead,
    Lease,
    MoveAppointment,
    NothingDue,
    Refusal,
    SlotClaim,
)

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
TEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
COMPANY = "practice"
SERVICE = Service(
    company_id=COMPANY, service_id="checkup", name="Check-up", duration_minutes=30, calcom_event_type_id=4711
)


def define_service(url: str, service: Service = SERVICE) -> None:
    engine = open_engine(url)
    row = {name: getattr(service, name) for name in service.__dataclass_fields__}
    with engine.begin() as connection:
        connection.execute(insert(services).values(**row, created_at=NOW, updated_at=NOW))
    engine.dispose()


@contextmanager
def opened(url: str, *, probe: Probe = ignore, lock_timeout: float = 5.0) -> Iterator[Backend]:
    """
    A database for direct use: `append` takes whole batches.
    """
    options = Options(mapper=EventMapper(booking_codec()), probe=probe, lock_timeout=lock_timeout)
    backend = _open(url, options, DatabaseClock(), Connections())
    try:
        yield backend
    finally:
        backend.close()


def rows(url: str, query: str) -> list[Any]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(query))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def initiated(
    *,
    person: str = "Ada",
    customer_id: UUID | None = None,
    starts_at: datetime = TEN,
    ends_at: datetime | None = None,
    staff_id: str | None = None,
    allow_near_duplicate: bool = False,
) -> e.BookingInitiated:
    return e.BookingInitiated(
        at=NOW,
        service=SERVICE,
        customer_id=customer_id or uuid4(),
        person=Person(name=person, email="ada@example.com"),
        starts_at=starts_at,
        ends_at=ends_at or starts_at + HALF_HOUR,
        time_zone="Europe/Berlin",
        source="web",
        staff_id=staff_id,
        call_id=None,
        confidence=None,
        allow_near_duplicate=allow_near_duplicate,
        idempotency_key=str(uuid4()),
        key_given=False,
        generation=0,
        fingerprint="f" * 64,
        valid_until=TEN,
        correlation_id="correlation",
        policy_version="1",
    )


def attempted() -> e.CalcomBookingAttempted:
    return e.CalcomBookingAttempted(at=NOW, attempt_id=uuid4().hex, number=1, send_by=NOW, answer_by=NOW)


def deferred(reason: str = "later") -> e.BookingDeferred:
    return e.BookingDeferred(at=NOW, until=NOW, reason=reason)


def append(stream_id: UUID, expected_version: int, *events: e.BookingEvent, **more: Any) -> Append:  # noqa: ANN401 - fields of all types
    return Append(
        **{
            "stream_id": stream_id,
            "expected_version": expected_version,
            "append_id": uuid4().hex,
            "correlation_id": "correlation",
            "recorded_at": NOW,
            "events": events,
            "due": NothingDue(),
            **more,
        }
    )


def start(facts: e.BookingInitiated | None = None, *, stream_id: UUID | None = None, **more: Any) -> Append:  # noqa: ANN401 - fields of all types
    """
    The first append of a booking: its intent, its claim, its customer and its lease.
    """
    facts = facts or initiated()

    def refused(refusal: Refusal) -> Instead:
        failed = e.BookingFailed(at=NOW, reason=refusal.by, detail="", conflicting_booking_id=refusal.booking_id)
        return Instead(events=(facts, failed), due=NothingDue())

    return append(
        stream_id or uuid4(),
        0,
        facts,
        attempted(),
        **{
            "due": Lease(token=uuid4(), lasts=timedelta(seconds=45)),
            "claim": SlotClaim(
                company_id=COMPANY,
                customer_id=facts.customer_id,
                service_id=facts.service.service_id,
                offered_as=facts.service.offered_as,
                staff_id=facts.staff_id,
                starts_at=facts.starts_at,
                ends_at=facts.ends_at,
                allow_near_duplicate=facts.allow_near_duplicate,
            ),
            "customer": Customer(
                customer_id=facts.customer_id,
                company_id=COMPANY,
                name=facts.person.name,
                email=facts.person.email,
                phone=facts.person.phone,
                found=True,
            ),
            "on_refused": refused,
            **more,
        },
    )


def row_of(stream_id: UUID, facts: e.BookingInitiated, **more: Any) -> InsertAppointment:  # noqa: ANN401 - fields of all types
    return InsertAppointment(
        **{
            "appointment_id": uuid4(),
            "company_id": COMPANY,
            "booking_id": stream_id,
            "idempotency_key": str(stream_id),
            "calcom_booking_uid": uuid4().hex,
            "service_id": facts.service.service_id,
            "offered_as": facts.service.offered_as,
            "customer_id": facts.customer_id,
            "staff_id": facts.staff_id,
            "starts_at": facts.starts_at,
            "ends_at": facts.ends_at,
            "source": "web",
            "retry_count": 0,
            "sync_attempt_count": 1,
            "last_sync_attempted_at": NOW,
            "resilience_strategy": None,
            **more,
        }
    )


def finish(stream_id: UUID, facts: e.BookingInitiated, *, expected_version: int = 2, **more: Any) -> Append:  # noqa: ANN401 - fields of all types
    """
    The second append of a booking: Cal.com's answer, the appointment, and the claim is free.
    """
    row = row_of(stream_id, facts, **more)
    created = e.CalcomBookingCreated(
        at=NOW,
        attempt_id="attempt",
        uid=row.calcom_booking_uid,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        calcom_status="accepted",
        how="made",
        late=False,
    )
    booked = e.AppointmentBooked(
        at=NOW,
        appointment_id=row.appointment_id,
        calcom_uid=row.calcom_booking_uid,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )

    def refused(refusal: Refusal) -> Instead:
        failed = e.AppointmentPersistenceFailed(at=NOW, reason=refusal.by, obstacle_id=refusal.appointment_id)
        return Instead(events=(created, failed), due=DueAfter(delay=timedelta(0)))

    return append(
        stream_id, expected_version, created, booked, appointment=row, releases_claim=True, on_refused=refused
    )


def withdraw(stream_id: UUID, appointment_id: UUID, *, expected_version: int = 4) -> Append:
    return append(
        stream_id,
        expected_version,
        e.BookingCancelled(at=NOW, reason="requested"),
        appointment=CancelAppointment(appointment_id=appointment_id),
    )


def move(booked: Append, *, expected_version: int = 4, **more: Any) -> Append:  # noqa: ANN401 - fields of all types
    """
    The append of a booking that has moved at Cal.com; when it is refused, that it differs is written instead.
    """
    row = booked.appointment
    assert isinstance(row, InsertAppointment)
    to = MoveAppointment(
        **{
            "appointment_id": row.appointment_id,
            "company_id": row.company_id,
            "booking_id": row.booking_id,
            "staff_id": row.staff_id,
            "calcom_booking_uid": uuid4().hex,
            "starts_at": row.starts_at + timedelta(days=1),
            "ends_at": row.ends_at + timedelta(days=1),
            **more,
        }
    )
    rescheduled = m.BookingRescheduled(
        at=NOW,
        from_uid=row.calcom_booking_uid,
        to_uid=to.calcom_booking_uid,
        starts_at=to.starts_at,
        ends_at=to.ends_at,
        by="calcom",
        overlaps=to.overlap_allowed,
        webhook_id=to.webhook_id,
    )

    def refused(refusal: Refusal) -> Instead:
        found = InconsistencyDetected(at=NOW, kind="time_drift", uid=to.calcom_booking_uid, evidence=refusal.by)
        return Instead(events=(found,), due=DueAfter(delay=timedelta(0)))

    return append(row.booking_id, expected_version, rescheduled, appointment=to, on_refused=refused)


async def until(holds: Callable[[], object]) -> None:
    """
    Wait for what no event tells.
    """
    deadline = monotonic() + 30
    while not holds():
        await asyncio.sleep(0.005)
        assert monotonic() < deadline, "it never came"
