"""
A backend in memory, whose orchestrator answers what a test tells it to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from adapters.web.ports import (
    Backend,
    Caller,
    CompanyRecord,
    KeyRecord,
    Readiness,
    ServiceWish,
)
from domain import events as e
from domain.booking import Booking, fold, initial_state
from domain.errors import AppointmentError, UnknownBooking, UnknownService
from domain.person import Person, Remark
from domain.service import Service
from domain.validation import validate
from domain.wish import BookAppointment
from projections.booking_pages import BookingFilter, BookingPage
from projections.bookings import summary
from sagas.appending import Recorded
from sagas.orchestrator import BookingResult, CancelAppointment

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
STARTS = datetime(2027, 3, 2, 9, tzinfo=UTC)
BOOKING_ID = UUID("11111111-2222-5333-8444-555555555555")
OTHER_ID = UUID("99999999-2222-5333-8444-555555555555")
ALL_SCOPES = ("bookings:write", "bookings:read", "ops:read", "ops:write")
SERVICE = Service(
    company_id="acme", service_id="consult", name="Consultation", duration_minutes=30, calcom_event_type_id=1
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
REVIEW = e.ManualReviewRequested(at=NOW, reason="compensation_failed", detail="cancel failed", attempt_id="a", uid=None)
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


@dataclass
class FakeBookings:
    """Validates as the orchestrator does, then answers `result` or raises `error`."""

    result: BookingResult = field(default_factory=lambda: BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED)))
    error: Exception | None = None
    booked: list[BookAppointment] = field(default_factory=list)
    cancelled: list[CancelAppointment] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        if wish.service_id != SERVICE.service_id or wish.company_id != SERVICE.company_id:
            raise UnknownService(wish.service_id)
        validate(wish, SERVICE, now=NOW)
        self.booked.append(wish)
        return self._answer(patience)

    async def cancel(self, wish: CancelAppointment, *, patience: float) -> BookingResult:
        await self.get(wish.booking_id, company_id=wish.company_id)
        self.cancelled.append(wish)
        return self._answer(patience)

    async def get(self, booking_id: UUID, *, company_id: str) -> Booking:
        if booking_id != BOOKING_ID or company_id != SERVICE.company_id:
            raise UnknownBooking(booking_id)
        return self.result.booking

    def _answer(self, patience: float) -> BookingResult:
        self.patience.append(patience)
        if self.error is not None:
            raise self.error
        return self.result


@dataclass
class FakeStreams:
    recorded: list[Recorded] = field(default_factory=lambda: stream([initiated(), ATTEMPTED, CREATED, BOOKED]))
    error: AppointmentError | None = None

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        if self.error is not None:
            raise self.error
        return self.recorded if stream_id == BOOKING_ID else []


@dataclass
class FakeList:
    asked: list[tuple[BookingFilter, int, str | None]] = field(default_factory=list)

    async def page(self, wanted: BookingFilter, *, limit: int, cursor: str | None) -> BookingPage:
        self.asked.append((wanted, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        own = wanted.company_id == SERVICE.company_id
        rows = (summary(booking(ATTEMPTED, CREATED, BOOKED)),) if own else ()
        return BookingPage(bookings=rows, next_cursor="more", position=7, head=9)


class FakeKeys:
    """A key is written `company/scope,scope`."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Sequence[str]]] = []

    async def identify(self, key: str) -> Caller | None:
        company_id, _, scopes = key.partition("/")
        if not scopes:
            return None
        return Caller(key_id=key, company_id=company_id, scopes=frozenset(scopes.split(",")))

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[KeyRecord, str]:
        self.made.append((company_id, scopes))
        return _record("new", scopes), "csk_secret"

    async def list(self, *, company_id: str) -> Sequence[KeyRecord]:
        return [_record("one", ["ops:read"])] if company_id == "acme" else []

    async def revoke(self, *, company_id: str, key_id: str) -> bool:
        return (company_id, key_id) == ("acme", "one")


@dataclass
class FakeServices:
    defined: list[ServiceWish] = field(default_factory=list)
    is_new: bool = True
    error: AppointmentError | None = None

    async def define(self, wish: ServiceWish) -> tuple[Service, bool]:
        if self.error is not None:
            raise self.error
        self.defined.append(wish)
        return SERVICE, self.is_new

    async def list(self, *, company_id: str) -> Sequence[Service]:
        return [SERVICE] if company_id == SERVICE.company_id else []


@dataclass
class FakeCompanies:
    stored: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    async def put(self, company_id: str, *, calcom_key: str | None, webhook_secret: str | None) -> CompanyRecord:
        self.stored.append((company_id, calcom_key, webhook_secret))
        return CompanyRecord(company_id=company_id, has_calcom_key=True, has_webhook_secret=False)

    async def list(self) -> Sequence[CompanyRecord]:
        return [CompanyRecord(company_id=it, has_calcom_key=True, has_webhook_secret=True) for it in ("acme", "other")]


@dataclass
class FakeProbes:
    state: Readiness = field(default_factory=lambda: Readiness(problem=None, overdue=timedelta(0)))

    async def readiness(self) -> Readiness:
        return self.state


@dataclass
class FakeBackend:
    bookings: FakeBookings = field(default_factory=FakeBookings)
    streams: FakeStreams = field(default_factory=FakeStreams)
    list: FakeList = field(default_factory=FakeList)
    keys: FakeKeys = field(default_factory=FakeKeys)
    services: FakeServices = field(default_factory=FakeServices)
    companies: FakeCompanies = field(default_factory=FakeCompanies)
    probes: FakeProbes = field(default_factory=FakeProbes)

    def as_backend(self) -> Backend:
        return Backend(**vars(self))


def _record(key_id: str, scopes: Sequence[str]) -> KeyRecord:
    return KeyRecord(key_id=key_id, scopes=scopes, created_at=NOW, revoked_at=None)
