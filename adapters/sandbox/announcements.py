"""
What subscribers are told of: a booking, and what has become, or is about to become, of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.sandbox.bookings import Booking, Status
from adapters.sandbox.faults import CallFacts
from adapters.sandbox.representation import whole_seconds
from adapters.sandbox.webhooks import Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """
    A booking under a trigger, with the fields that this trigger has more than the others.
    """

    trigger: Trigger
    booking: Booking
    status: Status
    tells_metadata: bool = True
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> CallFacts:
        """
        Return what a fault can match with, which is more than the subscriber is told.
        """
        return CallFacts(
            operation="delivery",
            event_type_id=self.booking.event_type.id,
            attendee_email=self.booking.attendees[0].email,
            metadata=self.booking.metadata,
            trigger=self.trigger,
        )


def booked(bookings: Sequence[Booking]) -> tuple[Announcement, ...]:
    """
    Tell of new bookings, each by itself, also those of a series, or of a seat taken in one.
    """
    return tuple(_made(booking) for booking in bookings)


def rescheduled(new: Booking, *, old: Booking) -> tuple[Announcement, ...]:
    """
    Tell of a booking that took the place of another. One that waits for its confirmation is told as a request.
    """
    trigger = Trigger.REQUESTED if new.status is Status.PENDING else Trigger.RESCHEDULED
    more = {
        "rescheduleId": old.id,
        "rescheduleUid": old.uid,
        "rescheduleStartTime": whole_seconds(old.start),
        "rescheduleEndTime": whole_seconds(old.end),
        "rescheduledBy": new.rescheduled_by_email or None,
    }
    return (Announcement(trigger=trigger, booking=new, status=new.status, more=more),)


def cancelled(booking: Booking, *, reason: str, email: str = "") -> tuple[Announcement, ...]:
    """
    Tell that a booking is cancelled, before it is. Cal.com leaves the metadata out.
    """
    more = {"cancellationReason": reason, "cancelledBy": email or None, "requestReschedule": False}
    return (
        Announcement(
            trigger=Trigger.CANCELLED, booking=booking, status=Status.CANCELLED, tells_metadata=False, more=more
        ),
    )


def decided(booking: Booking, *, reason: str = "") -> tuple[Announcement, ...]:
    """
    Tell that a pending booking was confirmed or declined, both without its metadata.
    """
    declined = booking.status is Status.REJECTED
    return (
        Announcement(
            trigger=Trigger.REJECTED if declined else Trigger.CREATED,
            booking=booking,
            status=booking.status,
            tells_metadata=False,
            more={"rejectionReason": reason} if declined else {},
        ),
    )


def _made(booking: Booking) -> Announcement:
    trigger = Trigger.REQUESTED if booking.status is Status.PENDING else Trigger.CREATED
    return Announcement(trigger=trigger, booking=booking, status=booking.status)
