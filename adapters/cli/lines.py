"""Lines of files and options, read as strictly, and refused in the same words, as bodies of the API are."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import uuid4

from pydantic import AfterValidator, BeforeValidator, ConfigDict

from adapters.web.body import parse_object
from adapters.web.fields import Fields, checked
from adapters.web.problems import Refused
from adapters.web.wishes import Beside, BookingFields, Hours, Identifier, ServiceFields
from adapters.web.wishes import read_instant as parse_instant
from domain.errors import CustomerValidationError, FieldError
from domain.wish import BookAppointment

Model = TypeVar("Model", bound=Fields)


def _key(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


class BookingLine(BookingFields):
    """The body of `POST /api/bookings`, and the key that is a header there."""

    idempotency_key: Annotated[str, AfterValidator(_key)] | None = None


def _from_json(value: object) -> object:
    return parse_object(value.encode(errors="replace")) if isinstance(value, str) else value


class ServiceLine(ServiceFields):
    """The body of `PUT /api/services/{service_id}`, and the id that stands in the path there."""

    service_id: Identifier


class ServiceRow(ServiceLine):
    """The same in a table, where every value is text."""

    model_config = ConfigDict(strict=False)

    opening_hours: Annotated[Hours, BeforeValidator(_from_json)] = None


def read_fields(model: type[Model], values: dict[str, Any]) -> Model:
    """
    Return values as `model`.

    Raises:
        CustomerValidationError: with every wrong field.

    """
    try:
        return checked(model, values)
    except Refused as refused:
        raise CustomerValidationError(tuple(refused.problem.errors)) from None


def read_wish(values: dict[str, Any], *, company_id: str, key: str) -> BookAppointment:
    """
    Return the wish that an object is, with a key if it has none of its own.

    Raises:
        CustomerValidationError: with every wrong field.

    """
    line = read_fields(BookingLine, values)
    beside = Beside(company_id=company_id, idempotency_key=line.idempotency_key or key, correlation_id=str(uuid4()))
    return line.wish(beside)


def read_instant(text: str, *, field: str) -> datetime:
    """
    Return an ISO 8601 instant.

    Raises:
        CustomerValidationError: it is none, or has no offset.

    """
    try:
        return parse_instant(text)
    except ValueError as error:
        raise CustomerValidationError((FieldError(field, str(error)),)) from None
