"""What callers send in bodies: read strictly, and turned into the words of the domain."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from adapters.directory.secrets import secret_problem
from adapters.web.fields import Fields
from domain.composite import FEWEST_LEGS, MOST_LEGS
from domain.failures_cleared import LONGEST_REASON
from domain.full_fallback import LONGEST, UNTIL_EXPIRY
from domain.opening_hours import OpeningHours, parse_opening_hours
from domain.text import identifier_problem, text_problem
from domain.validating_legs import legs_problem
from domain.validation import cancellation_problem, is_time_zone
from domain.wish import BookAppointment, BookComposite, CustomerWish, LegWish

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


def _why(text: str) -> str:
    return _without(text_problem(text, at_most=LONGEST_REASON), text)


def _reason(text: str) -> str:
    return _without(cancellation_problem(text), text)


def _without(problem: str | None, text: str) -> str:
    if problem is not None:
        raise ValueError(problem)
    return text


def _legs(legs: list["LegFields"]) -> list["LegFields"]:
    problem = legs_problem(len(legs))
    if problem is not None:
        raise ValueError(problem)
    return legs


def _secret(text: str) -> str:
    return _without(secret_problem(text), text)


def _hours(value: object) -> OpeningHours | None:
    return None if value is None else parse_opening_hours(value)


def _zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return name


GROUP = (
    "The staff_group of the service: anybody of it will do who has a service with the same name and length. "
    "Whoever is free then and has the least booked on that day is chosen, and their service is the one that is booked."
)
Instant = Annotated[
    datetime, BeforeValidator(read_instant, json_schema_input_type=Annotated[str, Field(description=_INSTANT_MESSAGE)])
]
Identifier = Annotated[str, AfterValidator(_identifier)]
Line = Annotated[str, AfterValidator(_line)]
Reason = Annotated[str, AfterValidator(_reason)]
Why = Annotated[str, AfterValidator(_why)]
Secret = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_secret)]
Hours = Annotated[
    # Not the class itself, whose own form pydantic would take as well.
    Any,
    PlainValidator(_hours, json_schema_input_type=Annotated[dict[str, list[list[str]]] | None, Field()]),
]
Legs = Annotated[
    list["LegFields"],
    AfterValidator(_legs),
    Field(json_schema_extra={"minItems": FEWEST_LEGS, "maxItems": MOST_LEGS}),
]
Zone = Annotated[str, AfterValidator(_zone)]


class CustomerFields(Fields):
    """Who the appointment is for; an e-mail address or a phone number is needed."""

    name: str = Field(description="As the customer gives it; 200 characters at most.")
    email: str | None = None
    phone: str | None = Field(default=None, description="International, such as +491701234567.")


class Beside(TypedDict):
    """What is said beside a body: by the path, the headers, or the key of whoever asks."""

    company_id: str
    idempotency_key: str | None
    correlation_id: str


class WishFields(Fields):
    """What a wish says once, for however many services."""

    customer: CustomerFields
    time_zone: str = Field(
        description="IANA, such as Europe/Berlin; every `starts_at` must have an offset of this zone."
    )
    source: str = Field(description="Where the wish comes from, such as `voice` or `web`.")
    notes: str | None = None
    metadata: dict[str, Any] | None = Field(default=None, description="Your own JSON object; 16 KiB at most.")
    call_id: str | None = Field(default=None, description="The voice call's id.")
    confidence: float | None = Field(default=None, description="Of the transcript, from 0 to 1.")
    allow_near_duplicate: bool = False

    def said(self, beside: Beside) -> dict[str, Any]:
        """Return the same in the domain's words, with what is said beside it."""
        customer = CustomerWish(name=self.customer.name, email=self.customer.email, phone=self.customer.phone)
        same = ("time_zone", "source", "notes", "call_id", "confidence", "allow_near_duplicate")
        said = {name: getattr(self, name) for name in same}
        return {**said, "customer": customer, "metadata": self.metadata or {}, **beside}


class BookingFields(WishFields):
    """The body of `POST /api/bookings`."""

    service_id: Identifier
    starts_at: Instant
    staff_id: str | None = Field(
        default=None, description="The member of staff; with a staff_group, the one of it whose service is booked."
    )
    staff_group: Identifier | None = Field(default=None, description=GROUP)

    def wish(self, beside: Beside) -> BookAppointment:
        """Return what the orchestrator is asked for."""
        return BookAppointment(
            service_id=self.service_id,
            starts_at=self.starts_at,
            staff_id=self.staff_id,
            staff_group=self.staff_group,
            **self.said(beside),
        )


