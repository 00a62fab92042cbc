"""A booking as JSON or as options, on its way to the orchestrator: the fields of `POST /api/bookings`."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from domain.errors import CustomerValidationError, FieldError
from domain.wish import BookAppointment, CustomerWish


class _Customer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    email: str | None = None
    phone: str | None = None


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    service_id: str
    customer: _Customer
    starts_at: AwareDatetime
    time_zone: str
    source: str
    staff_id: str | None = None
    notes: str | None = None
    metadata: dict[str, Any] = {}
    call_id: str | None = None
    confidence: float | None = None
    allow_near_duplicate: bool = False
    idempotency_key: str | None = None


def read_wish(text: str | bytes, *, company_id: str) -> BookAppointment:
    """
    Return the wish that a JSON object is.

    Raises:
        CustomerValidationError: with every field that is missing, unknown or of the wrong kind.

    """
    try:
        line = _Line.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        raise CustomerValidationError(tuple(FieldError(_path(one["loc"]), one["msg"]) for one in problems)) from None
    fields = {name: getattr(line, name) for name in _Line.model_fields if name != "customer"}
    return BookAppointment(company_id=company_id, customer=CustomerWish(**line.customer.model_dump()), **fields)


def read_instant(text: str, *, field: str) -> datetime:
    """
    Return an ISO 8601 instant.

    Raises:
        CustomerValidationError: it is none, or has no offset.

    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        message = "must be an instant with an offset, such as 2027-03-02T10:00:00+01:00"
        raise CustomerValidationError((FieldError(field, message),))
    return instant


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "line"
