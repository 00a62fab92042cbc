"""
An appointment is moved while others cancel, die, take the time, or move it, too.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.booking import BookingStatus
from domain.errors import MadeElsewhere, NotBooked
from domain.policy import Policy
from domain.retry import RetryPolicy
from sagas.steps import TraceMove
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.fakes.calcom import CalcomBooking, LookFate, MoveFate
from tests.fakes.given import BOOKED, BOOKING_ID, PERSON, SLOT, WISH
from tests.fakes.moves import ASKED, LATER, move_unknown
from tests.fakes.moving import HOUR, a_booked_office, a_foreign_booking, live_at, move, row_of
from tests.fakes.office import Office

LATEST = SLOT + timedelta(hours=6)
CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def test_an_answer_that_comes_after_the_cancellation_leaves_nothing_standing() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(answers=8))

    async def main() -> None:
        moving = asyncio.create_task(move(office))
        await asyncio.sleep(1)
        await office.orchestrator.cancel(CANCEL, patience=30)
        await moving

    office.run(main())
    office.let_pass(HOUR)

    assert (BookingStatus.CANCELLED, [], False) == (office.booking().status, live_at(office), row_of(office)[0])
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_process_that_dies_between_announcing_and_recording_is_replaced() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(answers=9))

    async def main() -> None:
        moving = asyncio.create_task(move(office))
        await asyncio.sleep(1)
        await office.orchestrator.drain(within=timedelta(0))
        moving.cancel()

    office.run(main())
    office.let_pass(HOUR)

    assert ("attempted" not in office.topics()[-1], (True, "uid-2", LATER, False)) == (True, row_of(office))
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_time_that_is_taken_here_is_kept_at_cal_com_and_flagged() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(answers=5))
    other = a_foreign_booking(office, SLOT + timedelta(hours=2))

    async def main() -> BookingResult:
        moving = asyncio.create_task(move(office))
        await asyncio.sleep(1)
        # Somebody at Cal.com puts another appointment there, which takes part in no claim.
        office.calcom.bookings[other.uid] = _foreign_at(other, LATER)
        await office.sagas.convergence.converge("acme", other.uid)
        return await moving

    result = office.run(main())

    assert (BookingStatus.NEEDS_REVIEW, (True, "uid-3", LATER, True)) == (result.booking.status, row_of(office))
    assert ([], {}) == (office.calcom.cancelled_by_us, office.log.claims)
    assert ["time_drift"] == [one.kind for one in office.booking().inconsistencies]


def _foreign_at(booking: CalcomBooking, starts_at: datetime) -> CalcomBooking:
    return CalcomBooking(
        uid=booking.uid,
        host="somebody",
        event_type_id=1,
        attempt_id=None,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        created_at=booking.created_at,
    )


def test_what_somebody_else_has_made_is_never_moved_or_cancelled_by_us() -> None:
    office = Office()
    foreign = a_foreign_booking(office, SLOT)
    converged = office.run(office.sagas.convergence.converge("acme", foreign.uid))
    assert converged.booking_id is not None
    moving = RescheduleAppointment(company_id="acme", booking_id=converged.booking_id, starts_at=LATER)
    cancelling = CancelAppointment(company_id="acme", booking_id=converged.booking_id, reason="no need")

    with pytest.raises(MadeElsewhere):
        office.run(office.orchestrator.reschedule(moving))
    with pytest.raises(MadeElsewhere):
        office.run(office.orchestrator.cancel(cancelling))

    assert [(foreign.uid, SLOT)] == live_at(office)


def test_what_is_cancelled_cannot_be_moved() -> None:
    office = a_booked_office()
    office.run(office.orchestrator.cancel(CANCEL))

    with pytest.raises(NotBooked):
        office.run(move(office))


def test_a_booking_that_cannot_be_read_while_it_moves_ends_with_a_person() -> None:
    office = Office(policy=Policy(review_after=3, retry=RetryPolicy(cap=10)))
    office.run(office.orchestrator.book(WISH))
    office.calcom.moves.append(MoveFate(does="lost"))
    office.calcom.traces.extend([LookFate(does="errs")] * 3)
    office.run(move(office, patience=0))
    office.let_pass(600)

    booking = office.booking()
    assert booking.review is not None
    assert (BookingStatus.NEEDS_REVIEW, "cannot_look") == (booking.status, booking.review.reason)
    assert PERSON == booking.facts.person


def test_of_two_processes_that_move_it_at_once_one_asks_cal_com() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(answers=1))
    other = office.another_process().orchestrator
    wanted = RescheduleAppointment(company_id="acme", booking_id=BOOKING_ID, starts_at=LATER)

    async def main() -> tuple[BookingResult, BookingResult]:
        return await asyncio.gather(office.orchestrator.reschedule(wanted), other.reschedule(wanted))

    results = office.run(main())

    assert [LATER, LATER] == [one.booking.starts_at for one in results]
    assert (["move moved"], {}, {}) == (
        [one for one in office.calcom.happened if one.startswith("move")],
        office.log.claims,
        office.agenda.rows,
    )


def test_whoever_reads_the_old_uid_announces_it_first_and_gives_way_if_somebody_was_faster() -> None:
    office = Office()
    booking = office.given(*BOOKED, *ASKED)
    office.clock.advance(60)
    run = office.engine.begin(booking)
    effects = office.engine._effects
    run.decide(move_unknown())
    read = office.calcom.happened

    async def lost() -> bool:
        return False

    rerecord = office.run(effects.perform(run, TraceMove(uid="uid-1", attempt_id="one"), lost))

    assert (None, []) == (rerecord, read)
