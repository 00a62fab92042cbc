"""What callers hand in, before anybody has looked at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWish:
    """Who calls; an e-mail address or a phone number is needed."""

    name: str
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAppointment:
    """
    Book `service_id` for this customer.

    With a `staff_group`, anybody of that group who offers the same will do.
    `starts_at` is aware, with an offset that `time_zone` (IANA) has at that instant.
    `metadata` is any JSON object of the caller's, 16 KiB at most; it stays here.
    """

    company_id: str
    service_id: str
    customer: CustomerWish
    starts_at: datetime
    time_zone: str
    source: str
    staff_id: str | None = None
    staff_group: str | None = None
    notes: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    call_id: str | None = None
    confidence: float | None = None
    allow_near_duplicate: bool = False
    idempotency_key: str | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegWish:
    """One of several services in a row; without `starts_at` it begins when the leg before it ends."""

    service_id: str
    starts_at: datetime | None = None
    staff_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookComposite:
    """
    Book all `legs` for this customer, or none of them.

    Legs may leave time between them, and lie inside each other's waiting time. All else
    is as in `BookAppointment`.
    """

    company_id: str
    legs: tuple[LegWish, ...]
    customer: CustomerWish
    time_zone: str
    source: str
    notes: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    call_id: str | None = None
    confidence: float | None = None
    allow_near_duplicate: bool = False
    idempotency_key: str | None = None
    correlation_id: str = ""
