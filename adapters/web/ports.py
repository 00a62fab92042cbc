"""What the API needs from the rest of calsaga, in the API's words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from adapters.availability.free_slots import FreeSlots
from adapters.database.companies import CompanyRecord
from adapters.database.customers import CustomerRecord
from adapters.directory.keys import Caller, KeyRecord
from adapters.directory.services import ServiceWish
from adapters.health.readiness import Readiness
from adapters.limits.ports import Kind, Limiter
from adapters.measuring.meter import CallOutcome
from adapters.metrics import WebhookRefusal
from adapters.web.fallback_ports import Fallback, Queue, Rungs
from adapters.web.health_ports import Health, Probes
from adapters.web.measure_ports import AlertFigures, Alerts, Measures
from adapters.web.recent import Recent
from adapters.web.resilience_ports import FailureReports, SnapshotHistory, Standings
from domain.booking import Booking
from domain.breaker_words import Command, Snapshot, State
from domain.health import Check
from domain.offer import Offer
from domain.wish import BookAppointment, BookComposite
from projections.booking_pages import BookingFilter, BookingPage
from projections.breaker_event_pages import BreakerEventPage
from projections.failures import SyncFailure
from projections.sync_failure_pages import FailureFilter, FailurePage
from sagas.appending import Recorded
from sagas.inbox import IncomingWebhook, Stored
from sagas.repairs import AnswerReview
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment

__all__ = [
    "AlertFigures",
    "Alerts",
    "Alternatives",
    "Availability",
    "Backend",
    "BookingList",
    "Bookings",
    "BreakerEvents",
    "Breakers",
    "Caller",
    "Companies",
    "CompanyRecord",
    "CustomerRecord",
    "Customers",
    "FreeSlots",
    "Health",
    "KeyRecord",
    "Keys",
    "Measures",
    "Metrics",
    "Probes",
    "Readiness",
    "Repairs",
    "ServiceWish",
    "Services",
    "Streams",
    "SyncFailures",
]


class Bookings(Protocol):
    """The orchestrator."""

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        """Book an appointment, and wait so long for the outcome."""
        ...

    async def book_composite(self, wish: BookComposite, *, patience: float) -> BookingResult:
        """Book several services, all or none, and wait so long for the outcome."""
        ...

    async def cancel(self, wish: CancelAppointment, *, patience: float) -> BookingResult:
        """Cancel a booking, and wait so long for the outcome."""
        ...

    async def reschedule(self, wish: RescheduleAppointment, *, patience: float) -> BookingResult:
        """Move a booking, and wait so long for the outcome."""
        ...

    async def get(self, booking_id: UUID, *, company_id: str) -> Booking:
        """Return a booking of the company."""
        ...


class Streams(Protocol):
    """The log, for reading."""

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        """Return a stream from its first event on; empty if there is none."""
        ...


class BookingList(Protocol):
    """The read model of bookings."""

    async def page(self, wanted: BookingFilter, *, limit: int, cursor: str | None) -> BookingPage:
        """
        Return a page of bookings, by start.

        Raises:
            ValueError: the cursor was not handed out for this filter.

        """
        ...


class SyncFailures(Protocol):
    """The read model of sync failures."""

    async def page(self, wanted: FailureFilter, *, limit: int, cursor: str | None) -> FailurePage:
        """
        Return a page of sync failures, the newest first.

        Raises:
            ValueError: the cursor was not handed out for this filter.

        """
        ...

    async def find(self, failure_id: UUID, *, company_id: str) -> SyncFailure | None:
        """Return a sync failure, or None if the company has no such one."""
        ...


class Repairs(Protocol):
    """What goes on as people have decided."""

    async def answer(self, wish: AnswerReview, *, patience: float) -> BookingResult:
        """
        Go on as somebody has decided, and wait so long for the outcome.

        Raises:
            UnknownBooking: the company has no such booking.
            NothingToDecide: nobody is asked about this any more.
            CustomerValidationError: the answer does not fit what was asked.
            MadeElsewhere: somebody else made the booking at Cal.com, and it is to be cancelled.
            CalcomBookingError: Cal.com could not be read for a retry.

        """
        ...


class Keys(Protocol):
    """The API keys; only digests of them are stored."""

    async def identify(self, key: str, *, remembered: bool = False) -> Caller | None:
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


class Services(Protocol):
    """The services of all companies."""

    async def define(self, wish: ServiceWish) -> tuple[Offer, bool]:
        """
        Check the event type at Cal.com and store the service; True if it is new.

        Raises:
            CustomerValidationError: Cal.com's event type is not suitable; nothing was stored.
            CalcomBookingError: Cal.com could not be asked.

        """
        ...

    async def list(self, *, company_id: str) -> Sequence[Offer]:
        """Return the company's services."""
        ...


