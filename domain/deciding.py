"""What follows from a command: events, or a named refusal."""

from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from domain.booking import Booking, BookingStatus, Failure, MoveCommand
from domain.commands import Request, RequestBooking, RequestCancellation, RequestComposite, RequestReschedule
from domain.errors import AlreadyOver, KeyReused, MadeElsewhere, NotBooked
from domain.events import BookingInitiated, CancellationRequested
from domain.idempotency import IdempotencyKey, customer_id_for, fingerprint
from domain.moving import RescheduleRequested
from domain.person import Remark
from domain.policy import Policy
from domain.service import Service

_SPENT = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})


class Repeat(Enum):
    """What a request is that finds its booking there already."""

    SAME = auto()
    """The same wish again: it gets the same booking and its present outcome."""
    NEXT_GENERATION = auto()
    """A new wish, since the derived key's booking is over."""
    NEAR_DUPLICATE = auto()
    """The same person, service and start, but another member of staff or another length."""


def initiate(
    request: RequestBooking,
    *,
    key: IdempotencyKey,
    now: datetime,
    policy: Policy,
    customer_id: UUID | None = None,
    chosen: Service | None = None,
) -> BookingInitiated:
    """
    Return the event that accepts a request, for the customer with this id if they are known already.

    `chosen` is the service of whoever was chosen, for a request that names a group.
    """
    service = chosen or request.service
    return BookingInitiated(
        at=now,
        service=service,
        customer_id=customer_id or customer_id_for(service.company_id, request.person.identity),
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
        staff_group=None if request.staff_id else request.staff_group,
    )


def judge_repeat(booking: Booking, request: Request) -> Repeat:
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
    if isinstance(request, RequestComposite):
        pairs = zip(booking.legs, request.legs, strict=True)
        return Repeat.NEAR_DUPLICATE if any(_differs(leg, wanted) for leg, wanted in pairs) else Repeat.SAME
    return Repeat.NEAR_DUPLICATE if _differs(booking, request) else Repeat.SAME


def _differs(booking: Booking, request: RequestBooking) -> bool:
    """Tell whether somebody else is to serve, or for another time."""
    facts = booking.facts
    return not _is_for(facts.staff_id, request) or facts.ends_at - facts.starts_at != request.service.duration


def cancel(booking: Booking, command: RequestCancellation, *, now: datetime) -> tuple[CancellationRequested, ...]:
    """
    Return the request as an event, or nothing when the booking is cancelled or failed, or is being cancelled.

    Raises:
        KeyReused: the caller's own key came with another reason before (B5).
        AlreadyOver: the appointment has taken place.
        MadeElsewhere: somebody else made it at Cal.com, and nothing of theirs is ever changed there.

    """
    before = booking.cancellation
    if before is not None and command.command_id is not None and before.command_id == command.command_id:
        if before.person.reason != command.reason:
            raise KeyReused(booking.booking_id)
        return ()
    if booking.status in _SPENT or before is not None:
        return ()
    if any(line.foreign for line in booking.ledger.lines):
        raise MadeElsewhere(booking.booking_id)
    if booking.status is BookingStatus.BOOKED and booking.ends_at is not None and now >= booking.ends_at:
        raise AlreadyOver(booking.booking_id)
    return (CancellationRequested(at=now, person=Remark(reason=command.reason), command_id=command.command_id),)


def reschedule(booking: Booking, command: RequestReschedule, *, now: datetime) -> RescheduleRequested | None:
    """
    Return the request as an event, or nothing when the command was taken before, or asks for what is so.

    Raises:
        KeyReused: the same key came with another start before.
        MadeElsewhere: somebody else made the booking at Cal.com.
        AlreadyOver: the appointment has taken place.
        NotBooked: the booking does not stand.

    """
    taken = _taken(booking, command)
    if taken is not None:
        if taken.starts_at != command.starts_at:
            raise KeyReused(booking.booking_id)
        return None
    under_way = booking.move if booking.status is BookingStatus.RESCHEDULING else None
    if under_way is not None and under_way.starts_at == command.starts_at:
        return None
    if booking.status is not BookingStatus.BOOKED or booking.starts_at is None or booking.ends_at is None:
        raise NotBooked(booking.booking_id, status=booking.status.value)
    if any(line.foreign for line in booking.ledger.lines):
        raise MadeElsewhere(booking.booking_id, wanted="move")
    if now >= booking.ends_at:
        raise AlreadyOver(booking.booking_id, wanted="move")
    if booking.starts_at == command.starts_at:
        return None
    return RescheduleRequested(
        at=now,
        starts_at=command.starts_at,
        ends_at=command.starts_at + booking.facts.service.duration,
        command_id=command.command_id,
        person=Remark(reason=command.reason),
    )


def move_refused(booking: Booking, command: RequestReschedule) -> Failure | None:
    """Return why this command moved nothing, whatever other commands came to before or after it."""
    taken = _taken(booking, command)
    if taken is not None:
        return taken.failure
    return booking.move_failure if booking.starts_at != command.starts_at else None


def _is_for(staff_id: str | None, request: RequestBooking) -> bool:
    if request.staff_group is not None and request.staff_id is None:
        return True
    return staff_id == (request.staff_id or request.service.staff_id)


def _taken(booking: Booking, command: RequestReschedule) -> MoveCommand | None:
    return next((one for one in booking.move_commands if one.command_id == command.command_id), None)


def _moved_away(booking: Booking) -> bool:
    if booking.legs:
        standing = [leg for leg in booking.legs if leg.status is BookingStatus.BOOKED]
        return bool(standing) and all(_moved_away(leg) for leg in standing)
    return booking.status is BookingStatus.BOOKED and booking.starts_at != booking.facts.starts_at
