"""
The booking saga as a table, for people who do not read code.

| step               | effect                               | compensation          | retried                    |
|--------------------|--------------------------------------|-----------------------|----------------------------|
| initiate           | claim key and slot, record intent    | release the claim     | –                          |
| reserve at Cal.com | create the booking there             | cancel it             | 3 times; doubt is resolved |
| persist (pivot)    | insert the appointment               | mark it cancelled     | until the database answers |
| notify             | request the confirmation             | –                     | by a follower of the log   |

A composite is this table for each leg: its legs are reserved one after the other, all of
them are persisted in one commit, and what was done is undone from the last leg on.

A cancellation runs backwards: Cal.com first, then the row, which holds its slot until
Cal.com has confirmed. A reschedule claims the new time, has Cal.com move the booking,
and moves the row; from Cal.com's answer on it only goes forward.

Below are the kinds of step that the saga can ask for next. What is asked for is data;
`sagas.engine` does it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from domain.composite import LegEvent
from domain.events import AppointmentBooked, BookingEvent, CancelPurpose
from domain.moving import BookingRescheduled


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAtCalcom:
    """Ask Cal.com to create the booking, as attempt `number`."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtCalcom:
    """Search Cal.com's list for these attempts, among bookings created from `since` on."""

    attempt_ids: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAtCalcom:
    """Cancel a booking of ours; unless the customer asked for it, only after seeing that it still is ours."""

    uid: str
    attempt_id: str
    purpose: CancelPurpose
    number: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectObstacle:
    """Find out whether the row that refused our appointment has a right to be there."""

    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleAtCalcom:
    """Ask Cal.com to move a booking of ours to another time, as attempt `number`."""

    uid: str
    attempt_id: str
    starts_at: datetime
    reason: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceMove:
    """Read the old uid, to see whether it was moved."""

    uid: str
    attempt_id: str


Change: TypeAlias = CreateAtCalcom | RescheduleAtCalcom | CancelAtCalcom
"""An effect that changes something at Cal.com."""
Effect: TypeAlias = CreateAtCalcom | LookAtCalcom | CancelAtCalcom | InspectObstacle | RescheduleAtCalcom | TraceMove


@dataclass(frozen=True, slots=True)
class Perform:
    """Do something in the world, once the log says that it is about to be done."""

    effect: Effect


@dataclass(frozen=True, slots=True)
class Record:
    """Write down what follows from what is known."""

    events: tuple[BookingEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persist:
    """Write the appointment together with its event; the database may refuse it."""

    booked: AppointmentBooked


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Move the appointment's row together with the event that says so; the database may refuse it."""

    rescheduled: BookingRescheduled
    flags: tuple[BookingEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Mark the appointment cancelled together with the event that ends the booking."""

    events: tuple[BookingEvent, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before this moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is owed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLeg:
    """What one leg of a composite needs next."""

    leg: int
    step: "Act"


@dataclass(frozen=True, slots=True)
class RecordOfLegs:
    """Write down what follows for the legs from what is known of the others."""

    events: tuple[LegEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnd:
    """How one leg is booked, or its cancellation ends."""

    leg: int
    decision: Persist | Withdraw


@dataclass(frozen=True, slots=True)
class Together:
    """What several legs come to in one append: all of it is taken, or nothing."""

    ends: tuple[LegEnd, ...]


Decision: TypeAlias = Record | Persist | Shift | Withdraw
Act: TypeAlias = Perform | Decision
Step: TypeAlias = Act | OfLeg | RecordOfLegs | Together | Wait | Done
