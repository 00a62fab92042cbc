"""
What follows from a command about a composite: each leg is asked as the booking that it is.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.booking import Booking
from domain.commands import RequestBooking, RequestCancellation, RequestComposite
from domain.composite import CompositeEvent, CompositeInitiated, LegEvent
from domain.deciding import cancel, initiate
from domain.errors import KeyReused
from domain.idempotency import IdempotencyKey, fingerprint, leg_key
from domain.policy import Policy

NEAR = timedelta(minutes=5)
"""Within how much of the same start two bookings of one customer are near-duplicates."""


def initiate_composite(
    request: RequestComposite, *, key: IdempotencyKey, now: datetime, policy: Policy, customer_id: UUID | None = None
) -> tuple[CompositeEvent, ...]:
    """Return the events that accept a request for several services: the composite's, and one for each leg."""
    legs = [
        initiate(_beside(request, place), key=_key(key, place + 1), now=now, policy=policy, customer_id=customer_id)
        for place in range(len(request.legs))
    ]
    # None of them is worth anything without the others.
    valid_until = min(one.valid_until for one in legs)
    begun = CompositeInitiated(
        at=now,
        company_id=request.service.company_id,
        customer_id=legs[0].customer_id,
        services=tuple(one.service.service_id for one in legs),
        starts_at=min(one.starts_at for one in legs),
        ends_at=max(one.ends_at for one in legs),
        time_zone=legs[0].time_zone,
        source=legs[0].source,
        idempotency_key=key.text,
        key_given=key.given,
        generation=key.generation,
        fingerprint=fingerprint(request),
        correlation_id=request.correlation_id,
    )
    stated = (LegEvent(leg=leg, event=replace(one, valid_until=valid_until)) for leg, one in enumerate(legs, start=1))
    return (begun, *stated)


def cancel_legs(composite: Booking, command: RequestCancellation, *, now: datetime) -> tuple[LegEvent, ...]:
    """
    Return the request as an event for each leg that stands, or is to stand; nothing if there is none any more.

    Raises:
        KeyReused: the caller's own key came with another reason before (B5).
        AlreadyOver: one of the appointments has taken place, so that not all can be cancelled.

    """
    for leg in composite.legs:
        before = leg.cancellation
        if before is not None and command.command_id is not None and before.command_id == command.command_id:
            if before.person.reason != command.reason:
                raise KeyReused(composite.booking_id)
            return ()
    asked = [(leg.leg, cancel(leg, command, now=now)) for leg in composite.legs]
    return tuple(LegEvent(leg=leg, event=event) for leg, events in asked for event in events)


def _key(key: IdempotencyKey, leg: int) -> IdempotencyKey:
    return IdempotencyKey(
        text=leg_key(key.booking_id, leg), booking_id=key.booking_id, given=False, generation=key.generation
    )


def _beside(request: RequestComposite, place: int) -> RequestBooking:
    """Return a leg that is no near-duplicate of a leg before it, which holds about the same for both."""
    leg = request.legs[place]
    beside = any(
        leg.service.offered_as == other.service.offered_as and abs(leg.starts_at - other.starts_at) <= NEAR
        for other in request.legs[:place]
    )
    return replace(leg, allow_near_duplicate=leg.allow_near_duplicate or beside)
