"""
Replaying a booking's stream: how the booking stands, and the rows that must stand beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.evidence import Evidence
from domain.booking import ENDED, Booking, initial_state
from domain.composite import SagaEvent
from domain.events import AppointmentBooked, BookingEvent, BookingInitiated, CalcomBookingFound
from domain.evolving import evolve, fold
from domain.findings import ManualReviewAnswered
from domain.moving import BookingRescheduled, RescheduleRequested
from projections.bookings import BOOKINGS
from sagas.appending import InsertAppointment, SlotClaim
from sagas.rows import appointment_of, claim_of, claim_of_move, move_of, moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """
    What has happened to a booking, or to one leg, folded.

    `row` is its appointment's row, if it ever had one, `claim` what it holds. `ended_open`
    says that the saga has ended with an open line.
    """

    booking: Booking
    row: InsertAppointment | None
    claim: SlotClaim | None
    ended_open: bool


def listed(one: Evidence, events: Sequence[SagaEvent]) -> Booking:
    """Return what the list of bookings had seen of a stream."""
    seen = sum(stored.position <= one.seen_by[BOOKINGS.name].until for stored in one.events)
    return fold(initial_state(one.stream_id), events[:seen])


def has_ended(stream_id: UUID, events: Sequence[SagaEvent]) -> bool:
    """Tell whether a booking has ever come to an end, whatever has happened to it since."""
    booking = initial_state(stream_id)
    for event in events:
        booking = evolve(booking, event)
        if booking.ended in ENDED:
            return True
    return False


def replay(one: Evidence, events: Sequence[BookingEvent], *, leg: int = 0) -> Replayed:
    """Return what has happened to a booking, or to a leg of one."""
    booking = Booking(booking_id=one.stream_id, leg=leg)
    row: InsertAppointment | None = None
    claim: SlotClaim | None = None
    ended_open = has_ended = False
    for event in events:
        row, claim = _row_after(row, booking, event), _claim_after(claim, booking, event)
        booking = evolve(booking, event)
        if booking.ended in ENDED:
            claim = None
            # What a person decides may leave doubt about another attempt behind, which is settled afterwards; and what
            # was settled when it ended may be in doubt again when it ends otherwise.
            ends = not has_ended and not isinstance(event, ManualReviewAnswered)
            ended_open = ended_open or (ends and bool(booking.ledger.open))
            has_ended = True
    return Replayed(booking=booking, row=row, claim=claim, ended_open=ended_open)


def _row_after(row: InsertAppointment | None, booking: Booking, event: BookingEvent) -> InsertAppointment | None:
    match event:
        case AppointmentBooked():
            return appointment_of(booking, event)
        case BookingRescheduled() if row is not None and booking.appointment_live:
            return moved(row, move_of(booking, event))
        case _:
            return row


def _claim_after(claim: SlotClaim | None, booking: Booking, event: BookingEvent) -> SlotClaim | None:
    match event:
        case BookingInitiated():
            return claim_of(event, leg=booking.leg)
        case CalcomBookingFound():
            # What a person has made at Cal.com holds its time there, and never had a claim.
            return None
        case RescheduleRequested():
            return claim_of_move(booking.facts, event)
        case _:
            return claim
