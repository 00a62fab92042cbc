"""What callers send in bodies: read strictly, and turned into the words of the domain."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from adapters.directory.secrets import secret_problem
from adapters.web.fields import Fields
from domain.text import identifier_problem, text_problem
from domain.validation import cancellation_problem, is_time_zone
from domain.wish import BookAppointment, CustomerWish

NAME_LIMIT = 500
ID_LIMIT = 100
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)")
_INSTANT_MESSAGE = "must be ISO 8601 with an offset, such as 2027-03-02T10:00:00+01:00"


def read_instant(text: object) -> datetime:
    """
    Return the instant that a text names.

    Raises:
        ValueError: it is not written as ISO 8601 with an offset.

    """
    if not isinstance(text, str) or not _INSTANT.fullmatch(text) or not text.isascii():
        raise ValueError(_INSTANT_MESSAGE)
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(_INSTANT_MESSAGE) from None


def _identifier(text: str) -> str:
    return _without(identifier_problem(text, at_most=ID_LIMIT), text)


def _line(text: str) -> str:
    return _without(text_problem(text, at_most=NAME_LIMIT), text)


def _reason(text: str) -> str:
    return _without(cancellation_problem(text), text)


def _without(problem: str | None, text: str) -> str:
    if problem is not None:
        raise ValueError(problem)
    return text


def _no_group_yet(value: object) -> None:
    if value is not None:
        raise ValueError("cannot be chosen yet; name the member of staff in staff_id")


def _secret(text: str) -> str:
    return _without(secret_problem(text), text)


def _zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return name


Instant = Annotated[
    datetime, BeforeValidator(read_instant, json_schema_input_type=Annotated[str, Field(description=_INSTANT_MESSAGE)])
]
Identifier = Annotated[str, AfterValidator(_identifier)]
Line = Annotated[str, AfterValidator(_line)]
Reason = Annotated[str, AfterValidator(_reason)]
Secret = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_secret)]
Zone = Annotated[str, AfterValidator(_zone)]


class CustomerFields(Fields):
    """Who the appointment is for; an e-mail address or a phone number is needed."""

    name: str = Field(description="As the customer gives it; 200 characters at most.")
    email: str | None = None
    phone: str | None = Field(default=None, description="International, such as +491701234567.")


class BookingFields(Fields):
    """The body of `POST /api/bookings`."""

    service_id: Identifier
    customer: CustomerFields
    starts_at: Instant
    time_zone: str = Field(description="IANA, such as Europe/Berlin; `starts_at` must have an offset of this zone.")
    source: str = Field(description="Where the wish comes from, such as `voice` or `web`.")
    staff_id: str | None = None
    staff_group: Annotated[None, BeforeValidator(_no_group_yet)] = Field(default=None, description="Not chosen yet.")
    notes: str | None = None
    metadata: dict[str, Any] | None = Field(default=None, description="Your own JSON object; 16 KiB at most.")
    call_id: str | None = Field(default=None, description="The voice call's id.")
    confidence: float | None = Field(default=None, description="Of the transcript, from 0 to 1.")
    allow_near_duplicate: bool = False

    def wish(self, *, company_id: str, idempotency_key: str | None, correlation_id: str) -> BookAppointment:
        """Return what the orchestrator is asked for."""
        return BookAppointment(
            company_id=company_id,
            service_id=self.service_id,
            customer=CustomerWish(name=self.customer.name, email=self.customer.email, phone=self.customer.phone),
            starts_at=self.starts_at,
            time_zone=self.time_zone,
            source=self.source,
            staff_id=self.staff_id,
            notes=self.notes,
            metadata=self.metadata or {},
            call_id=self.call_id,
            confidence=self.confidence,
            allow_near_duplicate=self.allow_near_duplicate,
            idempotency_key=idempotency_key,
            correlation_id=correlation_id,
        )


class CancellationFields(Fields):
    """The body of `POST /api/bookings/{id}/cancel`."""

    reason: Reason = Field(description="Cal.com shows it to the customer; 500 characters at most.")


class ServiceFields(Fields):
    """The body of `PUT /api/services/{service_id}`."""

    name: Line
    duration_minutes: int = Field(ge=1, le=24 * 60)
    calcom_event_type_id: int = Field(ge=1, le=2**31 - 1)
    staff_id: Identifier | None = None
    staff_group: Identifier | None = None
    time_zone: Zone | None = Field(default=None, description="IANA, such as Europe/Berlin.")


class CompanyFields(Fields):
    """The body of `PUT /api/companies/{company_id}`: what is left out stays as it is."""

    calcom_key: Secret | None = Field(default=None, description="The API key at Cal.com.")
    webhook_secret: Secret | None = Field(default=None, description="The secret that Cal.com signs webhooks with.")


class KeyFields(Fields):
    """The body of `POST /api/keys`."""

    scopes: Annotated[list[Literal["bookings:write", "bookings:read", "ops:read", "ops:write"]], Field(min_length=1)]
