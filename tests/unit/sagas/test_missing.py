"""
What is booked here and cannot be found at Cal.com at all: a person says what that means.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.booking import BookingStatus
from domain.errors import NothingToDecide
from domain.events import CalcomBookingFound
from domain.findings import InconsistencyResolved, ReviewAnswer
from projections.sync_failures import evolve_recorded
from sagas.appending import Append, AppendResult, Lost
from sagas.converging import doubled
from tests.fakes.calcom import CalcomBooking, LookFate
from tests.fakes.deciding import an_answer, answered
from tests.fakes.desk import Desk, a_booked_desk, told
from tests.fakes.given import BOOKED, BOOKING_ID, SLOT, at, booked, given
from tests.fakes.moves import standing
from tests.fakes.office import Office

LENGTH = timedelta(minutes=30)
HOUR = timedelta(hours=1)
FOUND = CalcomBookingFound(at=at(0), uid="uid-1", calcom_status="accepted", starts_at=SLOT, ends_at=SLOT + LENGTH)


def _missed() -> tuple[Desk, CalcomBooking]:
    desk = a_booked_desk()
    lost = desk.office.calcom.bookings.pop("uid-1")
    assert [("ghost", "look", "uid-1", "flagged")] == told(desk.sweep())
    return desk, lost


def _let_stand() -> tuple[Desk, CalcomBooking]:
    desk, lost = _missed()
    answered(desk.office, "keep_local", attempt_id=None, uid="uid-1")
    return desk, lost


def test_what_cal_com_does_not_know_at_all_is_flagged_once_and_left_to_a_person() -> None:
    desk, _ = _missed()

    assert [("ghost", "look", "uid-1", "flagged")] == told(desk.sweep())
    booking = desk.office.booking()
    assert (BookingStatus.BOOKED, [("ghost", "manual_review")]) == (
        booking.status,
        [(one.kind, one.repair) for one in booking.inconsistencies],
    )


def test_what_was_missed_and_is_there_again_is_no_finding_any_more() -> None:
    desk, lost = _missed()
    desk.office.calcom.bookings["uid-1"] = lost

    assert [] == told(desk.sweep())
    assert (BookingStatus.BOOKED, ()) == (desk.office.booking().status, desk.office.booking().inconsistencies)


@pytest.mark.parametrize(
    ("answer", "status", "booked"),
    [("absent", BookingStatus.CANCELLED, False), ("keep_local", BookingStatus.BOOKED, True)],
)
def test_a_person_says_what_it_means_that_cal_com_does_not_know_it(
    answer: ReviewAnswer, status: BookingStatus, booked: bool
) -> None:
    desk, _ = _missed()
    wish = an_answer(answer, attempt_id=None, uid="uid-1")
    desk.office.run(desk.office.sagas.repairs.answer(wish, patience=5))

    (row,) = desk.office.log.appointments.values()
    booking = desk.office.booking()
    assert (status, (), booked, {}) == (booking.status, booking.inconsistencies, row.booked, desk.office.agenda.rows)
    with pytest.raises(NothingToDecide):
        desk.office.run(desk.office.sagas.repairs.answer(wish, patience=5))


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_a_person_lets_stand_is_not_found_again(*, dry_run: bool) -> None:
    desk, _ = _let_stand()
    version = desk.office.booking().version

    assert [[], []] == [told(desk.sweep(dry_run=dry_run)) for _ in range(2)]
    flagged = desk.office.run(desk.office.sagas.convergence.flag_missing(BOOKING_ID, "uid-1"))
    assert ("equal", version) == (flagged.outcome, desk.office.booking().version)


def test_what_a_person_lets_stand_keeps_who_decided_and_how() -> None:
    desk, _ = _let_stand()
    desk.sweep()

    (row,) = evolve_recorded(None, desk.office.run(desk.office.log.read(BOOKING_ID))).failures
    assert ("resolved", "keep_local", "ada", 1) == (row.status, row.resolution, row.actor, row.attempt_count)


def test_what_was_let_stand_is_missed_anew_once_it_has_been_there_again() -> None:
    desk, lost = _let_stand()
    desk.office.calcom.bookings["uid-1"] = lost
    assert [[], []] == [told(desk.sweep()) for _ in range(2)]
    ends = [one.how for one in desk.office.log.events(BOOKING_ID) if isinstance(one, InconsistencyResolved)]
    assert ["keep_local", "seen"] == ends

    del desk.office.calcom.bookings["uid-1"]

    assert [("ghost", "look", "uid-1", "flagged")] == told(desk.sweep())


@pytest.mark.parametrize(
    ("moved", "found"),
    [(True, ("time_drift", "move", "uid-2", "moved")), (False, ("ghost", "mark_cancelled", "uid-1", "cancelled"))],
)
def test_what_was_let_stand_and_is_changed_at_cal_com_is_followed(
    *, moved: bool, found: tuple[str, str, str, str]
) -> None:
    desk, lost = _let_stand()
    desk.office.calcom.bookings["uid-1"] = lost
    if moved:
        desk.office.calcom.person_moves("uid-1", 3 * HOUR)
    else:
        desk.office.calcom.person_cancels("uid-1")

    assert [found] == told(desk.sweep())


def test_what_was_let_stand_is_missed_anew_under_another_uid() -> None:
    desk, lost = _let_stand()
    desk.office.calcom.bookings["uid-1"] = lost
    desk.office.calcom.person_moves("uid-1", 3 * HOUR)
    desk.sweep()
    desk.office.calcom.bookings.clear()

    assert [("ghost", "look", "uid-2", "flagged")] == told(desk.sweep())


def test_what_is_not_booked_under_that_uid_any_more_is_not_missed() -> None:
    desk = a_booked_desk()

    converged = desk.office.run(desk.office.sagas.convergence.flag_missing(BOOKING_ID, "uid-9"))

    assert (None, "not_there", ()) == (converged.outcome, converged.detail, desk.office.booking().inconsistencies)


def test_whoever_writes_meanwhile_is_read_first() -> None:
    desk = a_booked_desk()

    async def lost(_: Append) -> AppendResult:
        return Lost()

    desk.office.log.append = lost  # type: ignore[method-assign, assignment]
    converged = desk.office.run(desk.office.sagas.convergence.flag_missing(BOOKING_ID, "uid-1"))

    assert (None, "changed_meanwhile") == (converged.outcome, converged.detail)


def test_a_walk_in_that_a_list_behind_showed_once_more_is_here_only_once() -> None:
    desk = Desk(Office())
    office = desk.office
    office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + LENGTH, attempt_id=None)
    office.clock.advance(60)
    office.calcom.person_moves("uid-1", 3 * HOUR)
    office.run(office.sagas.convergence.converge("acme", "uid-2"))
    office.clock.advance(1)
    office.calcom.traces.append(LookFate(lag=30))
    office.run(office.sagas.convergence.converge("acme", "uid-1"))
    assert [True, True] == [row.booked for row in office.log.appointments.values()]

    assert [("ghost", "look", "uid-1", "cancelled")] == told(desk.sweep())
    assert [("uid-2", True), ("uid-1", False)] == [
        (row.inserted.calcom_booking_uid, row.booked) for row in office.log.appointments.values()
    ]
    assert ([], []) == (told(desk.sweep()), office.calcom.cancelled_by_us)


def test_only_a_walk_in_that_is_booked_under_a_former_uid_is_here_twice() -> None:
    first, second = given(FOUND, booked()), given()

    assert None is doubled(first, standing("uid-2", origins=("uid-0",)), now=at(1))
    assert None is doubled(second, standing("uid-2", origins=("uid-1",)), now=at(1))
    assert None is doubled(given(*BOOKED), standing("uid-2", origins=("uid-1",)), now=at(1))
    assert None is not doubled(first, standing("uid-2", origins=("uid-1",)), now=at(1))
