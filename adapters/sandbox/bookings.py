"""
The bookings of the sandbox, and the one place where their state changes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from adapters.sandbox.availability import HostCalendar
from adapters.sandbox.event_types import EventType

_BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"


class Status(StrEnum):
    """
    Name the states of a booking as the API spells them.
    """

    ACCEPTED = "accepted"
    PENDING = "pending"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Actor(StrEnum):
    """
    Tell a call of the API from a person at Cal.com.
    """

    API = "api"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """
    Who comes; on a seated event type with the seat that is theirs.
    """

    name: str
    email: str
    time_zone: str
    phone: str | None = None
    language: str = "en"
    seat_uid: str = ""


@dataclass(slots=True, kw_only=True)
class Booking:
    """
    One booking with everything that Cal.com, or a judge of it, can tell about it.
    """

    id: int
    uid: str
    event_type: EventType
    hosts: tuple[int, ...]
    status: Status
    start: datetime
    end: datetime
    attendees: tuple[Attendee, ...]
    created_at: datetime
    updated_at: datetime
    listed_at: datetime
    metadata: dict[str, Any] = field(default_factory=dict)
    responses: dict[str, Any] = field(default_factory=dict)
    guests: tuple[str, ...] = ()
    location: str = "integrations:daily"
    made_by: Actor = Actor.API
    cancelled_by: Actor | None = None
    cancelled_by_email: str = ""
    cancellation_reason: str = ""
    rescheduling_reason: str = ""
    rescheduled_by_email: str = ""
    rescheduled_from: str = ""
    rescheduled_to: str = ""
    recurring_uid: str = ""

    @property
    def live(self) -> bool:
        return self.status in {Status.ACCEPTED, Status.PENDING}

    @property
    def blocks(self) -> bool:
        return self.status is Status.ACCEPTED and not self.event_type.always_open


class Bookings:
    """
    All bookings ever committed, in the order of their commits, with the time that they take.
    """

    def __init__(self) -> None:
        self.calendar = HostCalendar()
        self._by_uid: dict[str, Booking] = {}
        self._in_order: list[Booking] = []
        self._by_event_type: dict[int, list[Booking]] = {}
        self._by_email: dict[str, list[Booking]] = {}
        self._by_slot: dict[tuple[int, datetime], list[Booking]] = {}
        self._accepted: dict[tuple[int, datetime, datetime], str] = {}

    def next_id(self) -> int:
        return len(self._in_order) + 1

    def find(self, uid: str) -> Booking | None:
        return self._by_uid.get(uid)

    def all(self) -> list[Booking]:
        """
        Return every booking, oldest commit first. The list is the store's own: read it only.
        """
        return self._in_order

    def of_event_type(self, event_type: int) -> list[Booking]:
        return self._by_event_type.get(event_type, [])

    def of_email(self, email: str) -> list[Booking]:
        return self._by_email.get(email, [])

    def at(self, *, event_type: int, start: datetime) -> list[Booking]:
        """
        Return the bookings of an event type that begin at an instant.
        """
        return self._by_slot.get((event_type, start), [])

    def has_accepted(self, *, host: int, start: datetime, end: datetime, ignoring: str = "") -> bool:
        """
        Return whether the host has an accepted booking of exactly this period, as Cal.com's unique key would find.
        """
        return self._accepted.get((host, start, end), ignoring) != ignoring

    def commit(self, booking: Booking) -> None:
        """
        Add a new booking.
        """
        self._by_uid[booking.uid] = booking
        self._in_order.append(booking)
        self._by_event_type.setdefault(booking.event_type.id, []).append(booking)
        self._by_slot.setdefault((booking.event_type.id, booking.start), []).append(booking)
        for attendee in booking.attendees:
            self._by_email.setdefault(attendee.email, []).append(booking)
        self._occupy(booking)
        if booking.blocks:
            self._accepted[booking.hosts[0], booking.start, booking.end] = booking.uid

    def seat(self, booking: Booking, *, attendee: Attendee, now: datetime) -> None:
        """
        Add an attendee to a seated booking.
        """
        booking.attendees = (*booking.attendees, attendee)
        booking.updated_at = now
        self._by_email.setdefault(attendee.email, []).append(booking)

    def cancel(self, booking: Booking, *, by: Actor, now: datetime, reason: str = "", email: str = "") -> None:
        """
        Cancel a booking and give its time back.
        """
        self._vacate(booking)
        booking.status = Status.CANCELLED
        booking.cancelled_by = by
        booking.cancelled_by_email = email
        booking.cancellation_reason = reason
        booking.updated_at = now

    def reschedule(self, old: Booking, *, new: Booking, by: Actor) -> None:
        """
        Put a new booking in the place of an old one, which ends as cancelled and names its successor.
        """
        self.cancel(old, by=by, now=new.created_at)
        old.rescheduled_to = new.uid
        old.rescheduling_reason = new.rescheduling_reason
        self.commit(new)

    def decide(self, booking: Booking, *, status: Status, now: datetime) -> None:
        """
        Confirm or decline a pending booking. As at Cal.com, the unique key is not set by a confirmation.
        """
        booking.status = status
        booking.updated_at = now
        self._occupy(booking)

    def _occupy(self, booking: Booking) -> None:
        if not booking.blocks:
            return
        for host in booking.hosts:
            self.calendar.take(host=host, uid=booking.uid, start=booking.start, end=booking.end)

    def _vacate(self, booking: Booking) -> None:
        if not booking.blocks:
            return
        for host in booking.hosts:
            self.calendar.release(host=host, uid=booking.uid, start=booking.start, end=booking.end)
        self._accepted.pop((booking.hosts[0], booking.start, booking.end), None)


def new_uid() -> str:
    """
    Return a fresh uid in the form of Cal.com's own: a UUID in 22 characters of base 58.
    """
    number, digits = uuid4().int, []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_BASE58[digit])
    return "".join(digits).ljust(22, _BASE58[0])


def utc_now() -> datetime:
    return datetime.now(UTC)
