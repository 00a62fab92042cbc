"""
An appointment is moved: at Cal.com first, then here, whatever goes wrong in between.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.booking import BookingStatus
from domain.errors import KeyReused
from domain.moving import BookingRescheduled
from sagas.wishes import CancelAppointment
from tests.fakes.calcom import CreateFate, MoveFate
from tests.fakes.given import BOOKING_ID, SLOT, WISH, wish
from tests.fakes.moves import LATER
from tests.fakes.moving import HOUR, a_booked_office, live_at, move, row_of
from tests.fakes.office import Office

LATEST = SLOT + timedelta(hours=6)
CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def test_a_move_changes_both_sides_and_leaves_no_claim() -> None:
    office = a_booked_office()

    result = office.run(move(office))

    assert (BookingStatus.BOOKED, LATER, None) == (
        result.booking.status,
        result.booking.starts_at,
        result.booking.move_failure,
    )
    assert (True, "uid-2", LATER, False) == row_of(office)
    assert [("uid-2", LATER)] == live_at(office)
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_repeated_command_moves_once() -> None:
    office = a_booked_office()

    async def main() -> list[bool]:
        return [(await move(office, key="k")).replayed for _ in range(2)]

    assert [False, True] == office.run(main())
    assert ["move moved"] == [one for one in office.calcom.happened if one.startswith("move")]


def test_the_same_command_with_another_start_is_refused() -> None:
    office = a_booked_office()
    office.run(move(office, key="k"))

    with pytest.raises(KeyReused):
        office.run(move(office, LATEST, key="k"))


def test_a_refused_move_leaves_everything_where_it_was() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="refused"))

    result = office.run(move(office))

    assert result.booking.move_failure is not None
    assert (BookingStatus.BOOKED, SLOT, "out_of_bounds") == (
        result.booking.status,
        result.booking.starts_at,
        result.booking.move_failure.reason,
    )
    assert ((True, "uid-1", SLOT, False), {}, {}) == (row_of(office), office.log.claims, office.agenda.rows)


def test_each_command_hears_what_became_of_itself() -> None:
    office = a_booked_office()
    office.calcom.moves.extend([MoveFate(), MoveFate(does="refused")])

    async def main() -> list[str | None]:
        results = [
            await move(office, to, key=key)
            for key, to in (("first", LATER), ("second", LATEST), ("first", LATER), ("second", LATEST))
        ]
        return [None if one.not_moved is None else one.not_moved.reason for one in results]

    assert [None, "out_of_bounds", None, "out_of_bounds"] == office.run(main())
    assert None is office.run(move(office)).not_moved


def test_a_time_that_is_claimed_asks_nothing_of_cal_com_and_keeps_what_is_due() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="lost"))
    office.run(office.orchestrator.book(WISH, patience=0))
    office.let_pass(300)
    due_before = office.agenda.rows[BOOKING_ID]
    there = office.run(office.orchestrator.book(wish(starts_at=LATER))).booking

    result = office.run(move(office))

    assert result.booking.move_failure is not None
    assert ("near_duplicate", there.booking_id) == (
        result.booking.move_failure.reason,
        result.booking.move_failure.conflicting_booking_id,
    )
    assert "move moved" not in office.calcom.happened
    assert due_before.due_at == pytest.approx(office.agenda.rows[BOOKING_ID].due_at, abs=1)
    assert {} == office.log.claims


@pytest.mark.parametrize("fate", [MoveFate(does="committed"), MoveFate(does="late", late_by=5)])
def test_a_move_whose_answer_is_lost_is_found(fate: MoveFate) -> None:
    office = a_booked_office()
    office.calcom.moves.append(fate)

    async def main() -> None:
        await move(office, patience=0)
        await asyncio.sleep(20)

    office.run(main())
    office.let_pass(HOUR)

    assert (BookingStatus.BOOKED, (True, "uid-2", LATER, False)) == (office.booking().status, row_of(office))
    assert ([("uid-2", LATER)], {}, {}) == (live_at(office), office.log.claims, office.agenda.rows)


def test_a_move_that_never_arrived_is_asked_for_again() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="lost"))
    office.run(move(office, patience=0))
    office.let_pass(HOUR)

    assert (True, "uid-2", LATER, False) == row_of(office)
    assert ["move lost", "move moved"] == [one for one in office.calcom.happened if one.startswith("move")]


def test_a_move_that_nobody_takes_comes_to_nothing() -> None:
    office = a_booked_office()
    office.calcom.moves.extend([MoveFate(does="lost")] * 3)
    office.run(move(office, patience=0))
    office.let_pass(HOUR)

    booking = office.booking()
    assert booking.move_failure is not None
    assert (BookingStatus.BOOKED, "calcom_unavailable") == (booking.status, booking.move_failure.reason)
    assert ((True, "uid-1", SLOT, False), {}, {}) == (row_of(office), office.log.claims, office.agenda.rows)


def test_a_move_that_comes_after_it_was_given_up_is_followed() -> None:
    office = a_booked_office()
    office.calcom.moves.extend([MoveFate(does="lost")] * 3)
    office.run(move(office, patience=0))
    office.let_pass(HOUR)
    office.calcom.move("uid-1", LATER)

    converged = office.run(office.sagas.convergence.converge("acme", "uid-2"))

    assert ("moved", (True, "uid-2", LATER, False)) == (converged.outcome, row_of(office))


def test_an_earlier_move_that_arrives_under_a_later_one_is_followed_and_the_later_one_failed() -> None:
    office = a_booked_office()
    office.calcom.moves.extend([MoveFate(does="lost")] * 3)
    office.run(move(office, patience=0))
    office.let_pass(HOUR)
    office.calcom.move("uid-1", LATER)
    office.run(move(office, LATEST, patience=0))
    office.let_pass(HOUR)

    booking = office.booking()
    assert booking.move_failure is not None
    assert (BookingStatus.BOOKED, "moved_at_calcom") == (booking.status, booking.move_failure.reason)
    assert ((True, "uid-2", LATER, False), [("uid-2", LATER)]) == (row_of(office), live_at(office))
    assert ({}, {}) == (office.log.claims, office.agenda.rows)


def test_a_person_who_moves_it_in_the_midst_of_our_move_is_followed() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="lost"))
    office.run(move(office, patience=0))
    office.calcom.person_moves("uid-1", timedelta(hours=1))
    office.let_pass(HOUR)

    assert (True, "uid-2", SLOT + timedelta(hours=1), False) == row_of(office)
    last = [one for one in office.log.events(BOOKING_ID) if isinstance(one, BookingRescheduled)][-1]
    assert ("calcom", {}) == (last.by, office.log.claims)


def test_a_person_who_cancels_it_in_the_midst_of_our_move_has_it_cancelled_here() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="lost"))
    office.run(move(office, patience=0))
    office.calcom.person_cancels("uid-1")
    office.let_pass(HOUR)

    assert (BookingStatus.CANCELLED, False) == (office.booking().status, row_of(office)[0])
    assert ({}, {}, []) == (office.log.claims, office.agenda.rows, office.calcom.cancelled_by_us)


def test_a_cancellation_under_a_move_cancels_what_it_became() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="committed"))

    async def main() -> None:
        await move(office, patience=0)
        await asyncio.sleep(1)
        await office.orchestrator.cancel(CANCEL)

    office.run(main())
    office.let_pass(HOUR)

    assert (BookingStatus.CANCELLED, [], False) == (office.booking().status, live_at(office), row_of(office)[0])
    assert ({}, {}) == (office.log.claims, office.agenda.rows)
