from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain import events as e
from domain.booking import BookingStatus
from domain.findings import InconsistencyResolved
from sagas.outcomes import Liveness
from tests.fakes.given import (
    SLOT,
    at,
    attempted,
    cancellation,
    created,
    initiated,
    not_persisted,
)
from tests.fakes.office import Office
from tests.unit.sagas.driving import as_uid, book_new, go_on, meanwhile, stranger, until_quiet


def test_a_row_that_stands_in_the_way_undoes_the_booking() -> None:
    office = Office()

    async def come_between() -> None:
        stranger(office, uid=office.calcom.commit(event_type_id=99, starts_at=SLOT, ends_at=SLOT, attempt_id=None).uid)

    meanwhile(office, come_between)
    office.run(book_new(office))

    assert (BookingStatus.FAILED, "slot_taken", ["uid-1"], {}) == (
        office.booking().status,
        getattr(office.booking().failure, "reason", None),
        office.calcom.cancelled_by_us,
        office.agenda.rows,
    )


def test_a_row_without_a_uid_stands() -> None:
    office = Office()

    async def come_between() -> None:
        stranger(office, uid=None)

    meanwhile(office, come_between)
    office.run(book_new(office))

    assert BookingStatus.FAILED is office.booking().status


def cancelled_there(office: Office) -> str:
    """
    Return the uid of a booking that a person has made and cancelled at Cal.com.
    """
    uid = office.calcom.commit(event_type_id=99, starts_at=SLOT, ends_at=SLOT, attempt_id=None).uid
    office.calcom.person_cancels(uid)
    return uid


def test_a_row_whose_booking_is_gone_at_cal_com_is_cleared_away() -> None:
    office = Office()
    rows = []

    async def come_between() -> None:
        rows.append(stranger(office, uid=cancelled_there(office)))

    meanwhile(office, come_between)
    office.run(book_new(office))

    assert (BookingStatus.BOOKED, False) == (office.booking().status, office.log.appointments[rows[0]].booked)


@pytest.mark.parametrize("ours", [True, False])
def test_a_row_whose_booking_cal_com_does_not_find_keeps_its_time(*, ours: bool) -> None:
    office = Office()
    other = UUID(int=9)
    known = (initiated(), *as_uid("uid-of-another-account"))

    async def come_between() -> None:
        if ours:
            office.log.write(other, *known)
        stranger(office, uid="uid-of-another-account", booking_id=other)

    meanwhile(office, come_between)
    began = office.clock.now()
    office.run(book_new(office))
    office.run(until_quiet(office))

    failed = office.booking()
    assert (BookingStatus.FAILED, "slot_taken") == (failed.status, getattr(failed.failure, "reason", None))
    assert (True, ["uid-1"]) == (office.log.appointments[UUID(int=4)].booked, office.calcom.cancelled_by_us)
    assert (list(known) if ours else []) == list(office.log.all_events(other))
    # As soon as no replica can be late any more, and not only when the wish expires.
    verdicts = [one for one in office.log.events(failed.booking_id) if isinstance(one, e.ObstacleInspected)]
    assert {"missing"} == {one.verdict for one in verdicts}
    assert office.policy.visibility <= verdicts[-1].at - began < office.policy.visibility + timedelta(seconds=20)


def test_a_row_that_cal_com_finds_late_is_judged_by_what_it_is_then() -> None:
    office = Office()
    shows = office.calendar.liveness

    async def late(uid: str) -> Liveness:
        office.calendar.liveness = shows  # type: ignore[method-assign]
        return "not_found"

    async def come_between() -> None:
        stranger(office, uid=cancelled_there(office))

    office.calendar.liveness = late  # type: ignore[method-assign]
    meanwhile(office, come_between)
    office.run(book_new(office))
    office.run(until_quiet(office))

    assert (BookingStatus.BOOKED, False) == (office.booking().status, office.log.appointments[UUID(int=4)].booked)


def test_a_row_that_somebody_else_cleared_away_is_gone() -> None:
    office = Office()

    office.given(attempted(), created(), not_persisted())
    office.run(go_on(office))

    assert BookingStatus.BOOKED is office.booking().status


def test_a_row_of_a_booking_of_ours_ends_that_booking_on_its_own_stream() -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        uid = cancelled_there(office)
        office.log.write(other, initiated(), *as_uid(uid))
        stranger(office, uid=uid, booking_id=other)

    meanwhile(office, come_between)
    office.run(book_new(office))
    office.run(until_quiet(office))

    assert (BookingStatus.BOOKED, BookingStatus.CANCELLED) == (office.booking().status, office.booking(other).status)


def test_a_row_that_a_person_lets_stand_is_not_cleared_away() -> None:
    office = Office()
    other = UUID(int=9)
    kept = InconsistencyResolved(at=at(9), kind="ghost", uid="uid-0", how="keep_local", actor="ada")

    async def come_between() -> None:
        office.log.write(other, initiated(), *as_uid("uid-0"), kept)
        stranger(office, booking_id=other)

    meanwhile(office, come_between)
    office.run(book_new(office))
    office.run(until_quiet(office))

    assert (BookingStatus.FAILED, BookingStatus.BOOKED) == (office.booking().status, office.booking(other).status)


def test_a_row_whose_booking_says_something_else_is_waited_for() -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        office.log.write(other, initiated(), *as_uid("uid-8"))
        stranger(office, uid=cancelled_there(office), booking_id=other)

    meanwhile(office, come_between)
    office.run(book_new(office))

    assert ("obstacle-inspected", [BookingStatus.BOOKED]) == (office.topics()[-1], [office.booking(other).status])


def test_a_row_whose_booking_is_written_meanwhile_is_waited_for() -> None:
    office = Office()
    other = UUID(int=9)
    liveness = office.calendar.liveness

    async def told_and_written(uid: str) -> Liveness:
        office.log.write(other, cancellation())
        return await liveness(uid)

    async def come_between() -> None:
        uid = cancelled_there(office)
        office.log.write(other, initiated(), *as_uid(uid))
        stranger(office, uid=uid, booking_id=other)

    office.calendar.liveness = told_and_written  # type: ignore[method-assign]
    meanwhile(office, come_between)
    office.run(book_new(office))

    assert (True, "obstacle-inspected") == (
        office.log.appointments[UUID(int=4)].booked,
        office.topics()[-1],
    )


@pytest.mark.parametrize("cancelling", [True, False])
def test_a_row_that_is_being_cancelled_or_cannot_be_looked_up_is_waited_for(*, cancelling: bool) -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        events = (*as_uid("uid-0"), cancellation()) if cancelling else as_uid("uid-0")
        office.log.write(other, initiated(), *events)
        stranger(office, booking_id=other)
        office.calcom.silences.append(True)

    async def main() -> None:
        meanwhile(office, come_between)
        await book_new(office)
        row = office.log.appointments[UUID(int=4)]
        office.log.appointments[UUID(int=4)] = replace(row, booked=False)
        await until_quiet(office)

    office.run(main())

    assert (BookingStatus.BOOKED, 1) == (office.booking().status, office.topics().count("obstacle-inspected"))
