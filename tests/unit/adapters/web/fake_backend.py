"""
What the API under test stands on, in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from adapters.breakers.documents import kept_document
from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import Breakers
from adapters.breakers.registry import Look, Registry
from adapters.breakers.telling import Telling
from adapters.breakers.watched import WatchedBreaker
from adapters.database.snapshots import KeptSnapshot
from adapters.failure_detector import Found
from adapters.fallback.rungs import Rungs
from adapters.health.following import Standing
from adapters.health.readiness import Readiness
from adapters.health.seeing import Overview
from adapters.limits.ports import Kind
from adapters.measuring.figures import Measures
from adapters.metrics import WebhookRefusal
from adapters.web.ports import (
    Backend,
    Caller,
    CompanyRecord,
    CustomerRecord,
    FreeSlots,
    KeyRecord,
    ServiceWish,
)
from domain.alert import Alert
from domain.booking import Booking
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import State
from domain.errors import AppointmentError, UnknownBooking, UnknownService
from domain.failure_detector import FailureRule, FailureWindow, Severity, detect
from domain.failures_cleared import FailuresCleared, clear_failures
from domain.health import SERVICES, Check, ProbePolicy, Status, Uptime
from domain.health_forecast import Forecast, Seen, forecast
from domain.health_hours import Hour
from domain.offer import Offer
from domain.service_level import Objectives
from domain.validating_legs import validate_composite
from domain.validation import validate
from domain.verdict import Verdict
from domain.wish import BookAppointment, BookComposite
from projections.booking_pages import BookingFilter, BookingPage
from projections.bookings import summary
from projections.breaker_event_pages import BreakerEventPage
from projections.circuit_breaker_events import CircuitBreakerEvent
from projections.engagement import Engagement
from projections.failures import SyncFailure
from projections.sync_failure_pages import FailureFilter, FailurePage
from sagas.appending import Recorded
from sagas.inbox import IncomingWebhook, Stored
from sagas.repairs import AnswerReview
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.fakes.measures import FakeCalls, FakeTransitions
from tests.fakes.time import FakeClock
from tests.unit.adapters.web.fake_fallback import FakeFallback, FakeQueue
from tests.unit.adapters.web.given import (
    ADA,
    ATTEMPTED,
    BOOKED,
    BOOKING_ID,
    BREAKER_EVENT,
    CREATED,
    FAILURE,
    FREE,
    NOW,
    OFFER,
    SERVICE,
    booking,
    initiated,
    stream,
)


@dataclass
class FakeBookings:
    """Validates as the orchestrator does, then answers `result` or raises `error`."""

    result: BookingResult = field(default_factory=lambda: BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED)))
    error: Exception | None = None
    booked: list[BookAppointment] = field(default_factory=list)
    composites: list[BookComposite] = field(default_factory=list)
    cancelled: list[CancelAppointment] = field(default_factory=list)
    rescheduled: list[RescheduleAppointment] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        if wish.service_id != SERVICE.service_id or wish.company_id != SERVICE.company_id:
            raise UnknownService(wish.service_id)
        validate(wish, OFFER, now=NOW)
        self.booked.append(wish)
        return self._answer(patience)

    async def book_composite(self, wish: BookComposite, *, patience: float) -> BookingResult:
        offers = [OFFER if leg.service_id == SERVICE.service_id else None for leg in wish.legs]
        validate_composite(wish, offers, now=NOW)
        self.composites.append(wish)
        return self._answer(patience)

    async def cancel(self, wish: CancelAppointment, *, patience: float) -> BookingResult:
        await self.get(wish.booking_id, company_id=wish.company_id)
        self.cancelled.append(wish)
        return self._answer(patience)

    async def reschedule(self, wish: RescheduleAppointment, *, patience: float) -> BookingResult:
        await self.get(wish.booking_id, company_id=wish.company_id)
        self.rescheduled.append(wish)
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


@dataclass
class FakeSyncFailures:
    held: list[SyncFailure] = field(default_factory=lambda: [FAILURE])
    asked: list[tuple[FailureFilter, int, str | None]] = field(default_factory=list)

    async def page(self, wanted: FailureFilter, *, limit: int, cursor: str | None) -> FailurePage:
        self.asked.append((wanted, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        own = tuple(it for it in self.held if it.company_id == wanted.company_id)
        return FailurePage(failures=own, next_cursor="more")

    async def find(self, failure_id: UUID, *, company_id: str) -> SyncFailure | None:
        return next((it for it in self.held if (it.id, it.company_id) == (failure_id, company_id)), None)


@dataclass
class FakeRepairs:
    """Answers `result` after `meanwhile` has happened, or raises `error`."""

    result: BookingResult = field(default_factory=lambda: BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED)))
    error: AppointmentError | None = None
    meanwhile: Callable[[], None] = lambda: None
    answered: list[AnswerReview] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)

    async def answer(self, wish: AnswerReview, *, patience: float) -> BookingResult:
        if self.error is not None:
            raise self.error
        self.answered.append(wish)
        self.patience.append(patience)
        self.meanwhile()
        return self.result


@dataclass
class FakeInbox:
    """Stores each digest once."""

    stored: list[IncomingWebhook] = field(default_factory=list)

    async def receive(self, webhook: IncomingWebhook) -> Stored:
        if any(one.digest == webhook.digest for one in self.stored):
            return "known"
        self.stored.append(webhook)
        return "stored" if webhook.problem is None else "rejected"


class FakeKeys:
    """A key is written `company/scope,scope`."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Sequence[str]]] = []

    async def identify(self, key: str, *, remembered: bool = False) -> Caller | None:
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

    async def define(self, wish: ServiceWish) -> tuple[Offer, bool]:
        if self.error is not None:
            raise self.error
        self.defined.append(wish)
        return replace(OFFER, opening_hours=wish.opening_hours), self.is_new

    async def list(self, *, company_id: str) -> Sequence[Offer]:
        return [OFFER] if company_id == SERVICE.company_id else []


