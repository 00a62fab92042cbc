"""
Everybody's patience ends: who waits is told where the booking stands, and what is under way goes on.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, AppendResult
from sagas.wishes import BookingResult, CancelAppointment
from tests.fakes.calcom import CreateFate
from tests.fakes.given import BOOKED, BOOKING_ID, WISH
from tests.fakes.office import Office
from tests.unit.sagas.front_door import slow

CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def test_who_waits_is_told_at_once_and_the_saga_goes_on() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=8))

    async def main() -> tuple[list[BookingResult], float]:
        first = asyncio.create_task(office.orchestrator.book(WISH))
        await asyncio.sleep(1)
        again = asyncio.create_task(office.orchestrator.book(WISH))
        await asyncio.sleep(1)
        office.orchestrator.end_patience()
        # A second signal, before anybody has been told of the first.
        office.orchestrator.end_patience()
        results = [await first, await again]
        told_at = office.clock.seconds
        await office.orchestrator.drain(within=timedelta(seconds=20))
        return results, told_at

    results, told_at = office.run(main())

    assert [BookingStatus.PENDING] * 2 == [one.booking.status for one in results]
    assert (2.0, BookingStatus.BOOKED) == (told_at, office.booking().status)


def test_who_comes_later_waits_for_what_is_durable_alone() -> None:
    office = Office()
    office.given(*BOOKED)

    async def main() -> BookingResult:
        office.orchestrator.end_patience()
        return await office.orchestrator.book(WISH)

    result = office.run(main())

    assert (BookingStatus.BOOKED, True, 0.0) == (result.booking.status, result.replayed, office.clock.seconds)


@pytest.mark.parametrize(("seconds", "told_at"), [(2.0, 2.0), (9.0, 4.0)])
def test_who_comes_later_waits_until_the_wish_is_durable_but_not_for_long(seconds: float, told_at: float) -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=20))
    slow(office, seconds)

    async def main() -> BookingStatus | str:
        office.orchestrator.end_patience()
        try:
            return (await office.orchestrator.book(WISH)).booking.status
        except AppointmentDatabaseError as error:
            return error.kind

    told = office.run(main())

    assert ("timeout" if seconds > told_at else BookingStatus.PENDING, told_at) == (told, office.clock.seconds)


def test_a_cancellation_is_told_as_it_stands() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=8))

    async def main() -> BookingResult:
        await office.orchestrator.book(WISH, patience=0)
        asked = asyncio.create_task(office.orchestrator.cancel(CANCEL))
        await asyncio.sleep(1)
        office.orchestrator.end_patience()
        return await asked

    result = office.run(main())

    assert (True, 1.0) == (result.booking.cancellation is not None, office.clock.seconds)


@pytest.mark.parametrize("patience", [0.0, 30.0])
def test_what_is_not_durable_yet_may_go_on(patience: float) -> None:
    office = Office()
    append = office.log.append

    async def slow(one: Append) -> AppendResult:
        await asyncio.sleep(4)
        return await append(one)

    office.log.append = slow  # type: ignore[method-assign, assignment]

    async def main() -> AppointmentDatabaseError:
        asyncio.get_running_loop().call_later(1, office.orchestrator.end_patience)
        with pytest.raises(AppointmentDatabaseError) as caught:
            await office.orchestrator.book(WISH, patience=patience)
        assert 1.0 == office.clock.seconds
        await office.orchestrator.drain(within=timedelta(seconds=60))
        return caught.value

    error = office.run(main())

    assert (BOOKING_ID, True) == (error.booking_id, error.retryable)
    assert BookingStatus.BOOKED is office.booking().status