class Customers(Protocol):
    """The customers of all companies."""

    async def list(self, *, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        """Return the company's customers who have what is given."""
        ...


class Availability(Protocol):
    """When services can be booked."""

    async def find(
        self,
        *,
        company_id: str,
        service_id: str,
        since: date,
        until: date,
        time_zone: str | None = None,
        staff_id: str | None = None,
        staff_group: str | None = None,
    ) -> FreeSlots:
        """
        Return the free slots of a service, or of everybody of a group who offers the same.

        Raises:
            UnknownService: the company has no such service.
            CustomerValidationError: the span is none, or too long, or nobody of the group can be chosen.
            CalcomBookingError: Cal.com did not say, and what is cached is too old.

        """
        ...


class Alternatives(Protocol):
    """Other times for whoever was refused."""

    async def near(self, wished: datetime, booking: Booking) -> tuple[datetime, ...] | None:
        """Return free starts, the nearest first; None if nobody can say. It is quick and raises nothing."""
        ...


class Companies(Protocol):
    """The companies and their secrets, which are stored encrypted."""

    async def put(
        self, company_id: str, *, calcom_key: str | None, webhook_secrets: Sequence[str] | None
    ) -> CompanyRecord:
        """Store the secrets that are given, and leave the others."""
        ...

    async def list(self) -> Sequence[CompanyRecord]:
        """Return all companies."""
        ...

    async def webhook_secrets(self, company_id: str) -> Sequence[str] | None:
        """Return the secrets that the company's webhooks may be signed with, None if there is no such company."""
        ...


class WebhookInbox(Protocol):
    """Where webhooks are stored."""

    async def receive(self, webhook: IncomingWebhook) -> Stored:
        """Store a webhook, and return what becomes of it."""
        ...


class Breakers(Protocol):
    """The circuit breakers, for looking at, and for what people make of them."""

    async def snapshot(self, name: str) -> Snapshot:
        """Return how a breaker stands."""
        ...

    async def control(self, name: str, command: Command) -> Snapshot:
        """Do what a person wants, and return what it is then."""
        ...


class BreakerEvents(Protocol):
    """The read model of how the circuit breakers have moved."""

    async def page(self, *, service: str | None, limit: int, cursor: str | None) -> BreakerEventPage:
        """
        Return a page of the transitions of one breaker, or of all, the newest first.

        Raises:
            ValueError: the cursor was not handed out for this breaker.

        """
        ...


class Metrics(Protocol):
    """What this process counts."""

    def webhook(self, outcome: WebhookRefusal) -> None:
        """Count a webhook that was not let in."""
        ...

    def rate_limited(self, kind: Kind) -> None:
        """Count a request that was more than a rate limit allows."""
        ...

    def exposition(self, breakers: Mapping[str, State]) -> bytes:
        """Return everything in Prometheus' text form, with how breakers stand."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Everything that the API calls; without a limiter everybody may ask for as much as they like."""

    bookings: Bookings
    streams: Streams
    list: BookingList
    sync_failures: SyncFailures
    repairs: Repairs
    keys: Keys
    services: Services
    customers: Customers
    availability: Availability
    alternatives: Alternatives
    companies: Companies
    inbox: WebhookInbox
    probes: Probes
    health: Health
    metrics: Metrics
    breakers: Breakers
    fallback: Fallback
    rungs: Rungs
    queue: Queue
    standings: Standings
    breaker_states: Recent[Mapping[str, State]]
    redis: Recent[Check]
    snapshots: SnapshotHistory
    failures: FailureReports
    measures: Measures
    alerts: Alerts
    alert_figures: AlertFigures
    breaker_events: BreakerEvents
    answered: Callable[[str, CallOutcome, float], None]
    limiter: Limiter | None = None