@dataclass
class FakeCustomers:
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    engagement: Engagement | None = ADA.engagement

    async def list(self, *, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        self.asked.append((company_id, phone, email))
        is_hers = company_id == SERVICE.company_id and ADA.phone == (phone or ADA.phone)
        return [replace(ADA, engagement=self.engagement)] if is_hers else []


@dataclass
class FakeAvailability:
    """Answers `free` or raises `error`; `others` are the alternatives."""

    free: FreeSlots = FREE
    error: AppointmentError | None = None
    others: tuple[datetime, ...] | None = None
    asked: list[dict[str, object]] = field(default_factory=list)
    wished: list[datetime] = field(default_factory=list)

    async def find(self, **asked: object) -> FreeSlots:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return self.free

    async def near(self, wished: datetime, booking: Booking) -> tuple[datetime, ...] | None:
        self.wished.append(wished)
        return self.others


@dataclass
class FakeCompanies:
    stored: list[tuple[str, str | None, Sequence[str] | None]] = field(default_factory=list)
    secrets: Sequence[str] = ("hush", "the one before")

    async def put(
        self, company_id: str, *, calcom_key: str | None, webhook_secrets: Sequence[str] | None
    ) -> CompanyRecord:
        self.stored.append((company_id, calcom_key, webhook_secrets))
        return CompanyRecord(company_id=company_id, has_calcom_key=True, has_webhook_secret=False)

    async def list(self) -> Sequence[CompanyRecord]:
        return [CompanyRecord(company_id=it, has_calcom_key=True, has_webhook_secret=True) for it in ("acme", "other")]

    async def webhook_secrets(self, company_id: str) -> Sequence[str] | None:
        return self.secrets if company_id == "acme" else None


@dataclass
class FakeProbes:
    state: Readiness = field(default_factory=lambda: Readiness(problem=None, overdue=timedelta(0)))

    async def readiness(self) -> Readiness:
        return self.state


@dataclass
class FakeHealth:
    """
    Every service is as `statuses` say, else healthy; `detail` is what only operators may see.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    verdict: Verdict = "healthy"
    problems: tuple[str, ...] = ()
    detail: str = ""
    error: AppointmentError | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)
    registry: Registry | None = None

    async def look(self) -> Look:
        assert self.registry is not None
        return await self.registry.look()

    async def overview(self) -> Overview:
        breakers = LocalBreakers({}, listener=Telling())
        return Overview(
            verdict=self.verdict,
            problems=self.problems,
            checks={service: await self.own(service) for service in SERVICES},
            circuits={"calcom": await breakers.snapshot("calcom")},
            readiness=Readiness(problem=None),
            standings={"bookings": Standing(lag=3, parked=0, behind=timedelta(seconds=0.2))},
        )

    async def own(self, service: str, *, within: float | None = None) -> Check:
        status = self.statuses.get(service, "healthy")
        answered = status in {"healthy", "degraded"}
        return Check(
            service=service,
            checked_at=NOW,
            status=status,
            response_time_ms=12.5 if answered else None,
            threshold_ok=answered,
            detail=self.detail,
        )

    async def uptimes(self, *, minutes: int) -> Mapping[str, Uptime]:
        return {"calcom": Uptime(checks=4, up=3), "database": Uptime(checks=0, up=0)}

    async def history(self, service: str, *, minutes: int) -> Sequence[Check]:
        self.asked.append((service, minutes))
        if self.error is not None:
            raise self.error
        return [await self.own(service)]

    async def forecasts(self) -> Mapping[str, Forecast]:
        if self.error is not None:
            raise self.error
        return {"calcom": rising_forecast(NOW), "redis": forecast(Seen(checks=(), hours=()), ProbePolicy(), now=NOW)}


@dataclass
class FakeMetrics:
    webhooks: list[WebhookRefusal] = field(default_factory=list)
    limited: list[Kind] = field(default_factory=list)

    def rate_limited(self, kind: Kind) -> None:
        self.limited.append(kind)

    def webhook(self, outcome: WebhookRefusal) -> None:
        self.webhooks.append(outcome)

    def exposition(self, breakers: Mapping[str, State]) -> bytes:
        return f"calls_total 1.0 {dict(breakers)}\n".encode()


@dataclass
class FakeSnapshots:
    """Has kept one, of how everything stands now."""

    registry: Registry

    async def lately(self, back: timedelta) -> Sequence[KeptSnapshot]:
        look = await self.registry.look()
        return [KeptSnapshot(at=NOW, verdict=look.assessment.verdict, document=kept_document(look))]


@dataclass
class FakeFailures:
    """Cal.com fails too often, until somebody clears it."""

    cleared: dict[str, FailuresCleared] = field(default_factory=dict)
    minute: FailureWindow = field(
        default_factory=lambda: FailureWindow(service="calcom", start=NOW, requests=9, failures=3)
    )

    async def find(self) -> Mapping[str, Found]:
        return {"calcom": self._found("calcom")}

    async def windows(self, *, minutes: int, service: str | None = None) -> Sequence[tuple[FailureWindow, Severity]]:
        return [(self.minute, "medium")] if service in {None, "calcom"} else []

    async def clear(self, service: str, *, actor: str, reason: str) -> Found:
        self.cleared[service] = clear_failures(service, actor=actor, reason=reason, at=NOW)
        return self._found(service)

    def _found(self, service: str) -> Found:
        cleared = self.cleared.get(service)
        windows = [self.minute] if cleared is None else []
        return Found(detected=detect(service, windows, FailureRule(), now=NOW), cleared=cleared)


@dataclass
class FakeAlerts:
    alerts: list[Alert] = field(default_factory=list)
    asked: list[tuple[str | None, int]] = field(default_factory=list)

    async def list(self, *, status: str | None, limit: int) -> Sequence[Alert]:
        self.asked.append((status, limit))
        return self.alerts


@dataclass
class FakeBreakerEvents:
    held: list[CircuitBreakerEvent] = field(default_factory=lambda: [BREAKER_EVENT])
    asked: list[tuple[str | None, int, str | None]] = field(default_factory=list)

    async def page(self, *, service: str | None, limit: int, cursor: str | None) -> BreakerEventPage:
        self.asked.append((service, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        return BreakerEventPage(events=tuple(self.held), next_cursor="more")


@dataclass
class FakeBackend:
    bookings: FakeBookings = field(default_factory=FakeBookings)
    streams: FakeStreams = field(default_factory=FakeStreams)
    list: FakeList = field(default_factory=FakeList)
    sync_failures: FakeSyncFailures = field(default_factory=FakeSyncFailures)
    repairs: FakeRepairs = field(default_factory=FakeRepairs)
    keys: FakeKeys = field(default_factory=FakeKeys)
    services: FakeServices = field(default_factory=FakeServices)
    customers: FakeCustomers = field(default_factory=FakeCustomers)
    availability: FakeAvailability = field(default_factory=FakeAvailability)
    companies: FakeCompanies = field(default_factory=FakeCompanies)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    probes: FakeProbes = field(default_factory=FakeProbes)
    health: FakeHealth = field(default_factory=FakeHealth)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    breakers: Breakers = field(default_factory=lambda: LocalBreakers({}, listener=Telling()))
    fallback: FakeFallback = field(default_factory=FakeFallback)
    rungs: Rungs = field(default_factory=lambda: Rungs(now=lambda: NOW))
    queue: FakeQueue = field(default_factory=FakeQueue)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    calls: FakeCalls = field(default_factory=FakeCalls)
    failures: FakeFailures = field(default_factory=FakeFailures)
    database: WatchedBreaker = field(
        default_factory=lambda: WatchedBreaker("database", BreakerPolicy(), listener=Telling())
    )
    breaker_events: FakeBreakerEvents = field(default_factory=FakeBreakerEvents)

    def as_backend(self) -> Backend:
        parts = {name: part for name, part in vars(self).items() if name not in {"database", "calls"}}
        self.health.registry = registry = Registry(self.breakers, watched=[self.database])
        return Backend(
            **parts,
            alternatives=self.availability,
            measures=self._measures(),
            standings=registry,
            snapshots=FakeSnapshots(registry),
        )

    def _measures(self) -> Measures:
        clock = FakeClock(NOW)
        return Measures(
            self.calls,
            breakers=self.breakers,
            transitions=FakeTransitions(),
            names=("calcom",),
            objectives=Objectives(),
            clock=clock,
        )


def rising_forecast(now: datetime) -> Forecast:
    """
    Return the forecast for a service that has got slower and slower for two hours, and fails every day at this hour.
    """
    checks = [
        Check(
            service="calcom",
            checked_at=now - timedelta(minutes=120 - number),
            status="healthy",
            response_time_ms=100.0 + 5 * number,
        )
        for number in range(120)
    ]
    hours = [
        Hour(begins_at=now.replace(minute=0) - timedelta(hours=number), checks=120, unwell=60 * (number % 24 == 0))
        for number in range(7 * 24)
    ]
    return forecast(Seen(checks=checks, hours=hours, pressure=0.8), ProbePolicy(), now=now)


def _record(key_id: str, scopes: Sequence[str]) -> KeyRecord:
    return KeyRecord(key_id=key_id, scopes=scopes, created_at=NOW, revoked_at=None)
