"""
Callers of bookings that have to wait: told at once if they cannot have the outcome in time, else told the outcome.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.booking import BookingStatus
from domain.events import BookingDeferred, CalcomBookingAttempted
from domain.policy import LINE, Policy
from sagas.engine import IN_TURN
from sagas.worker import GATHERING_SECONDS
from tests.fakes.calcom import CreateDoes, CreateFate
from tests.fakes.given import BOOKING_ID, WISH
from tests.fakes.office import Office
from tests.unit.sagas.driving import until_quiet


def held_back(seconds: float, *, because: str = "rate_limited") -> Office:
    office = Office()
    office.calcom.creates.append(CreateFate(does="held_back", retry_after=seconds, because=because))
    return office


@pytest.mark.parametrize(
    ("seconds", "because"), [(30, "rate_limited"), (30, "breaker_open"), (3, "breaker_open"), (3, "unauthorized")]
)
def test_who_cannot_have_the_outcome_in_time_is_told_at_once(seconds: float, because: str) -> None:
    office = held_back(seconds, because=because)

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


@pytest.mark.parametrize(("because", "turns"), [("rate_limited", 0), ("breaker_open", 1)])
def test_who_has_waited_for_cal_com_to_be_well_comes_in_turn(because: str, turns: int) -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="held_back", retry_after=30, because=because))

    async def main() -> None:
        await office.orchestrator.book(WISH, patience=0)
        await until_quiet(office)

    office.run(main())

    assert (BookingStatus.BOOKED, turns) == (office.booking().status, office.drain.turns)


def test_all_who_wait_in_line_are_due_at_the_same_moment_and_who_goes_first_is_decided_then() -> None:
    policy = Policy()

    assert timedelta(seconds=60) + LINE == policy.in_line(60)
    assert timedelta(seconds=900) + LINE == policy.in_line(1e300)


@pytest.mark.parametrize("does", ["held_back", "shut"])
def test_who_waits_for_cal_com_to_be_well_is_in_line_whether_or_not_it_was_announced(does: CreateDoes) -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does=does, retry_after=30, because="breaker_open"))

    async def main() -> None:
        await office.orchestrator.book(WISH, patience=0)
        await asyncio.sleep(1)

    office.run(main())
    row = office.agenda.rows[BOOKING_ID]
    office.let_pass(60)

    assert (IN_TURN, None) == (row.priority, row.token)
    assert (BookingStatus.BOOKED, 1) == (office.booking().status, office.drain.turns)


def test_who_is_first_in_line_waits_a_moment_for_those_who_are_due_at_the_same_time() -> None:
    office = held_back(30, because="breaker_open")

    async def main() -> None:
        working = asyncio.create_task(office.worker.run())
        await office.orchestrator.book(WISH, patience=0)
        await asyncio.sleep(40)
        await office.worker.stop(within=timedelta(seconds=1))
        await working

    office.run(main())

    found = office.log.events(BOOKING_ID)
    (until,) = [event.until for event in found if isinstance(event, BookingDeferred)]
    (tried,) = [event.at for event in found if isinstance(event, CalcomBookingAttempted)]
    assert GATHERING_SECONDS == pytest.approx((tried - until).total_seconds(), abs=0.1)


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
