"""
A run as one leg of a composite has it: the leg's state, and decisions that are told on the composite's stream.
"""

from collections.abc import Sequence
from typing import TypeAlias

from domain.booking import Booking
from domain.composite import SagaEvent
from domain.events import AppointmentBooked, BookingEvent
from domain.legs import of_leg
from domain.moving import BookingRescheduled
from sagas.appending import CancelAppointment, LegRows
from sagas.rows import appointment_of, move_of
from sagas.run import Outcome, Rerecord, Run


class LegRun:
    """Has the methods of a `Run` by which a step is taken."""

    def __init__(self, run: Run, leg: int) -> None:
        self._run = run
        self._leg = leg

    @property
    def state(self) -> Booking:
        """Return the leg as it will be once the pending events are written."""
        return self._run.state.legs[self._leg - 1]

    @property
    def rerecord(self) -> Rerecord | None:
        """Return how the last outcome of the composite is recorded."""
        return self._run.rerecord

    def takes_turn(self) -> bool:
        """Use up the composite's turn, and tell whether there was one: the next leg waits for one of its own."""
        return self._run.takes_turn()

    def recorded(self, outcome: Outcome) -> Rerecord:
        """Return how an outcome of the leg's is recorded for the composite."""

        def of_composite(composite: Booking) -> Sequence[SagaEvent]:
            return of_leg(self._leg, outcome(composite.legs[self._leg - 1]))

        return of_composite

    def decide(self, *events: BookingEvent) -> None:
        """Add events that follow from what is known of the leg."""
        self._run.decide(*of_leg(self._leg, events))

    def persist(self, booked: AppointmentBooked) -> None:
        """Add the leg's share of the pivot."""
        self._run.beside(LegRows(leg=self._leg, appointment=appointment_of(self.state, booked)))
        self.decide(booked)

    def shift(self, rescheduled: BookingRescheduled, *flags: BookingEvent) -> None:
        """Add the end of a move that people have made at Cal.com."""
        self._run.beside(LegRows(leg=self._leg, appointment=move_of(self.state, rescheduled)))
        self.decide(rescheduled, *flags)

    def withdraw(self, *events: BookingEvent) -> None:
        """Add the end of the leg, and free its appointment's slot with it."""
        if self.state.appointment_id is not None:
            row = CancelAppointment(appointment_id=self.state.appointment_id)
            self._run.beside(LegRows(leg=self._leg, appointment=row))
        self.decide(*events)


Part: TypeAlias = Run | LegRun


def part_of(run: Run, booking: Booking) -> Part:
    """Return the run of a booking, or that of the leg that `booking` is."""
    return LegRun(run, booking.leg) if booking.leg else run
