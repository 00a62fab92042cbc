from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.findings import InconsistencyResolved
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


def test_a_row_whose_booking_is_gone_at_cal_com_is_cleared_away() -> None:
    office = Office()
    rows = []

    async def come_between() -> None:
        rows.append(stranger(office))

    meanwhile(office, come_between)
    office.run(book_new(office))

    assert (BookingStatus.BOOKED, False) == (office.booking().status, office.log.appointments[rows[0]].booked)


def test_a_row_that_somebody_else_cleared_away_is_gone() -> None:
    office = Office()

    office.given(attempted(), created(), not_persisted())
    office.run(go_on(office))

    assert BookingStatus.BOOKED is office.booking().status


def test_a_row_of_a_booking_of_ours_ends_that_booking_on_its_own_stream() -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        office.log.write(other, initiated(), *as_uid("uid-0"))
        stranger(office, booking_id=other)

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
        stranger(office, booking_id=other)

    meanwhile(office, come_between)
    office.run(book_new(office))

    assert ("obstacle-inspected", [BookingStatus.BOOKED]) == (office.topics()[-1], [office.booking(other).status])


def test_a_row_whose_booking_is_written_meanwhile_is_waited_for() -> None:
    office = Office()
    other = UUID(int=9)
    is_live = office.calendar.is_live

    async def is_live_and_written(uid: str) -> bool | None:
        office.log.write(other, cancellation())
        return await is_live(uid)

    async def come_between() -> None:
        office.log.write(other, initiated(), *as_uid("uid-0"))
        stranger(office, booking_id=other)

    office.calendar.is_live = is_live_and_written  # type: ignore[method-assign]
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
