"""
The rules by which Cal.com accepts, cancels and moves bookings. Pure: time comes with the call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from adapters.sandbox import errors
from adapters.sandbox.availability import check_bounds
from adapters.sandbox.bookings import Actor, Attendee, Booking, Bookings, Status, new_uid
from adapters.sandbox.event_types import EventType, Scheduling
from adapters.sandbox.validation import BookingRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """
    What is true of one call beside its content: who makes it, when, whether it races, when a list may show its effect.
    """

    now: datetime
    by: Actor = Actor.API
    authenticated: bool = True
    raced: bool = False
    list_lag: timedelta = timedelta()


class Desk:
    """
    Accept, cancel and move bookings as Cal.com would.
    """

    def __init__(self, *, bookings: Bookings, event_types: Mapping[int, EventType]) -> None:
        self._bookings = bookings
        self._event_types = event_types

    def book(self, request: BookingRequest, *, given: Circumstances) -> list[Booking]:
        """
        Accept a request. The result has several bookings for a recurring event type, else one.

        Raises:
            Refusal: in Cal.com's order of checks; nothing is committed then.
        """
        event_type = self._event_type(request)
        if event_type.booking_requires_authentication and not given.authenticated:
            raise errors.event_type_needs_authentication()
        length = _length(event_type, requested=request.length)
        repeated = self._same_booking(event_type, request=request)
        if repeated is not None:
            return [repeated]
        if event_type.seats and (seated := self._seated(event_type, start=request.start)):
            return [self._take_seat(seated, attendee=request.attendee, now=given.now)]
        occurrences = min(request.recurrence_count or event_type.recurrence, event_type.recurrence) or 1
        periods = [(start, start + length) for start in _weekly(request.start, occurrences)]
        chosen = [self._hosts_for(event_type, start=start, end=end, given=given) for start, end in periods]
        recurring_uid = new_uid() if event_type.recurrence else ""
        accepted = []
        for (start, end), hosts in zip(periods, chosen, strict=True):
            booking = self._new_booking(event_type, request=request, start=start, end=end, hosts=hosts, given=given)
            booking.recurring_uid = recurring_uid
            self._bookings.commit(booking)
            accepted.append(booking)
        return accepted

    def repeats(self, request: BookingRequest) -> bool:
        """
        Return whether a request would be answered with a booking that is there already.

        Raises:
            Refusal: 404, there is no such event type.
        """
        return self._same_booking(self._event_type(request), request=request) is not None

    def cancellable(self, uid: str, *, given: Circumstances, reason: str = "") -> Booking:
        """
        Return a booking that may be cancelled.

        Raises:
            Refusal: it is unknown, over, cancelled already, or may not be cancelled.
        """
        booking = self.find(uid)
        if booking.status is Status.CANCELLED:
            raise errors.cancelled_meanwhile() if given.raced else errors.already_cancelled(uid)
        if booking.end < given.now:
            raise errors.already_ended()
        if given.by is Actor.API:
            # As the event type is now, whatever it was when it was booked.
            event_type = self._event_types.get(booking.event_type.id, booking.event_type)
            if event_type.disable_cancelling:
                raise errors.cancelling_disabled()
            if event_type.requires_cancellation_reason and not reason:
                raise errors.cancellation_reason_required()
        return booking

    def cancel(self, uid: str, *, given: Circumstances, reason: str = "", email: str = "") -> Booking:
        """
        Cancel a booking.

        Raises:
            Refusal: as of :meth:`cancellable`.
        """
        booking = self.cancellable(uid, given=given, reason=reason)
        self._bookings.cancel(booking, by=given.by, now=given.now, reason=reason, email=email)
        return booking

    def reschedule(
        self, uid: str, *, start: datetime, given: Circumstances, reason: str = "", email: str = ""
    ) -> Booking:
        """
        Move a booking: it ends as cancelled, and a new one with a new uid takes its place.

        Raises:
            Refusal: it is unknown, cancelled or moved already, or the new time cannot be had.
        """
        old = self.find(uid)
        if old.rescheduled_to:
            raise errors.already_rescheduled(uid=uid, to=old.rescheduled_to)
        if not old.live:
            raise errors.cannot_reschedule_cancelled(uid)
        end = start + (old.end - old.start)
        hosts = self._hosts_for(old.event_type, start=start, end=end, given=given, ignoring=uid)
        new = replace(
            self._successor(old, given=given),
            hosts=hosts,
            start=start,
            end=end,
            rescheduling_reason=reason,
            rescheduled_by_email=email,
        )
        self._bookings.reschedule(old, new=new, by=given.by)
        return new

    def decide(self, uid: str, *, confirmed: bool, now: datetime) -> Booking:
        """
        Let the host confirm or decline a pending booking.
        """
        booking = self.find(uid)
        if booking.status is not Status.PENDING:
            raise errors.bad_request(f"Booking with uid={uid} is not pending")
        self._bookings.decide(booking, status=Status.ACCEPTED if confirmed else Status.REJECTED, now=now)
        return booking

    def find(self, uid: str) -> Booking:
        """
        Return a booking.

        Raises:
            Refusal: 404.
        """
        booking = self._bookings.find(uid)
        if booking is None:
            raise errors.booking_not_found(uid)
        return booking

    def _event_type(self, request: BookingRequest) -> EventType:
        if request.event_type_id is not None:
            found = self._event_types.get(request.event_type_id)
            if found is None:
                raise errors.event_type_not_found(request.event_type_id)
            return found
        for event_type in self._event_types.values():
            if event_type.slug == request.slug:
                return event_type
        raise errors.event_type_slug_not_found(slug=request.slug, username=request.owner)

    def _same_booking(self, event_type: EventType, *, request: BookingRequest) -> Booking | None:
        if event_type.confirmation:
            wanted = Status.PENDING
        elif event_type.scheduling is Scheduling.ROUND_ROBIN:
            wanted = Status.ACCEPTED
        else:
            return None
        for booking in self._bookings.at(event_type=event_type.id, start=request.start):
            if booking.status is wanted and booking.attendees[0].email == request.attendee.email:
                return booking
        return None

    def _seated(self, event_type: EventType, *, start: datetime) -> Booking | None:
        return next((held for held in self._bookings.at(event_type=event_type.id, start=start) if held.live), None)

    def _take_seat(self, booking: Booking, *, attendee: Attendee, now: datetime) -> Booking:
        if len(booking.attendees) >= booking.event_type.seats:
            raise errors.seats_taken()
        self._bookings.seat(booking, attendee=_seated_attendee(attendee), now=now)
        return booking

    def _hosts_for(
        self, event_type: EventType, *, start: datetime, end: datetime, given: Circumstances, ignoring: str = ""
    ) -> tuple[int, ...]:
        check_bounds(event_type, start=start, end=end, now=given.now)
        if event_type.always_open:
            return event_type.hosts
        calendar = self._bookings.calendar
        free = [
            host for host in event_type.hosts if calendar.is_free(host=host, start=start, end=end, ignoring=ignoring)
        ]
        round_robin = event_type.scheduling is Scheduling.ROUND_ROBIN
        enough = bool(free) if round_robin else len(free) == len(event_type.hosts)
        if not enough and not given.raced:
            raise errors.host_unavailable() if len(event_type.hosts) == 1 else errors.hosts_unavailable()
        hosts = (free or event_type.hosts)[:1] if round_robin else event_type.hosts
        if self._bookings.has_accepted(host=hosts[0], start=start, end=end, ignoring=ignoring):
            raise errors.booking_conflict()
        return tuple(hosts)

    def _successor(self, old: Booking, *, given: Circumstances) -> Booking:
        return replace(
            old,
            id=self._bookings.next_id(),
            uid=new_uid(),
            created_at=given.now,
            updated_at=given.now,
            listed_at=given.now + given.list_lag,
            made_by=given.by,
            rescheduled_from=old.uid,
            metadata=dict(old.metadata),
        )

    def _new_booking(
        self,
        event_type: EventType,
        *,
        request: BookingRequest,
        start: datetime,
        end: datetime,
        hosts: tuple[int, ...],
        given: Circumstances,
    ) -> Booking:
        return Booking(
            id=self._bookings.next_id(),
            uid=new_uid(),
            event_type=event_type,
            hosts=hosts,
            status=Status.PENDING if event_type.confirmation else Status.ACCEPTED,
            start=start,
            end=end,
            attendees=(_seated_attendee(request.attendee) if event_type.seats else request.attendee,),
            created_at=given.now,
            updated_at=given.now,
            listed_at=given.now + given.list_lag,
            metadata=request.metadata,
            responses=request.responses,
            guests=request.guests,
            location=request.location,
            made_by=given.by,
        )


def _length(event_type: EventType, *, requested: int | None) -> timedelta:
    if requested is None:
        return timedelta(minutes=event_type.length)
    if not event_type.length_options:
        raise errors.single_length()
    if requested not in event_type.length_options:
        raise errors.length_not_offered(event_type.length_options)
    return timedelta(minutes=requested)


def _weekly(start: datetime, occurrences: int) -> list[datetime]:
    return [start + timedelta(weeks=week) for week in range(occurrences)]


def _seated_attendee(attendee: Attendee) -> Attendee:
    return replace(attendee, seat_uid=str(uuid4()))
