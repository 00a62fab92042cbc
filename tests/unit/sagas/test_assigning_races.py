"""
Wishes for anybody of a group that race for the last one: the claim decides, and a loser is told who was quicker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError
from domain.events import BookingInitiated
from domain.period import Period
from sagas.appending import Append, AppendResult
from sagas.ports import DiaryPage
from sagas.wishes import BookingResult
from tests.unit.sagas.barbers import HOUR, at_once, barbers, ended, in_turn, knows_of_nothing, of, staff_of


def test_more_wishes_at_once_than_people_book_each_of_them_once() -> None:
    office = barbers()
    results = at_once(office, *(of(number) for number in range(10)))

    assert {("booked", None): 3, ("failed", "slot_taken"): 7} == ended(results)
    booked = [one for one in results if one.booking.status is BookingStatus.BOOKED]
    assert ["ann", "ben", "cal"] == sorted(str(one) for one in staff_of(booked))
    assert all(one.booking.version == 2 for one in results if one.booking.status is BookingStatus.FAILED)
    assert {} == office.log.claims


def test_processes_that_see_the_same_leave_it_to_the_claim() -> None:
    office = barbers()
    other = office.another_process().orchestrator
    told: list[int] = []
    office.hints.told = lambda booking: told.append(booking.version)  # type: ignore[method-assign]

    async def main() -> list[BookingResult]:
        return list(await asyncio.gather(office.orchestrator.book(of(1)), other.book(of(2)), other.book(of(3))))

    results = office.run(main())

    assert {("booked", None): 3} == ended(results)
    assert {"ann", "ben", "cal"} == set(staff_of(results))
    # Of a claim that was refused nobody is told: there is no booking yet.
    assert [2, 2, 2, 4, 4, 4] == sorted(told)


def test_a_wish_that_is_booked_while_another_one_reads_counts() -> None:
    office = barbers()
    looked, booked = asyncio.Event(), asyncio.Event()
    read, write = office.diary.read, office.log.append

    async def slow(period: Period, *, company_id: str, staff_ids: Sequence[str]) -> DiaryPage:
        is_second = bool(office.diary.asked)
        page = await read(period, company_id=company_id, staff_ids=staff_ids)
        if is_second:
            looked.set()
            await booked.wait()
        return page

    async def late(append: Append) -> AppendResult:
        await looked.wait()
        return await write(append)

    async def main() -> list[BookingResult]:
        office.diary.read, office.log.append = slow, late  # type: ignore[method-assign]
        first = asyncio.create_task(office.orchestrator.book(of(1)))
        second = asyncio.create_task(office.orchestrator.book(of(2, hours=1)))
        await first
        booked.set()
        return [await first, await second]

    assert ["ann", "ben"] == staff_of(office.run(main()))


def test_a_loser_who_finds_nobody_left_is_told_who_holds_the_slot() -> None:
    office = barbers()
    (first, *_), (late,) = in_turn(office, of(1), of(2), of(3)), in_turn(office, of(4))

    assert late.booking.failure is not None
    assert ("slot_taken", first.booking.booking_id) == (
        late.booking.failure.reason,
        late.booking.failure.conflicting_booking_id,
    )


def test_a_caller_who_leaves_between_two_candidates_cancels_nothing() -> None:
    office = barbers()
    other = office.another_process().orchestrator

    async def main() -> None:
        written = asyncio.Event()
        office.log.watch = lambda _append, _result: written.set()
        # Both choose the same one; the second to write is refused, and goes on without its caller.
        first = asyncio.create_task(other.book(of(1)))
        second = asyncio.create_task(office.orchestrator.book(of(2)))
        await written.wait()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await office.orchestrator.drain(within=HOUR)

    office.run(main())

    booked = [office.booking(one) for one in office.log.booking_ids()]
    assert ["booked", "booked"] == [one.status.value for one in booked]
    assert {"ann", "ben"} == {one.facts.staff_id for one in booked}


def test_a_lost_acknowledgement_of_a_refused_candidate_books_once() -> None:
    office = barbers()
    (first,) = in_turn(office, of(1))
    office.diary.read = knows_of_nothing  # type: ignore[method-assign]
    office.log.fates.append("fails_after")

    with pytest.raises(AppointmentDatabaseError):
        in_turn(office, of(2))
    assert 1 == len(office.log.booking_ids())
    (again,) = in_turn(office, of(2))

    assert ["ann", "ben"] == staff_of([first, again])
    assert 2 == len(office.log.booking_ids())


def test_a_choice_that_came_to_nothing_keeps_nobody_busy() -> None:
    office = barbers()
    office.log.fates.append("rejects_before")

    with pytest.raises(AppointmentDatabaseError):
        in_turn(office, of(1))

    assert ["ann"] == staff_of(in_turn(office, of(2)))


def test_a_choice_costs_no_commit_unless_somebody_was_quicker() -> None:
    office = barbers()
    written: list[bool] = []

    def note(append: Append, _result: AppendResult) -> None:
        written.extend(isinstance(one, BookingInitiated) for one in append.events[:1])

    office.log.watch = note
    in_turn(office, of(1))

    assert ([True, False], 1) == (written, len(office.diary.asked))
