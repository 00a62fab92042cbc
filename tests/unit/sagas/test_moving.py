"""
An appointment is moved: at Cal.com first, then here, whatever goes wrong in between.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import KeyReused, MadeElsewhere, NotBooked
from domain.events import BookingRescheduled
from domain.policy import Policy
from domain.retry import RetryPolicy
from sagas.orchestrator import BookingResult, CancelAppointment, RescheduleAppointment
from sagas.steps import TraceMove
from tests.fakes.calcom import CalcomBooking, CreateFate, LookFate, MoveFate
from tests.fakes.given import BOOKED, BOOKING_ID, PERSON, SLOT, WISH, wish
from tests.fakes.moves import ASKED, LATER, move_unknown
from tests.fakes.office import Office

LATEST = SLOT + timedelta(hours=6)
HOUR = 3600
CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def _booked() -> Office:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    return office


async def _move(office: Office, to: datetime = LATER, *, key: str | None = None, patience: float = 10) -> BookingResult:
    wanted = RescheduleAppointment(company_id="acme", booking_id=BOOKING_ID, starts_at=to, idempotency_key=key)
    return await office.orchestrator.reschedule(wanted, patience=patience)


def _pass(office: Office, seconds: float = HOUR) -> None:
    """
    Let the worker do what is due, for so long.
    """

    async def work() -> None:
        working = asyncio.create_task(office.worker.run())
        await asyncio.sleep(seconds)
        await office.worker.stop(within=timedelta(seconds=60))
        await working

    office.worker = office.another_process().worker
    office.run(work())


def _row(office: Office, booking_id: UUID = BOOKING_ID) -> tuple[bool, str, datetime, bool]:
    (row,) = (one for one in office.log.appointments.values() if one.inserted.booking_id == booking_id)
    return row.booked, row.inserted.calcom_booking_uid, row.inserted.starts_at, row.inserted.overlap_allowed


def _live(office: Office) -> list[tuple[str, datetime]]:
    return [(one.uid, one.starts_at) for one in office.calcom.live()]


def _foreign(office: Office, starts_at: datetime) -> CalcomBooking:
    return office.calcom.commit(
        event_type_id=1, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30), attempt_id=None
    )


def test_a_move_changes_both_sides_and_leaves_no_claim() -> None:
    office = _booked()

    result = office.run(_move(office))

    assert (BookingStatus.BOOKED, LATER, None) == (
        result.booking.status,
        result.booking.starts_at,
        result.booking.move_failure,
    )
    assert (True, "uid-2", LATER, False) == _row(office)
    assert [("uid-2", LATER)] == _live(office)
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_repeated_command_moves_once() -> None:
    office = _booked()

    async def main() -> list[bool]:
        return [(await _move(office, key="k")).replayed for _ in range(2)]

    assert [False, True] == office.run(main())
    assert ["move moved"] == [one for one in office.calcom.happened if one.startswith("move")]


def test_the_same_command_with_another_start_is_refused() -> None:
    office = _booked()
    office.run(_move(office, key="k"))

    with pytest.raises(KeyReused):
        office.run(_move(office, LATEST, key="k"))


def test_a_refused_move_leaves_everything_where_it_was() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(does="refused"))

    result = office.run(_move(office))

    assert result.booking.move_failure is not None
    assert (BookingStatus.BOOKED, SLOT, "out_of_bounds") == (
        result.booking.status,
        result.booking.starts_at,
        result.booking.move_failure.reason,
    )
    assert ((True, "uid-1", SLOT, False), {}, {}) == (_row(office), office.log.claims, office.agenda.rows)


def test_a_time_that_is_claimed_asks_nothing_of_cal_com_and_keeps_what_is_due() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="lost"))
    office.run(office.orchestrator.book(WISH, patience=0))
    _pass(office, 300)
    due_before = office.agenda.rows[BOOKING_ID]
    office.run(office.orchestrator.book(wish(starts_at=LATER)))

    result = office.run(_move(office))

    assert result.booking.move_failure is not None
    assert "near_duplicate" == result.booking.move_failure.reason
    assert "move moved" not in office.calcom.happened
    assert due_before.due_at == pytest.approx(office.agenda.rows[BOOKING_ID].due_at, abs=1)
    assert {} == office.log.claims


@pytest.mark.parametrize("fate", [MoveFate(does="committed"), MoveFate(does="late", late_by=5)])
def test_a_move_whose_answer_is_lost_is_found(fate: MoveFate) -> None:
    office = _booked()
    office.calcom.moves.append(fate)

    async def main() -> None:
        await _move(office, patience=0)
        await asyncio.sleep(20)

    office.run(main())
    _pass(office)

    assert (BookingStatus.BOOKED, (True, "uid-2", LATER, False)) == (office.booking().status, _row(office))
    assert ([("uid-2", LATER)], {}, {}) == (_live(office), office.log.claims, office.agenda.rows)


def test_a_move_that_never_arrived_is_asked_for_again() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(does="lost"))
    office.run(_move(office, patience=0))
    _pass(office)

    assert (True, "uid-2", LATER, False) == _row(office)
    assert ["move lost", "move moved"] == [one for one in office.calcom.happened if one.startswith("move")]


def test_a_move_that_nobody_takes_comes_to_nothing() -> None:
    office = _booked()
    office.calcom.moves.extend([MoveFate(does="lost")] * 3)
    office.run(_move(office, patience=0))
    _pass(office)

    booking = office.booking()
    assert booking.move_failure is not None
    assert (BookingStatus.BOOKED, "calcom_unavailable") == (booking.status, booking.move_failure.reason)
    assert ((True, "uid-1", SLOT, False), {}, {}) == (_row(office), office.log.claims, office.agenda.rows)


def test_a_move_that_comes_after_it_was_given_up_is_followed() -> None:
    office = _booked()
    office.calcom.moves.extend([MoveFate(does="lost")] * 3)
    office.run(_move(office, patience=0))
    _pass(office)
    office.calcom.move("uid-1", LATER)

    converged = office.run(office.sagas.convergence.converge("acme", "uid-2"))

    assert ("moved", (True, "uid-2", LATER, False)) == (converged.outcome, _row(office))


def test_an_earlier_move_that_arrives_under_a_later_one_is_followed_and_the_later_one_failed() -> None:
    office = _booked()
    office.calcom.moves.extend([MoveFate(does="lost")] * 3)
    office.run(_move(office, patience=0))
    _pass(office)
    office.calcom.move("uid-1", LATER)
    office.run(_move(office, LATEST, patience=0))
    _pass(office)

    booking = office.booking()
    assert booking.move_failure is not None
    assert (BookingStatus.BOOKED, "moved_at_calcom") == (booking.status, booking.move_failure.reason)
    assert ((True, "uid-2", LATER, False), [("uid-2", LATER)]) == (_row(office), _live(office))
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_person_who_moves_it_in_the_midst_of_our_move_is_followed() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(does="lost"))
    office.run(_move(office, patience=0))
    office.calcom.person_moves("uid-1", timedelta(hours=1))
    _pass(office)

    assert (True, "uid-2", SLOT + timedelta(hours=1), False) == _row(office)
    last = [one for one in office.log.events(BOOKING_ID) if isinstance(one, BookingRescheduled)][-1]
    assert ("calcom", {}) == (last.by, office.log.claims)


def test_a_person_who_cancels_it_in_the_midst_of_our_move_has_it_cancelled_here() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(does="lost"))
    office.run(_move(office, patience=0))
    office.calcom.person_cancels("uid-1")
    _pass(office)

    assert (BookingStatus.CANCELLED, False) == (office.booking().status, _row(office)[0])
    assert ({}, {}, []) == (office.log.claims, office.agenda.rows, office.calcom.cancelled_by_us)


def test_a_cancellation_under_a_move_cancels_what_it_became() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(does="committed"))

    async def main() -> None:
        await _move(office, patience=0)
        await asyncio.sleep(1)
        await office.orchestrator.cancel(CANCEL)

    office.run(main())
    _pass(office)

    assert (BookingStatus.CANCELLED, [], False) == (office.booking().status, _live(office), _row(office)[0])
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_an_answer_that_comes_after_the_cancellation_leaves_nothing_standing() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(answers=8))

    async def main() -> None:
        moving = asyncio.create_task(_move(office))
        await asyncio.sleep(1)
        await office.orchestrator.cancel(CANCEL, patience=30)
        await moving

    office.run(main())
    _pass(office)

    assert (BookingStatus.CANCELLED, [], False) == (office.booking().status, _live(office), _row(office)[0])
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_process_that_dies_between_announcing_and_recording_is_replaced() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(answers=9))

    async def main() -> None:
        moving = asyncio.create_task(_move(office))
        await asyncio.sleep(1)
        await office.orchestrator.drain(within=timedelta(0))
        moving.cancel()

    office.run(main())
    _pass(office)

    assert ("attempted" not in office.topics()[-1], (True, "uid-2", LATER, False)) == (True, _row(office))
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_time_that_is_taken_here_is_kept_at_cal_com_and_flagged() -> None:
    office = _booked()
    office.calcom.moves.append(MoveFate(answers=5))
    other = _foreign(office, SLOT + timedelta(hours=2))

    async def main() -> BookingResult:
        moving = asyncio.create_task(_move(office))
        await asyncio.sleep(1)
        # Somebody at Cal.com puts another appointment there, which takes part in no claim.
        office.calcom.bookings[other.uid] = _foreign_at(other, LATER)
        await office.sagas.convergence.converge("acme", other.uid)
        return await moving

    result = office.run(main())

    assert (BookingStatus.NEEDS_REVIEW, (True, "uid-3", LATER, True)) == (result.booking.status, _row(office))
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
    foreign = _foreign(office, SLOT)
    converged = office.run(office.sagas.convergence.converge("acme", foreign.uid))
    assert converged.booking_id is not None
    moving = RescheduleAppointment(company_id="acme", booking_id=converged.booking_id, starts_at=LATER)
    cancelling = CancelAppointment(company_id="acme", booking_id=converged.booking_id, reason="no need")

    with pytest.raises(MadeElsewhere):
        office.run(office.orchestrator.reschedule(moving))
    with pytest.raises(MadeElsewhere):
        office.run(office.orchestrator.cancel(cancelling))

    assert [(foreign.uid, SLOT)] == _live(office)


def test_what_is_cancelled_cannot_be_moved() -> None:
    office = _booked()
    office.run(office.orchestrator.cancel(CANCEL))

    with pytest.raises(NotBooked):
        office.run(_move(office))


def test_a_booking_that_cannot_be_read_while_it_moves_ends_with_a_person() -> None:
    office = Office(policy=Policy(review_after=3, retry=RetryPolicy(cap=10)))
    office.run(office.orchestrator.book(WISH))
    office.calcom.moves.append(MoveFate(does="lost"))
    office.calcom.traces.extend([LookFate(does="errs")] * 3)
    office.run(_move(office, patience=0))
    _pass(office, 600)

    booking = office.booking()
    assert booking.review is not None
    assert (BookingStatus.NEEDS_REVIEW, "cannot_look") == (booking.status, booking.review.reason)
    assert PERSON == booking.facts.person


def test_of_two_processes_that_move_it_at_once_one_asks_cal_com() -> None:
    office = _booked()
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
