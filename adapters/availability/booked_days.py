"""Which days a booking has ever touched, and which of its events change what can be booked then."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

from adapters.availability.span import days_of
from domain import events as e
from domain import moving as m
from domain.composite import LegEvent, SagaEvent
from domain.period import Period

MARGIN = timedelta(hours=3)
"""How far around a booking other slots may come and go with it: long ones, and Cal.com's buffers."""


@dataclass(slots=True)
class BookedDays:
    """The days of one booking, in UTC, and whose they are; grows with its events."""

    company_id: str = ""
    tags: tuple[str, ...] = ()
    days: set[date] = field(default_factory=set)

    def learn(self, event: SagaEvent) -> None:
        """Take in what an event says of them."""
        match event:
            case LegEvent():
                # All days of a composite are taken for days of all its legs, which are seldom more than one.
                self.learn(event.event)
            case e.BookingInitiated(service=service):
                self.company_id = service.company_id
                known = tags_of(service.calcom_event_type_id, {event.staff_id, service.staff_id})
                self.tags = tuple(dict.fromkeys((*self.tags, *known)))
                self._touch(event)
            case (
                e.CalcomBookingCreated()
                | e.CalcomBookingFound()
                | e.AppointmentBooked()
                | m.BookingRescheduled()
                | m.RescheduleRequested()
                | m.CalcomBookingMoved()
            ):
                self._touch(event)
            case _:
                pass

    def _touch(
        self,
        event: e.BookingInitiated
        | e.CalcomBookingCreated
        | e.CalcomBookingFound
        | e.AppointmentBooked
        | m.BookingRescheduled
        | m.RescheduleRequested
        | m.CalcomBookingMoved,
    ) -> None:
        self.days.update(days_of(Period(starts_at=event.starts_at - MARGIN, ends_at=event.ends_at + MARGIN)))


def tags_of(event_type_id: int, staff_ids: Collection[str | None]) -> tuple[str, ...]:
    """Return what the days of an event type are known by: itself, and the staff, who may have several."""
    return (f"event-type:{event_type_id}", *(f"staff:{it}" for it in sorted(filter(None, staff_ids))))


def changes_availability(event: SagaEvent) -> bool:
    """Tell whether other slots can, or turn out to be, free or taken from here on."""
    match event:
        case LegEvent():
            return changes_availability(event.event)
        case e.CalcomBookingRefused() | m.CalcomRescheduleRefused():
            # What was cached has offered it, perhaps, and would go on doing so.
            return event.reason == "slot_taken"
        case (
            e.CalcomBookingCreated()
            | e.CalcomBookingFollowed()
            | e.CalcomBookingFound()
            | e.CalcomBookingCancelled()
            | e.AppointmentBooked()
            | m.BookingRescheduled()
            | e.BookingCancelled()
            | m.CalcomBookingMoved()
        ):
            return True
        case _:
            return False
