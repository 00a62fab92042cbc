"""
Callers of bookings that have to wait: told at once if they cannot have the outcome in time, else told the outcome.
"""

from __future__ import annotations

import asyncio

from domain.booking import BookingStatus
from tests.fakes.calcom import CreateFate
from tests.fakes.given import WISH
from tests.fakes.office import Office
from tests.unit.sagas.driving import until_quiet


def held_back(seconds: float) -> Office:
    office = Office()
    office.calcom.creates.append(CreateFate(does="held_back", retry_after=seconds))
    return office


def test_who_cannot_have_the_outcome_in_time_is_told_at_once() -> None:
    office = held_back(30)

    async def main() -> tuple[list[BookingStatus], float]:
        first = await office.orchestrator.book(WISH, patience=10)
        again = await office.orchestrator.book(WISH, patience=10)
        return [first.booking.status, again.booking.status], office.clock.seconds

    assert ([BookingStatus.PENDING] * 2, 0.0) == office.run(main())


def test_who_can_have_it_waits_for_it() -> None:
    office = held_back(30)

    async def main() -> list[BookingStatus]:
        first = asyncio.create_task(office.orchestrator.book(WISH, patience=60))
        await asyncio.sleep(1)
        again = asyncio.create_task(office.orchestrator.book(WISH, patience=60))
        await until_quiet(office)
        return [(await first).booking.status, (await again).booking.status]

    assert [BookingStatus.BOOKED] * 2 == office.run(main())


def test_what_is_being_made_is_waited_for_although_it_was_deferred_before() -> None:
    office = held_back(1)
    office.calcom.creates.append(CreateFate(answers=5))

    async def main() -> BookingStatus:
        await office.orchestrator.book(WISH, patience=0.1)
        going_on = asyncio.create_task(until_quiet(office))
        await asyncio.sleep(7)
        again = await office.orchestrator.book(WISH, patience=10)
        await going_on
        return again.booking.status

    assert BookingStatus.BOOKED is office.run(main())
