"""
The reconciler finds what no webhook has told, both ways, and mends what is safe to mend.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.booking import BookingStatus
from domain.moving import BookingRescheduled
from sagas.reconciling import OVERLAP, STILL_RUNNING, Progress
from sagas.walk_in import walk_in_id
from sagas.wishes import CancelAppointment
from tests.fakes.calcom import CalcomBooking, CancelFate, CreateFate, LookFate
from tests.fakes.desk import Desk, a_booked_desk, told
from tests.fakes.given import BOOKING_ID, SLOT, WISH, cancellation, review
from tests.fakes.moves import LATER
from tests.fakes.office import Office

HOUR = timedelta(hours=1)
LENGTH = timedelta(minutes=30)


def _stands(
    office: Office, attempt_id: str | None = None, *, starts_at: datetime = SLOT, booking_id: bool = False
) -> CalcomBooking:
    return office.calcom.commit(
        event_type_id=1,
        starts_at=starts_at,
        ends_at=starts_at + LENGTH,
        attempt_id=attempt_id,
        booking_id=BOOKING_ID if booking_id or attempt_id else None,
    )


def test_two_sides_that_agree_are_left_alone() -> None:
    desk = a_booked_desk()
    version = desk.office.booking().version

    assert ([], 1) == (told(desk.sweep()), desk.sweep().seen)
    assert (version, {}) == (desk.office.booking().version, desk.office.agenda.rows)


def test_what_was_cancelled_there_is_a_ghost_here() -> None:
    desk = a_booked_desk()
    desk.office.calcom.person_cancels("uid-1")

    assert [("ghost", "mark_cancelled", "uid-1", "cancelled")] == told(desk.sweep())
    booking = desk.office.booking()
    assert (BookingStatus.CANCELLED, ()) == (booking.status, booking.inconsistencies)
    assert [] == told(desk.sweep())


def test_what_was_moved_there_is_moved_here() -> None:
    desk = a_booked_desk()
    desk.office.calcom.person_moves("uid-1", HOUR)

    assert [("time_drift", "move", "uid-2", "moved")] == told(desk.sweep())
    booking = desk.office.booking()
    assert (SLOT + HOUR, "uid-2", ()) == (booking.starts_at, booking.kept_uid, booking.inconsistencies)


def test_a_booking_that_left_the_list_is_looked_at_by_itself() -> None:
    desk = a_booked_desk()
    old = desk.office.calcom.bookings["uid-1"]
    desk.office.calcom.bookings["uid-1"] = replace(old, event_type_id=2)

    assert [("ghost", "look", "uid-1", None)] == told(desk.sweep(dry_run=True))
    assert [] == told(desk.sweep())
    assert BookingStatus.BOOKED is desk.office.booking().status


def test_an_orphan_of_a_failed_booking_is_cancelled_and_its_finding_resolved() -> None:
    desk = _failed_for_good()

    assert [("orphan", "cancel", "uid-1", "cancelling")] == told(desk.sweep())
    assert [("orphan", "uid-1")] == [(one.kind, one.uid) for one in desk.office.booking().inconsistencies]
    desk.office.let_pass(600)
    booking = desk.office.booking()
    assert (BookingStatus.FAILED, (), ["uid-1"]) == (
        booking.status,
        booking.inconsistencies,
        desk.office.calcom.cancelled_by_us,
    )
    assert {} == desk.office.agenda.rows


def _failed_for_good() -> Desk:
    desk = Desk(Office())
    desk.office.calcom.creates.extend([CreateFate(does="lost")] * 3)
    desk.office.run(desk.office.orchestrator.book(WISH, patience=0))
    desk.office.let_pass(7200)
    assert BookingStatus.FAILED is desk.office.booking().status
    _stands(desk.office, desk.office.booking().ledger.lines[0].attempt_id)
    return desk


def test_an_orphan_that_is_known_is_not_found_twice() -> None:
    desk = _failed_for_good()
    desk.office.calcom.cancels.extend([CancelFate(does="fails")] * 3)
    desk.sweep()

    assert [] == told(desk.sweep())
    assert 1 == len(desk.office.booking().inconsistencies)


def test_a_double_of_a_booked_booking_is_cancelled_and_the_appointment_stays() -> None:
    desk = a_booked_desk()
    _stands(desk.office, desk.office.booking().ledger.lines[0].attempt_id, starts_at=LATER)

    assert [("duplicate", "cancel", "uid-2", "cancelling")] == told(desk.sweep())
    desk.office.let_pass(600)
    assert (["uid-2"], BookingStatus.BOOKED, ()) == (
        desk.office.calcom.cancelled_by_us,
        desk.office.booking().status,
        desk.office.booking().inconsistencies,
    )


def test_what_was_to_be_cancelled_and_is_cancelled_there_is_done() -> None:
    desk = _failed_for_good()
    desk.office.calcom.cancels.extend([CancelFate(does="fails")] * 9)
    desk.sweep()
    desk.office.let_pass(3)
    desk.office.calcom.person_cancels("uid-1")

    assert [("status_drift", "none", "uid-1", "cancelled")] == told(desk.sweep())
    assert ((), {}) == (desk.office.booking().inconsistencies, desk.office.agenda.rows)


def test_a_booking_in_doubt_is_woken() -> None:
    desk = Desk(Office())
    desk.office.calcom.creates.append(CreateFate(does="committed"))
    desk.office.run(desk.office.orchestrator.book(WISH, patience=0))

    assert [("orphan", "look", "uid-1", "woken")] == told(desk.sweep())


def test_a_booking_that_is_under_way_is_no_finding() -> None:
    desk = a_booked_desk()
    desk.office.log.write(BOOKING_ID, cancellation())

    assert [] == told(desk.sweep())


def test_a_booking_that_waits_for_a_person_is_no_finding() -> None:
    desk = a_booked_desk()
    desk.office.log.write(BOOKING_ID, review(attempt=desk.office.booking().ledger.lines[0].attempt_id))
    desk.office.calcom.person_cancels("uid-1")

    assert [] == told(desk.sweep())


def test_what_somebody_else_has_made_is_taken_in_and_followed() -> None:
    desk = Desk(Office())
    _stands(desk.office)

    assert [("foreign_booking", "adopt", "uid-1", "imported")] == told(desk.sweep())
    booking = desk.office.booking(walk_in_id("acme", "uid-1"))
    assert (BookingStatus.BOOKED, "calcom", "Booked at Cal.com") == (
        booking.status,
        booking.facts.source,
        booking.facts.person.name,
    )
    desk.office.calcom.person_moves("uid-1", HOUR)
    assert [("time_drift", "move", "uid-2", "moved")] == told(desk.sweep())
    desk.office.calcom.person_cancels("uid-2")
    assert [("ghost", "mark_cancelled", "uid-2", "cancelled")] == told(desk.sweep())
    assert [] == desk.office.calcom.cancelled_by_us


def test_what_claims_to_be_ours_and_is_not_is_flagged_and_never_touched() -> None:
    desk = a_booked_desk()
    _stands(desk.office, "f" * 32, starts_at=LATER)

    assert [("foreign_booking", "manual_review", "uid-2", "flagged")] == told(desk.sweep())
    desk.office.let_pass(600)
    foreign = desk.office.booking(walk_in_id("acme", "uid-2"))
    assert [("foreign_booking", "manual_review")] == [(one.kind, one.repair) for one in foreign.inconsistencies]
    assert ([], []) == (desk.office.calcom.cancelled_by_us, told(desk.sweep()))


def test_what_claims_to_be_ours_stays_flagged_when_it_moves() -> None:
    desk = Desk(Office())
    _stands(desk.office, "f" * 32)
    desk.sweep()
    desk.office.calcom.person_moves("uid-1", HOUR)
    desk.sweep()

    foreign = desk.office.booking(walk_in_id("acme", "uid-1"))
    assert ["foreign_booking"] == [one.kind for one in foreign.inconsistencies]


def test_a_walk_in_at_a_time_that_is_taken_is_stored_flagged_and_settled_once_it_moves_away() -> None:
    desk = a_booked_desk()
    _stands(desk.office)

    assert [("foreign_booking", "adopt", "uid-2", "flagged")] == told(desk.sweep())
    booking_id = walk_in_id("acme", "uid-2")
    assert ["foreign_booking"] == [one.kind for one in desk.office.booking(booking_id).inconsistencies]
    desk.office.calcom.person_moves("uid-2", 5 * HOUR)
    desk.sweep()
    assert () == desk.office.booking(booking_id).inconsistencies


def test_a_person_who_moves_ours_into_a_time_that_is_taken_is_followed_and_flagged() -> None:
    desk = a_booked_desk()
    _stands(desk.office, starts_at=LATER)
    desk.sweep()
    desk.office.calcom.person_moves("uid-1", LATER - SLOT)
    swept = desk.sweep()

    moved = [one for one in desk.office.log.events(BOOKING_ID) if isinstance(one, BookingRescheduled)]
    assert ([("time_drift", "move", "uid-3", "moved")], [True]) == (told(swept), [one.overlaps for one in moved])
    assert BookingStatus.BOOKED is desk.office.booking().status


def test_an_overlap_that_a_person_made_is_found_until_it_is_gone() -> None:
    desk = a_booked_desk()
    _stands(desk.office, starts_at=LATER)
    desk.sweep()
    desk.office.calcom.person_moves("uid-1", LATER - SLOT)
    desk.office.run(desk.office.sagas.convergence.converge("acme", "uid-3"))
    assert [("time_drift", "uid-3")] == [(one.kind, one.uid) for one in desk.office.booking().inconsistencies]
    desk.office.calcom.person_moves("uid-3", HOUR)
    desk.office.run(desk.office.sagas.convergence.converge("acme", "uid-4"))

    assert () == desk.office.booking().inconsistencies


def test_a_dry_run_shows_the_plan_and_changes_nothing() -> None:
    desk = a_booked_desk()
    desk.office.calcom.person_cancels("uid-1")
    commits = desk.office.log.commits

    assert [("ghost", "mark_cancelled", "uid-1", None)] == told(desk.sweep(dry_run=True))
    assert (commits, {}) == (desk.office.log.commits, desk.books.watermarks)


def test_a_list_that_cannot_be_read_is_a_problem_and_no_watermark() -> None:
    desk = a_booked_desk()
    desk.office.calcom.looks.append(LookFate(does="errs"))

    swept = desk.sweep()

    assert ("http_502", 0, (), {}) == (swept.problem, swept.seen, swept.findings, desk.books.watermarks)


@pytest.mark.parametrize("since", [None, timedelta(days=3)])
def test_a_sweep_goes_back_behind_the_last_one_or_as_far_as_asked(since: timedelta | None) -> None:
    desk = a_booked_desk()
    asked: list[datetime] = []
    sightings = desk.office.calendar.sightings

    async def noting(event_type_id: int, *, changed_since: datetime, **more: Any) -> object:  # noqa: ANN401 - as it comes
        asked.append(changed_since)
        return await sightings(event_type_id, changed_since=changed_since, **more)

    desk.office.calendar.sightings = noting  # type: ignore[method-assign, assignment]
    first = desk.office.clock.now()
    desk.sweep(since=since)
    desk.office.clock.advance(7200)
    desk.sweep(since=since)

    now = desk.office.clock.now()
    assert [first - (since or STILL_RUNNING), now - since if since else first - OVERLAP] == asked
    assert (since is None) == bool(desk.books.watermarks)


def test_what_is_booked_while_the_list_is_being_read_is_no_ghost() -> None:
    desk = a_booked_desk()
    sightings = desk.office.calendar.sightings
    another = replace(WISH, starts_at=LATER, customer=replace(WISH.customer, phone="+491709999999"))

    async def busy(*asked: Any, **more: Any) -> object:  # noqa: ANN401 - as it comes
        sighted = await sightings(*asked, **more)
        await desk.office.orchestrator.book(another)
        return sighted

    desk.office.calendar.sightings = busy  # type: ignore[method-assign, assignment]

    assert [] == told(desk.sweep(dry_run=True))


def test_how_far_it_is_is_told_on_the_way() -> None:
    desk = a_booked_desk()
    desk.office.calcom.person_cancels("uid-1")
    _stands(desk.office, starts_at=LATER)
    heard: list[tuple[int, int, int]] = []

    def hear(progress: Progress) -> None:
        heard.append((progress.done, progress.event_types, progress.findings))

    desk.office.run(desk.reconciler.reconcile(told=hear))
    desk.office.run(desk.reconciler.reconcile(told=hear))

    assert [(0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 1, 2), (0, 1, 0), (1, 1, 0)] == heard


def test_every_call_takes_its_turn() -> None:
    desk = a_booked_desk()
    desk.office.calcom.person_cancels("uid-1")
    desk.sweep()

    assert 2 == desk.pace.turns


def test_a_booking_cancelled_by_us_that_lives_all_the_same_is_cancelled_again() -> None:
    desk = a_booked_desk()
    desk.office.run(
        desk.office.orchestrator.cancel(CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need"))
    )
    again = desk.office.calcom.bookings["uid-1"]
    desk.office.calcom.bookings["uid-1"] = replace(again, status="accepted", ended_at=None)

    assert [("orphan", "cancel", "uid-1", "cancelling")] == told(desk.sweep())
    desk.office.calcom.person_cancels("uid-1")
    assert [("status_drift", "none", "uid-1", "cancelled")] == told(desk.sweep())
    booking = desk.office.booking()
    assert (BookingStatus.CANCELLED, (), {}) == (booking.status, booking.inconsistencies, desk.office.agenda.rows)


def test_what_people_cancelled_and_booked_anew_is_taken_in_as_theirs() -> None:
    desk = a_booked_desk()
    desk.office.calcom.person_cancels("uid-1")
    desk.sweep()
    desk.office.calcom.move("uid-1", LATER)

    assert [("foreign_booking", "adopt", "uid-2", None)] == told(desk.sweep(dry_run=True))
    assert [("foreign_booking", "adopt", "uid-2", "flagged")] == told(desk.sweep())
    assert ([], []) == (told(desk.sweep()), desk.office.calcom.cancelled_by_us)
