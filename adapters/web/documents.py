"""The forms of the answers, for `/openapi.json`; a test holds every answer against them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from adapters.web.fallback_documents import Fallback
from domain.booking import BookingStatus
from domain.findings import InconsistencyKind, Repair


class FieldProblem(BaseModel):
    """One wrong field, and what to do about it."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457); `type` is stable."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(pattern="^urn:calsaga:problem:")
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[FieldProblem]
    reason: str | None = Field(default=None, description="Why a booking was refused.")
    booking_id: UUID | None = Field(
        default=None,
        description="The booking that this is about; of a near-duplicate, and of a move that another booking is in the "
        "way of, that other booking.",
    )
    message: str | None = Field(
        default=None,
        description="With 409 and 503: a sentence that a voice agent can say, in the language of `Accept-Language`.",
    )
    fallback: Fallback | None = None
    alternatives: list[datetime] | None = Field(
        default=None,
        description="Of a slot that is taken: up to three free ones near it, the nearest first, in the booking's time "
        "zone; left out if they cannot be known at once.",
    )


class BookingFailure(BaseModel):
    """Why a booking failed, is being undone, or waits for a person: a word for programs, a sentence for people."""

    reason: str
    detail: str


class Leg(BaseModel):
    """One of the services of a composite, where it stands by itself."""

    status: BookingStatus
    service_id: str
    staff_id: str | None
    starts_at: datetime
    ends_at: datetime
    calcom_booking_uid: str | None
    appointment_id: UUID | None
    failure: BookingFailure | None


class Booking(BaseModel):
    """
    A booking; instants are UTC.

    A composite has `legs`: it begins with the first and ends with the last; its `service_id` is the first one's.
    """

    id: UUID
    status: BookingStatus
    company_id: str
    service_id: str
    customer_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    source: str
    staff_id: str | None
    calcom_booking_uid: str | None
    appointment_id: UUID | None
    failure: BookingFailure | None
    idempotency_key: str
    correlation_id: str
    resilience_strategy: Literal["retry", "circuit_breaker", "degradation"] | None
    version: int
    created_at: datetime
    updated_at: datetime
    legs: list[Leg] | None = Field(default=None, description="Of a composite alone; left out otherwise.")


class BookingAnswer(BaseModel):
    """One booking; `message` is a sentence that a voice agent can say, in the language of `Accept-Language`."""

    booking: Booking
    message: str | None = None
    fallback: Fallback | None = None


class BookingPage(BaseModel):
    """Some bookings by their start; `next_cursor` leads to the rest, `position` of `head` events are in the list."""

    bookings: list[Booking]
    next_cursor: str | None
    position: int
    head: int


class Event(BaseModel):
    """One event of a booking, with its person masked."""

    version: int
    type: str
    at: datetime
    recorded_at: datetime
    correlation_id: str
    data: dict[str, Any]


class Events(BaseModel):
    """Everything that has happened to a booking."""

    events: list[Event]


class TimelineEntry(BaseModel):
    """Who told whom what; `elapsed_ms` counts from the booking's first event."""

    at: datetime
    elapsed_ms: int
    version: int
    source: str
    target: str
    text: str


class Timeline(BaseModel):
    """A booking as a sequence of messages."""

    timeline: list[TimelineEntry]


class SyncFailure(BaseModel):
    """One thing that differs, or may differ; `calcom_booking_id` is Cal.com's uid, `actor` who has decided last."""

    id: UUID
    company_id: str
    booking_id: UUID
    appointment_id: UUID | None
    calcom_booking_id: str | None
    attempt_id: str | None
    failure_type: InconsistencyKind
    error_message: str
    proposed_repair: Repair
    status: Literal["pending", "manual_review", "resolved"]
    resolution: str | None
    actor: str | None
    attempt_count: int = Field(description="How often it was found, failed cancels meanwhile included.")
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


class SyncFailurePage(BaseModel):
    """Some sync failures, the newest first; `next_cursor` leads to the rest."""

    sync_failures: list[SyncFailure]
    next_cursor: str | None


class SyncFailureAnswer(BaseModel):
    """Where a booking and its sync failure stand."""

    booking: Booking
    sync_failure: SyncFailure


class Engagement(BaseModel):
    """What became of a customer's appointments so far, and a score that is made of it."""

    score: int = Field(ge=0, le=100, description="100 · kept / (kept + 2 · cancelled + 3), kept = booked - cancelled.")
    requested: int
    booked: int
    moved: int
    cancelled: int
    last_event_at: datetime


class Customer(BaseModel):
    """What is known of a customer; `engagement` is null until a first booking was taken into account."""

    customer_id: UUID
    name: str
    email: str | None
    phone: str | None
    created_at: datetime
    engagement: Engagement | None


class CustomerList(BaseModel):
    """The company's customers who have what was asked for; 100 at most."""

    customers: list[Customer]


class Service(BaseModel):
    """What can be booked."""

    company_id: str
    service_id: str
    name: str
    duration_minutes: int
    calcom_event_type_id: int
    staff_id: str | None
    staff_group: str | None
    time_zone: str | None
    notice_minutes: int
    sends_length: bool
    opening_hours: dict[str, list[list[str]]] | None


class ServiceAnswer(BaseModel):
    """One service."""

    service: Service


class WebhookAnswer(BaseModel):
    """What becomes of a webhook."""

    status: Literal["stored", "known", "ignored", "rejected"]


class FreeSlots(BaseModel):
    """Starts in the time zone that was asked for; `stale`: Cal.com does not answer, and this is what it said before."""

    slots: list[datetime]
    source: Literal["calcom", "cache", "stale"]
    age_seconds: float = Field(description="How old the oldest part of it is; an hour at most.")
    message: str | None = Field(default=None, description="Of what is stale: that it is, as a voice agent can say it.")
    fallback: Fallback | None = None


class ServiceList(BaseModel):
    """All services of the company."""

    services: list[Service]


class Company(BaseModel):
    """A company: whether it has secrets, never what they are."""

    company_id: str
    has_calcom_key: bool
    has_webhook_secret: bool


class CompanyAnswer(BaseModel):
    """One company."""

    company: Company


class CompanyList(BaseModel):
    """The companies that the key can see: its own."""

    companies: list[Company]


class Key(BaseModel):
    """An API key, without its secret."""

    key_id: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None


class NewKey(BaseModel):
    """A new API key; `secret` is what goes behind `Bearer`, and is shown this once."""

    key: Key
    secret: str


class KeyList(BaseModel):
    """The company's keys."""

    keys: list[Key]
