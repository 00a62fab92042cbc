"""What callers ask for behind the question mark of an address."""

import re
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator
from starlette.requests import Request

from adapters.web.fields import Fields, checked
from adapters.web.problems import invalid
from adapters.web.wishes import Identifier, Instant, Zone, read_instant
from domain.booking import BookingStatus
from domain.dependencies import SERVICES
from domain.errors import FieldError
from domain.person import parse_email, parse_phone
from projections import alerts
from projections.cursor import LONGEST_CURSOR
from projections.failures import STATUSES
from projections.keyset import DEFAULT_LIMIT, HIGHEST_LIMIT


def _with_plus(text: object) -> object:
    # An unescaped plus sign of an offset arrives as a space.
    return text.replace(" ", "+") if isinstance(text, str) else text


def _with_first_plus(text: object) -> object:
    # So does that of a phone number, which may have spaces of its own.
    return f"+{text[1:]}" if isinstance(text, str) and text.startswith(" ") else text


def _read_date(text: object) -> date:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return read_instant(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date of the calendar") from None


QueriedPhone = Annotated[str, BeforeValidator(_with_first_plus), AfterValidator(parse_phone)]
QueriedEmail = Annotated[str, AfterValidator(parse_email)]
QueriedInstant = Annotated[Instant, BeforeValidator(_with_plus)]
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
QueriedDate = Annotated[
    # Not as pydantic reads dates, which takes numbers, too.
    Any,
    PlainValidator(
        lambda text: _read_date(_with_plus(text)),
        json_schema_input_type=Annotated[
            str, Field(description="ISO 8601: a date such as 2027-03-02, or an instant with an offset.")
        ],
    ),
]


class Query(Fields):
    """A query, whose values are all text at first."""

    model_config = ConfigDict(strict=False)


class Moment(Query):
    """Which state of a booking is meant: that of an instant, that of a version, or the present one."""

    as_of: QueriedInstant | None = None
    at_version: int | None = Field(default=None, ge=1, le=2**31)


class Part(Query):
    """How much of a list is meant."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=HIGHEST_LIMIT)


class Page(Part):
    """Which page of a list is meant: the first one, or the one that a cursor leads to."""

    cursor: str | None = Field(default=None, min_length=1, max_length=LONGEST_CURSOR)


class Listing(Page):
    """Which bookings are meant: those that start in `[from, to)`."""

    status: Literal[tuple(status.value for status in BookingStatus)] | None = None  # type: ignore[valid-type]
    starts_from: QueriedInstant | None = Field(default=None, alias="from")
    starts_to: QueriedInstant | None = Field(default=None, alias="to")
    service_id: Identifier | None = None


class FailureListing(Page):
    """Which sync failures are meant; all if no status is given."""

    status: Literal[STATUSES] | None = None  # type: ignore[valid-type]


class QueueListing(Page):
    """Which part of the retry queue is meant."""


class Window(Query):
    """How far back is looked, in minutes."""

    minutes: int = Field(default=60, ge=1, le=1440)


class AlertListing(Part):
    """Which alerts are meant; all if no status is given."""

    status: Literal[alerts.STATUSES] | None = None  # type: ignore[valid-type]


class BreakerEventListing(Page):
    """Which transitions of circuit breakers are meant; those of all if no service is given."""

    service: Literal[SERVICES] | None = None  # type: ignore[valid-type]


class Whom(Query):
    """Which customers are meant: those with this phone, this e-mail address, or both."""

    phone: QueriedPhone | None = Field(default=None, description="International, such as +491701234567.")
    email: QueriedEmail | None = None


class Span(Query):
    """When somebody would like to come: from an instant, or the beginning of a day, up to another, or its end."""

    service_id: Identifier
    since: QueriedDate = Field(alias="from")
    until: QueriedDate = Field(alias="to")
    time_zone: Zone | None = Field(
        default=None,
        description="IANA, such as Europe/Berlin: of the dates and of the answer; else the service's, or UTC.",
    )
    staff_id: Identifier | None = Field(default=None, description="Whose time is meant, if not the service's own.")
    staff_group: Identifier | None = Field(
        default=None,
        description="The staff_group of the service: what anybody of it has free "
        "who has a service with the same name and length.",
    )


class Lately(Query):
    """How far back to go."""

    minutes: int = Field(default=60, ge=1, le=1440)


class LatelyOf(Lately):
    """How far back to go, and for which service; all if none is given."""

    service: Literal[SERVICES] | None = None  # type: ignore[valid-type]


class Form(Query):
    """In which form a timeline is wanted."""

    format: Literal["json", "text", "mermaid"] = "json"


Asked = TypeVar("Asked", bound=Query)


def queried(model: type[Asked], request: Request) -> Asked:
    """
    Return the query as `model`.

    Raises:
        Refused: 422, with every wrong parameter.

    """
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise invalid(FieldError(name[:100], "must be given once"))
        values[name] = value
    return checked(model, values)
