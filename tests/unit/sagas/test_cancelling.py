"""
A cancellation at the front door: what it undoes, and what its caller is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError, AppointmentError
from domain.events import CancellationRequested
from sagas.wishes import BookingResult
from tests.fakes.calcom import CreateFate
from tests.fakes.given import BOOKED, BOOKING_ID, WISH, review
from tests.fakes.office import Office
from tests.unit.sagas.front_door import CANCEL, slow


@pytest.mark.parametrize("given_id", ["c-1", ""])
@pytest.mark.parametrize("asked", [{"reason": ""}, {"company_id": "other"}])
def test_a_refused_cancellation_carries_its_correlation_id(asked: dict[str, str], given_id: str) -> None:
    office = Office()
    office.given(*BOOKED)

    with pytest.raises(AppointmentError) as caught:
        office.run(office.orchestrator.cancel(replace(CANCEL, correlation_id=given_id, **asked)))  # type: ignore[arg-type]

    assert caught.value.correlation_id
    assert given_id in {"", caught.value.correlation_id}


def test_a_booked_booking_is_cancelled_in_both_places() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))

    result = office.run(office.orchestrator.cancel(CANCEL))

    assert (BookingStatus.CANCELLED, (), [False], False) == (
        result.booking.status,
        office.calcom.live(),
        [row.booked for row in office.log.appointments.values()],
        result.replayed,
    )


def test_a_cancellation_again_is_answered_with_the_first() -> None:
    office = Office()

    async def main() -> list[BookingResult]:
        await office.orchestrator.book(WISH)
        return [await office.orchestrator.cancel(CANCEL) for _ in range(2)]

    first, second = office.run(main())

    assert (first.booking, True) == (second.booking, second.replayed)


def test_racing_cancellations_are_one() -> None:
    office = Office()

    async def main() -> list[BookingResult]:
        await office.orchestrator.book(WISH)
        return await asyncio.gather(*(office.orchestrator.cancel(CANCEL) for _ in range(3)))

    results = office.run(main())

    assert ([BookingStatus.CANCELLED] * 3, 1) == (
        [result.booking.status for result in results],
        sum(isinstance(one, CancellationRequested) for one in office.log.events(BOOKING_ID)),
    )


def test_a_cancellation_while_the_booking_is_made_waits_for_the_answer_and_undoes_it() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=3))

    async def main() -> list[BookingResult]:
        working = asyncio.create_task(office.worker.run())
        booking = asyncio.create_task(office.orchestrator.book(WISH, patience=30))
        await asyncio.sleep(1)
        results = [await office.orchestrator.cancel(CANCEL, patience=30), await booking]
        await office.worker.stop(within=timedelta(seconds=1))
        await working
        return results

    results = office.run(main())

    assert ([BookingStatus.CANCELLED] * 2, (), [BOOKING_ID]) == (
        [result.booking.status for result in results],
        office.calcom.live(),
        list(office.log.streams),
    )


@pytest.mark.parametrize("patience", [0.0, 3.0])
def test_a_cancellation_is_not_acknowledged_before_it_is_durable(patience: float) -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    slow(office, 60)

    with pytest.raises(AppointmentDatabaseError) as caught:
        office.run(office.orchestrator.cancel(CANCEL, patience=patience))

    assert (BOOKING_ID, BookingStatus.BOOKED) == (caught.value.booking_id, office.booking().status)


def test_a_cancellation_of_what_is_in_review_is_recorded() -> None:
    office = Office()
    office.given(*BOOKED, review())

    result = office.run(office.orchestrator.cancel(CANCEL))

    assert (BookingStatus.NEEDS_REVIEW, True) == (result.booking.status, result.booking.cancellation is not None)
