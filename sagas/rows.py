"""The rows that stand beside the events: made from a booking's state, never from anywhere else."""

from dataclasses import replace

from domain.booking import Booking
from domain.events import AppointmentBooked, BookingInitiated
from domain.moving import BookingRescheduled, RescheduleRequested
from sagas.appending import Customer, InsertAppointment, MoveAppointment, SlotClaim


def claim_of(facts: BookingInitiated, *, leg: int = 0) -> SlotClaim:
    """Return what a new booking claims before anything is asked of Cal.com."""
    return SlotClaim(
        company_id=facts.service.company_id,
        customer_id=facts.customer_id,
        service_id=facts.service.service_id,
        offered_as=facts.service.offered_as,
        staff_id=facts.staff_id,
        starts_at=facts.starts_at,
        ends_at=facts.ends_at,
        allow_near_duplicate=facts.allow_near_duplicate,
        leg=leg,
    )


def claim_of_move(facts: BookingInitiated, requested: RescheduleRequested) -> SlotClaim:
    """Return what a move claims before Cal.com is asked: the new time, beside the appointment at the old one."""
    return replace(claim_of(facts), starts_at=requested.starts_at, ends_at=requested.ends_at)


def customer_of(facts: BookingInitiated, *, found: bool = False) -> Customer:
    """Return the customer's row; `found` if it is known to be there, and to have the phone."""
    return Customer(
        customer_id=facts.customer_id,
        company_id=facts.service.company_id,
        name=facts.person.name,
        email=facts.person.email,
        phone=facts.person.phone,
        found=found,
    )


def appointment_of(booking: Booking, booked: AppointmentBooked) -> InsertAppointment:
    """Return the appointment's row; `booking` is the state before it is booked."""
    facts = booking.facts
    return InsertAppointment(
        appointment_id=booked.appointment_id,
        company_id=facts.service.company_id,
        booking_id=booking.booking_id,
        idempotency_key=facts.idempotency_key,
        calcom_booking_uid=booked.calcom_uid,
        service_id=facts.service.service_id,
        offered_as=facts.service.offered_as,
        customer_id=facts.customer_id,
        staff_id=facts.staff_id,
        starts_at=booked.starts_at,
        ends_at=booked.ends_at,
        source=facts.source,
        retry_count=booking.repeats,
        sync_attempt_count=booking.calls,
        last_sync_attempted_at=max((line.attempted_at for line in booking.ledger.lines), default=None),
        resilience_strategy=booking.resilience_strategy,
        circuit_breaker_open_at_booking=booking.breaker_open_at,
        webhook_id=booking.webhook_id,
        overlap_allowed=booked.overlaps,
        leg=booking.leg,
    )


def move_of(booking: Booking, rescheduled: BookingRescheduled) -> MoveAppointment:
    """
    Return how the appointment's row changes when a booking moves.

    Raises:
        LookupError: the booking has no appointment.

    """
    if booking.appointment_id is None:
        msg = f"booking {booking.booking_id} has no appointment to move"
        raise LookupError(msg)
    return MoveAppointment(
        appointment_id=booking.appointment_id,
        company_id=booking.facts.service.company_id,
        booking_id=booking.booking_id,
        staff_id=booking.facts.staff_id,
        calcom_booking_uid=rescheduled.to_uid,
        starts_at=rescheduled.starts_at,
        ends_at=rescheduled.ends_at,
        webhook_id=rescheduled.webhook_id,
        overlap_allowed=rescheduled.overlaps,
    )


def moved(row: InsertAppointment, move: MoveAppointment) -> InsertAppointment:
    """Return what a booked row holds once it has moved."""
    return replace(
        row,
        calcom_booking_uid=move.calcom_booking_uid,
        starts_at=move.starts_at,
        ends_at=move.ends_at,
        webhook_id=move.webhook_id or row.webhook_id,
        overlap_allowed=move.overlap_allowed,
    )
