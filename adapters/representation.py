"""
How a booking and its story look to the outside, over HTTP and on the command line alike.

Nobody's name leaves with it: whoever may read bookings need not learn who the customers
are.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from domain.booking import Booking, BookingStatus, Failure
from domain.service import Service
from projections.masking import MASK, masker
from sagas.appending import Recorded

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants and UUIDs."""


def booking_document(booking: Booking) -> Document:
    """Return a booking as its caller sees it; instants are UTC."""
    facts = booking.facts
    status = booking.status
    return {
        "id": booking.booking_id,
        "status": status.value,
        "company_id": facts.service.company_id,
        "service_id": facts.service.service_id,
        "customer_id": facts.customer_id,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "time_zone": facts.time_zone,
        "source": facts.source,
        "staff_id": facts.staff_id,
        "calcom_booking_uid": None if status is BookingStatus.FAILED else booking.kept_uid,
        "appointment_id": booking.appointment_id,
        "failure": _failure_document(failure_of(booking)),
        "idempotency_key": facts.idempotency_key,
        "correlation_id": facts.correlation_id,
        "resilience_strategy": booking.resilience_strategy,
        "version": booking.version,
        "created_at": facts.at,
        "updated_at": booking.updated_at,
    }


def failure_of(booking: Booking) -> Failure | None:
    """Return why a booking failed, is being undone or waits for a person."""
    return booking.review or booking.failure or booking.undoing


def event_documents(recorded: Sequence[Recorded]) -> list[Document]:
    """Return a booking's events with everything personal masked, in other people's words, too."""
    mask = masker(recorded)
    return [_event_document(one, mask) for one in recorded]


def service_document(service: Service) -> Document:
    """Return a service as `PUT /api/services` takes it, and what was learned from Cal.com."""
    return asdict(service)


def _failure_document(failure: Failure | None) -> Document | None:
    return None if failure is None else {"reason": failure.reason, "detail": failure.detail}


def _event_document(recorded: Recorded, mask: Callable[[str], str]) -> Document:
    event = recorded.event
    data = asdict(event)
    del data["at"]
    # Which personal facts there are may be known; what they are may not.
    person = data.pop("person", None)
    shown = {name: _masked(value, mask) for name, value in data.items()}
    if person is not None:
        shown["person"] = {name: None if value is None else MASK for name, value in person.items()}
    return {
        "version": recorded.version,
        "type": event.TOPIC,
        "at": event.at,
        "recorded_at": recorded.recorded_at,
        "correlation_id": recorded.correlation_id,
        "data": shown,
    }


def _masked(value: object, mask: Callable[[str], str]) -> object:
    match value:
        case str():
            return mask(value)
        case dict():
            return {name: _masked(one, mask) for name, one in value.items()}
        case tuple():
            return [_masked(one, mask) for one in value]
        case _:
            return value
