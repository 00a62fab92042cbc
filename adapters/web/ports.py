"""What the API needs from the rest of calsaga, in the API's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from adapters.representation import Document
from domain.booking import Booking
from domain.errors import FieldError
from domain.service import Service
from domain.wish import BookAppointment
from sagas.appending import Recorded
from sagas.orchestrator import BookingResult, CancelAppointment


class Bookings(Protocol):
    """The orchestrator."""

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        """Book an appointment, and wait so long for the outcome."""
        ...

    async def cancel(self, wish: CancelAppointment, *, patience: float) -> BookingResult:
        """Cancel a booking, and wait so long for the outcome."""
        ...

    async def get(self, booking_id: UUID, *, company_id: str) -> Booking:
        """Return a booking of the company."""
        ...


class Streams(Protocol):
    """The log, for reading."""

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        """Return a stream from its first event on; empty if there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which bookings are asked for; `starts_from` is inclusive, `starts_before` is not."""

    company_id: str
    status: str | None = None
    service_id: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    limit: int = 50
    cursor: str | None = None


class BadCursor(Exception):
    """The cursor was not made by this API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the bookings, and where to go on."""

    bookings: Sequence[Document]
    next_cursor: str | None


class BookingList(Protocol):
    """The read model of bookings."""

    async def page(self, wanted: Wanted) -> Page:
        """
        Return a page of bookings, by start.

        Raises:
            BadCursor: the cursor means nothing.

        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who holds the key of a request."""

    key_id: str
    company_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as it may be shown: never the key itself."""

    key_id: str
    scopes: Sequence[str]
    created_at: datetime
    revoked_at: datetime | None


class Keys(Protocol):
    """The API keys; only digests of them are stored."""

    async def identify(self, key: str) -> Caller | None:
        """Return whose key it is, or None for a key that is unknown or revoked."""
        ...

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[KeyRecord, str]:
        """Make a key, and return it with its text, which nobody can read again."""
        ...

    async def list(self, *, company_id: str) -> Sequence[KeyRecord]:
        """Return the company's keys."""
        ...

    async def revoke(self, *, company_id: str, key_id: str) -> bool:
        """Make a key useless; False if the company has no such key."""
        ...


class Preflight(Protocol):
    """What speaks against an event type, and what a service must know of it."""

    @property
    def errors(self) -> tuple[FieldError, ...]:
        """Return every fault, by the field of the service."""
        ...

    @property
    def notice_minutes(self) -> int:
        """Return how long before its start Cal.com stops taking a booking."""
        ...

    @property
    def sends_length(self) -> bool:
        """Tell whether Cal.com wants to be told the length."""
        ...


class EventTypes(Protocol):
    """One company's calendar at Cal.com."""

    async def preflight(self, event_type_id: int, *, duration_minutes: int) -> Preflight:
        """
        Return what speaks against booking an event type.

        Raises:
            CalcomBookingError: Cal.com could not be asked.

        """
        ...


class Calendars(Protocol):
    """Every company's calendar at Cal.com."""

    async def of(self, company_id: str) -> EventTypes:
        """Return the calendar of a company."""
        ...


class Services(Protocol):
    """The services of all companies."""

    async def put(self, service: Service) -> bool:
        """Store a service, and tell whether it is new."""
        ...

    async def list(self, *, company_id: str) -> Sequence[Service]:
        """Return the company's services."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """A company as it may be shown: whether it has secrets, never what they are."""

    company_id: str
    has_calcom_key: bool
    has_webhook_secret: bool


class Companies(Protocol):
    """The companies and their secrets, which are stored encrypted."""

    async def put(self, company_id: str, *, calcom_key: str | None, webhook_secret: str | None) -> CompanyRecord:
        """Store the secrets that are given, and leave the others."""
        ...

    async def get(self, company_id: str) -> CompanyRecord | None:
        """Return a company, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`problem` is why nothing can be served; `overdue` is how long the oldest due work has waited."""

    problem: str | None
    overdue: timedelta


class Probes(Protocol):
    """Looks at what the API stands on."""

    async def readiness(self) -> Readiness:
        """Return whether requests can be served, quickly and without raising."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Everything that the API calls."""

    bookings: Bookings
    streams: Streams
    list: BookingList
    keys: Keys
    services: Services
    calendars: Calendars
    companies: Companies
    probes: Probes
