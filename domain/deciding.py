"""What follows from a command: events, or a named refusal."""

from datetime import datetime, timedelta
from enum import Enum, auto

from domain.booking import Booking, BookingStatus
from domain.commands import RequestBooking, RequestCancellation
from domain.errors import AlreadyOver, KeyReused
from domain.events import BookingInitiated, CancellationRequested
from domain.idempotency import IdempotencyKey, customer_id_for, fingerprint
from domain.person import Remark
from domain.policy import Policy

_SPENT = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})


class Repeat(Enum):
    """What a request is that finds its booking there already."""

    SAME = auto()
    """The same wish again: it gets the same booking and its present outcome."""
    NEXT_GENERATION = auto()
    """A new wish, since the derived key's booking is over."""
    NEAR_DUPLICATE = auto()
    """The same person, service and start, but another member of staff or another length."""


def initiate(request: RequestBooking, *, key: IdempotencyKey, now: datetime, policy: Policy) -> BookingInitiated:
    """Return the event that accepts a request."""
    service = request.service
    return BookingInitiated(
        at=now,
        service=service,
        customer_id=customer_id_for(service.company_id, request.person.identity),
        person=request.person,
        starts_at=request.starts_at,
        ends_at=request.starts_at + service.duration,
        time_zone=request.time_zone,
        source=request.source,
        staff_id=request.staff_id or service.staff_id,
        call_id=request.call_id,
        confidence=request.confidence,
        allow_near_duplicate=request.allow_near_duplicate,
        idempotency_key=key.text,
        key_given=key.given,
        generation=key.generation,
        fingerprint=fingerprint(request),
        valid_until=min(request.starts_at - timedelta(minutes=service.notice_minutes), now + policy.expiry),
        correlation_id=request.correlation_id,
        policy_version=policy.version,
    )


def judge_repeat(booking: Booking, request: RequestBooking) -> Repeat:
    """
    Say what a request means whose key already has a booking.

    Raises:
        KeyReused: the caller's own key came with another payload (B5).

    """
    facts = booking.facts
    same = facts.fingerprint == fingerprint(request)
    if facts.key_given:
        if not same:
            raise KeyReused(booking.booking_id)
        return Repeat.SAME
    if booking.status in _SPENT or _moved_away(booking):
        return Repeat.NEXT_GENERATION
    staff_id = request.staff_id or request.service.staff_id
    if facts.staff_id != staff_id or facts.ends_at - facts.starts_at != request.service.duration:
        return Repeat.NEAR_DUPLICATE
    return Repeat.SAME


def cancel(booking: Booking, command: RequestCancellation, *, now: datetime) -> tuple[CancellationRequested, ...]:
    """
    Return the request as an event, or nothing when the booking is cancelled or failed, or is being cancelled.

    Raises:
        KeyReused: the caller's own key came with another reason before (B5).
        AlreadyOver: the appointment has taken place.

    """
    before = booking.cancellation
    if before is not None and command.command_id is not None and before.command_id == command.command_id:
        if before.person.reason != command.reason:
            raise KeyReused(booking.booking_id)
        return ()
    if booking.status in _SPENT or before is not None:
        return ()
    if booking.status is BookingStatus.BOOKED and booking.ends_at is not None and now >= booking.ends_at:
        raise AlreadyOver(booking.booking_id)
    return (CancellationRequested(at=now, person=Remark(reason=command.reason), command_id=command.command_id),)


def _moved_away(booking: Booking) -> bool:
    return booking.status is BookingStatus.BOOKED and booking.starts_at != booking.facts.starts_at
