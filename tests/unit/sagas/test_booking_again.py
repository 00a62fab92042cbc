"""
A wish that comes again: which booking it gets, by a derived key or a given one, and what a hint may change.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError, KeyReused
from domain.events import CancellationRequested
from domain.idempotency import key_for
from sagas.wishes import BookingResult
from tests.fakes.calcom import CreateFate
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    REQUEST,
    WISH,
    cancellation,
    cancelled,
    cancelled_there,
    failed,
    wish,
)
from tests.fakes.office import Office

NEXT_ID = key_for(REQUEST, generation=1).booking_id


def test_the_same_wish_again_gets_the_same_booking() -> None:
    office = Office()

    async def main() -> list[BookingResult]:
        return [await office.orchestrator.book(WISH), await office.orchestrator.book(WISH)]

    first, second = office.run(main())

    assert (first.booking, False, True, 1) == (
        second.booking,
        first.replayed,
        second.replayed,
        len(office.calcom.bookings),
    )


def test_racing_wishes_get_one_booking_and_wait_for_it() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=4))

    async def main() -> list[BookingResult]:
        return await asyncio.gather(*(office.orchestrator.book(WISH, patience=10) for _ in range(5)))

    results = office.run(main())

    assert ([BookingStatus.BOOKED] * 5, [False, True, True, True, True], 1) == (
        [result.booking.status for result in results],
        [result.replayed for result in results],
        len(office.calcom.bookings),
    )


@pytest.mark.parametrize(
    "events",
    [(*ABSENT, failed()), (*BOOKED, cancellation(), cancelled_there(), cancelled())],
    ids=["failed", "cancelled"],
)
def test_a_derived_key_whose_booking_is_spent_starts_the_next_generation(events: tuple[CancellationRequested]) -> None:
    office = Office()
    office.given(*events)

    result = office.run(office.orchestrator.book(WISH))

    assert (NEXT_ID, 1, BookingStatus.BOOKED, False) == (
        result.booking.booking_id,
        result.booking.facts.generation,
        result.booking.status,
        result.replayed,
    )


def test_a_given_key_whose_booking_failed_stays_failed() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="refused"))

    async def main() -> list[BookingResult]:
        return [await office.orchestrator.book(wish(idempotency_key="k")) for _ in range(2)]

    first, second = office.run(main())

    assert (BookingStatus.FAILED, first.booking, True) == (second.booking.status, second.booking, second.replayed)


def test_a_given_key_with_another_payload_changes_nothing() -> None:
    office = Office()
    result = office.run(office.orchestrator.book(wish(idempotency_key="k")))

    with pytest.raises(KeyReused):
        office.run(office.orchestrator.book(wish(idempotency_key="k", notes="other")))

    assert result.booking == office.booking(result.booking.booking_id)


def test_other_staff_under_the_same_derived_key_is_pointed_at_the_first_booking() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))

    result = office.run(office.orchestrator.book(wish(staff_id="bob")))

    assert (True, True, BOOKING_ID) == (result.near_duplicate, result.replayed, result.booking.booking_id)


def test_a_near_duplicate_is_refused_with_a_pointer() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))

    result = office.run(office.orchestrator.book(wish(starts_at=WISH.starts_at + timedelta(minutes=5))))

    failure = result.booking.failure
    assert ("near_duplicate", BOOKING_ID) == (failure and failure.reason, failure and failure.conflicting_booking_id)


def test_one_call_never_books_twice_although_its_booking_is_cancelled_under_it() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="not_sent"))
    create = office.calendar.create

    async def cancelled_meanwhile(*args: object, **options: object) -> object:
        outcome = await create(*args, **options)  # type: ignore[arg-type]
        lines = office.booking().ledger.lines
        office.log.write(BOOKING_ID, cancellation())
        await office.engine.drive(office.engine.begin(office.booking()))
        await asyncio.sleep(20)
        await office.worker.run_due()
        assert lines
        return outcome

    office.calendar.create = cancelled_meanwhile  # type: ignore[method-assign, assignment]

    async def main() -> BookingResult:
        return await office.orchestrator.book(WISH, patience=400)

    result = office.run(main())

    assert ([BOOKING_ID], BOOKING_ID) == (list(office.log.streams), result.booking.booking_id)


def test_a_repeat_that_is_hinted_at_reads_the_log_and_appends_nothing() -> None:
    office = Office()
    first = office.run(office.orchestrator.book(WISH))
    commits = office.log.commits

    second = office.run(office.orchestrator.book(WISH))

    assert (first.booking, True, commits) == (second.booking, second.replayed, office.log.commits)
    assert [False, True] == office.hints.judgments


@pytest.mark.parametrize("said", [True, False])
def test_whatever_a_hint_says_of_a_new_wish_it_is_booked(said: bool) -> None:
    office = Office()
    office.hints.lie = lambda _booking_id: said

    result = office.run(office.orchestrator.book(WISH))

    assert (BookingStatus.BOOKED, False, 2) == (result.booking.status, result.replayed, office.log.commits)


def test_a_repeat_that_nobody_hints_at_is_found_in_the_log() -> None:
    office = Office()
    office.hints.lie = lambda _booking_id: False

    async def main() -> list[BookingResult]:
        return [await office.orchestrator.book(WISH) for _ in range(2)]

    first, second = office.run(main())

    assert (first.booking, True, [False, True]) == (second.booking, second.replayed, office.hints.judgments)


def test_another_payload_is_found_out_by_the_log_although_it_was_hinted_at() -> None:
    office = Office()
    office.run(office.orchestrator.book(wish(idempotency_key="k")))
    office.hints.lie = lambda _booking_id: True

    with pytest.raises(KeyReused):
        office.run(office.orchestrator.book(wish(idempotency_key="k", notes="other")))


def test_a_hinted_repeat_names_its_booking_when_the_log_cannot_be_read() -> None:
    office = Office()
    office.hints.lie = lambda _booking_id: True
    office.log.read_fates.append("fails_before")

    with pytest.raises(AppointmentDatabaseError) as caught:
        office.run(office.orchestrator.book(WISH))

    assert BOOKING_ID == caught.value.booking_id
