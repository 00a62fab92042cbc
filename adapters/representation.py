"""
How a booking and its story look to the outside, over HTTP and on the command line alike.

Personal data leaves only as initials: whoever may read bookings need not learn who
the customers are.
"""

from dataclasses import asdict
from typing import Any, TypeAlias

from domain.booking import Booking, BookingStatus, Failure
from domain.person import Person
from domain.service import Service
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


def event_document(recorded: Recorded) -> Document:
    """Return one event of a booking's stream, with its person masked."""
    event = recorded.event
    data = asdict(event)
    data.pop("at")
    if "person" in data:
        data["person"] = masked(Person(**data["person"]))
    return {
        "version": recorded.version,
        "type": event.TOPIC,
        "at": event.at,
        "recorded_at": recorded.recorded_at,
        "correlation_id": recorded.correlation_id,
        "data": data,
    }


def masked(person: Person) -> Document:
    """Return which personal facts are there, without telling them."""
    return {
        "name": _initials(person.name),
        "email": None if person.email is None else _masked_email(person.email),
        "phone": None if person.phone is None else f"{person.phone[:3]}…{person.phone[-2:]}",
        "notes": None if person.notes is None else "…",
        "metadata": None if person.metadata is None else "…",
    }


def service_document(service: Service) -> Document:
    """Return a service as `PUT /api/services` takes it, and what was learned from Cal.com."""
    return asdict(service)


def _failure_document(failure: Failure | None) -> Document | None:
    return None if failure is None else {"reason": failure.reason, "detail": failure.detail}


def _initials(name: str) -> str:
    return " ".join(f"{part[0]}…" for part in name.split())


def _masked_email(email: str) -> str:
    mailbox, _, domain = email.rpartition("@")
    return f"{mailbox[:1]}…@…{domain[domain.rfind('.') :]}"
