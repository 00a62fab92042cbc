"""
A run as one leg of a composite has it.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from domain.booking import Booking, initial_state
from domain.composite import CompositeInitiated, LegEvent
from domain.events import BookingFailed, BookingInitiated
from sagas.appending import Append, CancelAppointment, LegRows, MoveAppointment, NothingDue, Refusal
from sagas.leg_run import LegRun, part_of
from sagas.run import Run
from tests.fakes.given import at, cancelled, compensating
from tests.fakes.legs import BEGUN, COMPOSITE_ID, composite
from tests.fakes.moves import rescheduled
from tests.unit.domain.test_legs import MADE, STANDS


def _run(saved: Booking) -> Run:
    return Run(saved=saved, state=saved, token=UUID(int=5), correlation_id="c-1")


def _append(run: Run) -> Append:
    return run.append(append_id="a", now=at(9), due=NothingDue(), if_refused=NothingDue())


def _rows(run: Run) -> list[LegRows]:
    return [replace(one, on_refused=None) for one in _append(run).legs]


def test_what_is_decided_is_told_as_the_legs() -> None:
    run = _run(composite(*MADE))
    leg = LegRun(run, 2)

    leg.decide(compensating())
    run.rerecord = leg.recorded(lambda booking: (compensating(),) if booking.leg == 2 else ())

    assert [LegEvent(leg=2, event=compensating())] == run.pending
    assert (LegEvent(leg=2, event=compensating()),) == run.rerecord(run.state)
    assert leg.rerecord is run.rerecord
    assert [None, compensating().reason, None] == [one.undoing and one.undoing.reason for one in run.state.legs]


def test_a_row_moves_with_its_leg_alone() -> None:
    run = _run(composite(*STANDS))

    LegRun(run, 3).shift(rescheduled())

    (rows,) = _rows(run)
    assert (3, True) == (rows.leg, isinstance(rows.appointment, MoveAppointment))
    assert [LegEvent(leg=3, event=rescheduled())] == run.pending


def test_a_leg_ends_with_its_row_if_it_has_one() -> None:
    without, stands = _run(composite(*MADE)), _run(composite(*STANDS))

    for run in (without, stands):
        LegRun(run, 1).withdraw(cancelled())

    assert [] == _rows(without)
    assert [CancelAppointment(appointment_id=UUID(int=1))] == [rows.appointment for rows in _rows(stands)]


def test_the_last_rows_of_a_leg_count() -> None:
    run = _run(composite(*STANDS))

    LegRun(run, 3).shift(rescheduled())
    LegRun(run, 3).withdraw(cancelled())

    assert [CancelAppointment(appointment_id=UUID(int=1))] == [rows.appointment for rows in _rows(run)]


def test_the_part_of_a_booking_that_has_no_legs_is_the_run_itself() -> None:
    run = _run(composite(*STANDS))

    assert run is part_of(run, run.state)
    assert isinstance(part_of(run, run.state.legs[1]), LegRun)


def _first_append() -> Append:
    run = _run(initial_state(COMPOSITE_ID))
    run.initiate_legs(BEGUN)
    return _append(run)


def test_a_claim_that_one_leg_is_refused_ends_them_all_with_what_is_in_the_way() -> None:
    first = _first_append()

    refused = Refusal(refused="claim", by="near_duplicate", booking_id=UUID(int=9), appointment_id=None)
    assert first.legs[1].on_refused is not None
    instead = first.legs[1].on_refused(refused)

    ends = [one.event for one in instead.events if isinstance(one, LegEvent) and isinstance(one.event, BookingFailed)]
    assert (BEGUN, 3, NothingDue()) == (instead.events[: len(BEGUN)], len(ends), instead.due)
    assert {("near_duplicate", UUID(int=9))} == {(end.reason, end.conflicting_booking_id) for end in ends}


def test_a_composite_of_somebody_who_has_been_a_customer_is_written_for_them_in_every_part() -> None:
    first = _first_append()

    assert first.for_customer is not None
    theirs = first.for_customer(UUID(int=7))

    named = [event.event if isinstance(event, LegEvent) else event for event in theirs.events]
    assert {UUID(int=7)} == {it.customer_id for it in named if isinstance(it, BookingInitiated | CompositeInitiated)}
    assert {UUID(int=7)} == {rows.claim and rows.claim.customer_id for rows in theirs.legs}
    assert UUID(int=7) == (theirs.customer and theirs.customer.customer_id)
    assert (first.append_id, len(first.events)) == (theirs.append_id, len(theirs.events))
