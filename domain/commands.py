"""What a booking can be asked to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.person import Person
from domain.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBooking:
    """
    Book this person into this slot; already validated and normalized.

    `service` is the one that was named. With a `staff_group`, one like it of any member will do.
    `starts_at` is UTC, `time_zone` the IANA zone in which the customer reads it.
    `confidence` is that of a voice transcript, from 0 to 1.
    """

    service: Service
    person: Person
    starts_at: datetime
    time_zone: str
    source: str
    staff_id: str | None = None
    staff_group: str | None = None
    call_id: str | None = None
    confidence: float | None = None
    allow_near_duplicate: bool = False
    idempotency_key: str | None = None
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestComposite:
    """Book all these legs or none, for the one person whom they all name; already validated and normalized."""

    legs: tuple[RequestBooking, ...]
    idempotency_key: str | None = None
    correlation_id: str = ""

    @property
    def service(self) -> Service:
        """Return the first leg's service, whose company is that of all."""
        return self.legs[0].service

    @property
    def person(self) -> Person:
        """Return for whom it is."""
        return self.legs[0].person


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCancellation:
    """Cancel the booking; `command_id` is the caller's Idempotency-Key, if any."""

    reason: str
    command_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReschedule:
    """Move the booking to another start, UTC; `command_id` is the caller's Idempotency-Key, if any."""

    starts_at: datetime
    reason: str
    command_id: str | None = None


Request: TypeAlias = RequestBooking | RequestComposite
Command: TypeAlias = Request | RequestCancellation | RequestReschedule
