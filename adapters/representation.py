"""
How a booking and its story look to the outside, over HTTP and on the command line alike.

Nobody's name leaves with it: whoever reads bookings need not learn who the customers
are. `GET /api/customers` tells that to those who know a phone or an address already.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from adapters.reasons import SENTENCES, sentence
from domain.composite import LegEvent
from domain.offer import Offer
from projections.booking_row import BookingRow
from projections.failures import SyncFailure
from projections.masking import MASK, masker
from projections.story import name_of
from sagas.appending import Recorded

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants and UUIDs."""


def booking_document(row: BookingRow) -> Document:
    """Return a booking as its caller sees it; instants are UTC."""
    return {
        "id": row.booking_id,
        "status": row.status,
        "company_id": row.company_id,
        "service_id": row.service_id,
        "customer_id": row.customer_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "time_zone": row.time_zone,
        "source": row.source,
        "staff_id": row.staff_id,
        "calcom_booking_uid": row.calcom_booking_uid,
        "appointment_id": row.appointment_id,
        "failure": _failure(row),
        "idempotency_key": row.idempotency_key,
        "correlation_id": row.correlation_id,
        "resilience_strategy": row.resilience_strategy,
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        **({"legs": [_leg(leg) for leg in row.legs]} if row.legs else {}),
    }


def _leg(row: BookingRow) -> Document:
    return {
        "status": row.status,
        "service_id": row.service_id,
        "staff_id": row.staff_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "calcom_booking_uid": row.calcom_booking_uid,
        "appointment_id": row.appointment_id,
        "failure": _failure(row),
    }


def _failure(row: BookingRow) -> Document | None:
    reason = row.failure_reason
    return None if reason is None else {"reason": reason, "detail": sentence(reason)}


def sync_failure_document(failure: SyncFailure) -> Document:
    """Return a sync failure as operators see it; what others have said is masked, or stays in the events."""
    said = failure.error_message
    shown = {"error_message": SENTENCES.get(said) or masker(())(said)}
    return asdict(failure) | shown


def event_documents(recorded: Sequence[Recorded]) -> list[Document]:
    """Return a booking's events with everything personal masked, in other people's words, too."""
    mask = masker(recorded)
    return [_event_document(one, mask) for one in recorded]


def service_document(offer: Offer) -> Document:
    """Return a service as `PUT /api/services` takes it, and what was learned from Cal.com."""
    hours = offer.opening_hours
    return {**asdict(offer.service), "opening_hours": None if hours is None else hours.as_document()}


def _event_document(recorded: Recorded, mask: Callable[[str], str]) -> Document:
    event = recorded.event
    leg = {"leg": event.leg} if isinstance(event, LegEvent) else {}
    data = asdict(event.event if isinstance(event, LegEvent) else event)
    del data["at"]
    # Which personal facts there are may be known; what they are may not.
    person = data.pop("person", None)
    shown = {name: _masked(value, mask) for name, value in data.items()}
    if person is not None:
        shown["person"] = {name: None if value is None else MASK for name, value in person.items()}
    return {
        "version": recorded.version,
        "type": name_of(event),
        "at": event.at,
        "recorded_at": recorded.recorded_at,
        "correlation_id": recorded.correlation_id,
        "data": leg | shown,
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