class LegFields(Fields):
    """One of several services in a row."""

    service_id: Identifier
    starts_at: Instant | None = Field(
        default=None, description="May be left out after the first leg: then it begins when the leg before it ends."
    )
    staff_id: str | None = None


class CompositeFields(WishFields):
    """The body of `POST /api/bookings/composite`: what all legs share is said once."""

    legs: Legs

    def wish(self, beside: Beside) -> BookComposite:
        """Return what the orchestrator is asked for."""
        legs = (LegWish(service_id=leg.service_id, starts_at=leg.starts_at, staff_id=leg.staff_id) for leg in self.legs)
        return BookComposite(legs=tuple(legs), **self.said(beside))


class CancellationFields(Fields):
    """The body of `POST /api/bookings/{id}/cancel`."""

    reason: Reason = Field(description="Cal.com shows it to the customer; 500 characters at most.")


class RescheduleFields(Fields):
    """The body of `POST /api/bookings/{id}/reschedule`."""

    starts_at: Instant = Field(description="ISO 8601 with an offset.")
    reason: Reason = Field(default="", description="Cal.com shows it to the customer; 500 characters at most.")


class ResolutionFields(Fields):
    """The body of `POST /api/sync-failures/{id}/resolve`."""

    answer: Literal["adopt", "absent", "cancel", "keep_local"] = Field(
        description="`adopt` the booking `uid`; `absent`: Cal.com holds nothing of it; `cancel` it there; "
        "`keep_local`: what stands here stands, whatever Cal.com holds."
    )
    uid: str | None = Field(default=None, description="Cal.com's uid of the booking to adopt, and only then.")
    note: str | None = Field(default=None, description="Why; kept with the answer. 500 characters at most.")


class FullFallbackFields(Fields):
    """The body of `POST /api/resilience/fallback`."""

    reason: Line = Field(description="Why; kept in the log.")
    seconds: float = Field(
        default=UNTIL_EXPIRY.total_seconds(),
        ge=1,
        le=LONGEST.total_seconds(),
        description="For how long at most; it ends by itself then.",
    )


class ClearingFields(Fields):
    """The body of `POST /api/resilience/failures/{service}/clear`."""

    reason: Why = Field(description="Why; kept with whose key it was. 500 characters at most.")


class ServiceFields(Fields):
    """The body of `PUT /api/services/{service_id}`."""

    name: Line
    duration_minutes: int = Field(ge=1, le=24 * 60)
    calcom_event_type_id: int = Field(ge=1, le=2**31 - 1)
    staff_id: Identifier | None = Field(default=None, description="Whose service this is.")
    staff_group: Identifier | None = Field(
        default=None,
        description="Services of one group with the same name and length are one offer by several people, of whom "
        "calsaga chooses one for a wish that names the group. Each needs a staff_id and its own event type.",
    )
    time_zone: Zone | None = Field(default=None, description="IANA, such as Europe/Berlin.")
    opening_hours: Hours = Field(
        default=None,
        description='By weekday, in `time_zone` (else in that of the wish): {"mon": [["09:00", "12:30"]]}. '
        "A day that is left out is closed; without any hours all hours will do.",
    )


class CompanyFields(Fields):
    """The body of `PUT /api/companies/{company_id}`: what is left out stays as it is."""

    calcom_key: Secret | None = Field(default=None, description="The API key at Cal.com.")
    webhook_secret: Secret | None = Field(default=None, description="The secret that Cal.com signs webhooks with.")
    webhook_secrets: Annotated[list[Secret], Field(min_length=1, max_length=10)] | None = Field(
        default=None, description="Several that hold at once, while one is being replaced."
    )

    @property
    def all_webhook_secrets(self) -> tuple[str, ...] | None:
        """Return every secret that is to hold from now on, None if they stay as they are."""
        given = ((self.webhook_secret,) if self.webhook_secret else ()) + tuple(self.webhook_secrets or ())
        return given or None


class KeyFields(Fields):
    """The body of `POST /api/keys`."""

    scopes: Annotated[
        list[Literal["bookings:write", "bookings:read", "ops:read", "ops:write", "fleet:write"]], Field(min_length=1)
    ]
