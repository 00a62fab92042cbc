"""
One request, one key, one booking id.

The booking id *is* the idempotency key's UUID and the id of the event stream, so that
the log's own uniqueness lets a booking begin once only (ADR-003).
"""

import hashlib
import json
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.commands import Request, RequestBooking, RequestComposite
from domain.person import folded

NAMESPACE = uuid5(NAMESPACE_URL, "https://calsaga.dev/booking")
KEY_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """
    The key of a request, and the booking that it leads to.

    A derived key has generations: once its booking has failed, was cancelled or moved
    away, the next request with the same input begins generation 1, then 2, and so on.
    A key that the caller gave has only generation 0.
    """

    text: str
    booking_id: UUID
    given: bool
    generation: int = 0


def key_for(request: Request, *, generation: int = 0) -> IdempotencyKey:
    """Return the request's key: the caller's own, scoped to the company, or the derived one (M1)."""
    if request.idempotency_key is not None:
        booking_id = uuid5(NAMESPACE, _canonical("given", request.service.company_id, request.idempotency_key))
        return IdempotencyKey(text=request.idempotency_key, booking_id=booking_id, given=True)
    booking_id = uuid5(NAMESPACE, _derived(request, generation))
    return IdempotencyKey(text=str(booking_id), booking_id=booking_id, given=False, generation=generation)


def _derived(request: Request, generation: int) -> str:
    company_id, identity = request.service.company_id, request.person.identity
    if isinstance(request, RequestComposite):
        # Of the legs only what an ordinary key has, too: another member of staff is no other wish.
        legs = [(leg.service.service_id, leg.starts_at.isoformat()) for leg in request.legs]
        return _canonical("composite", company_id, identity, legs, request.legs[0].source, generation)
    service_id, starts_at = request.service.service_id, request.starts_at.isoformat()
    group = _group_of(request)
    return _canonical("derived", company_id, identity, service_id, starts_at, request.source, generation, *group)


def leg_key(booking_id: UUID, leg: int) -> str:
    """Return the key that a leg's appointment has beside its composite's."""
    return str(uuid5(booking_id, str(leg)))


def customer_id_for(company_id: str, identity: str) -> UUID:
    """
    Return the id that a new customer gets, the same for every request that names the same person.

    So two racing requests make one customer. One who is known already keeps the id they have.
    """
    return uuid5(NAMESPACE, _canonical("customer", company_id, identity))


def fingerprint(request: Request) -> str:
    """Return a digest of what the caller asked for, equal for every spelling of the same wish."""
    if isinstance(request, RequestComposite):
        return _digest(_canonical("composite", [fingerprint(leg) for leg in request.legs]))
    person = request.person
    wish = _canonical(
        request.service.service_id,
        (folded(person.name), (person.email or "").casefold(), person.phone, person.notes, person.metadata),
        request.starts_at.isoformat(),
        request.time_zone,
        request.source,
        request.staff_id,
        request.call_id,
        request.confidence,
        request.allow_near_duplicate,
        *_group_of(request),
    )
    return _digest(wish)


def _digest(wish: str) -> str:
    return hashlib.sha256(wish.encode()).hexdigest()


def _group_of(request: RequestBooking) -> tuple[str, ...]:
    # As it was given, never who was chosen. Nothing is added without one, so that older keys stay as they are.
    return () if request.staff_group is None else (request.staff_group,)


def _canonical(*parts: object) -> str:
    # JSON keeps the borders between the parts, so that ("a", "bc") and ("ab", "c") differ.
    return json.dumps(parts, ensure_ascii=True)
