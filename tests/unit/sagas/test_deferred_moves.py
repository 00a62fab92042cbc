"""
Moves and cancellations that Cal.com is not to be asked for now: they wait, count nothing, and are done afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from domain import events as e
from domain import moving as m
from domain.booking import BookingStatus
from domain.cancel_deferred import CalcomCancelDeferred
from domain.policy import Policy
from sagas.wishes import BookingResult, CancelAppointment
from tests.fakes.calcom import CancelDoes, CancelFate, CreateFate, MoveDoes, MoveFate
from tests.fakes.given import BOOKING_ID, SLOT, WISH
from tests.fakes.moves import LATER
from tests.fakes.moving import a_booked_office, live_at, move, row_of
from tests.fakes.office import Office
from tests.unit.sagas.driving import until_quiet

FOR_LONG = 60


async def cancel(office: Office, *, patience: float = 10) -> BookingResult:
    wanted = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="ill")
    return await office.orchestrator.cancel(wanted, patience=patience)


async def told(office: Office, asked: Coroutine[Any, Any, BookingResult]) -> tuple[BookingStatus, float]:
    """
    Return what a caller is told, and after how many seconds; then let the saga come to its end.
    """
    began = office.clock.seconds
    answer = await asked
    waited = office.clock.seconds - began
    await until_quiet(office)
    return answer.booking.status, waited


def deferrals(office: Office) -> list[e.BookingEvent]:
    return [
        one
        for one in office.log.events(BOOKING_ID)
        if isinstance(one, m.CalcomRescheduleDeferred | CalcomCancelDeferred)
    ]


# What is known to be kept back does not take anybody's turn.
@pytest.mark.parametrize(("does", "turns"), [("held_back", 20), ("shut", 20)])
def test_who_wants_to_move_meanwhile_is_told_at_once_and_is_moved_later(does: MoveDoes, turns: int) -> None:
    office = a_booked_office()
    # More often than a move would be tried.
    office.calcom.moves.extend([MoveFate(does=does, retry_after=FOR_LONG)] * 20)

    assert (BookingStatus.RESCHEDULING, 0.0) == office.run(told(office, move(office)))

    booking = office.booking()
    assert (BookingStatus.BOOKED, LATER, None) == (booking.status, booking.starts_at, booking.move_failure)
    assert [("uid-2", LATER)] == live_at(office)
    assert (True, "uid-2", LATER, False) == row_of(office)
    # In turn, not in a crowd.
    assert turns == office.drain.turns


@pytest.mark.parametrize(("does", "turns"), [("held_back", 1), ("shut", 20)])
def test_who_wants_to_cancel_meanwhile_is_told_at_once_and_nobody_is_alarmed(does: CancelDoes, turns: int) -> None:
    office = a_booked_office()
    # More often than a cancel that fails would be a finding.
    office.calcom.cancels.extend([CancelFate(does=does, retry_after=FOR_LONG)] * 20)

    assert (BookingStatus.CANCELLING, 0.0) == office.run(told(office, cancel(office)))

    booking = office.booking()
    assert (BookingStatus.CANCELLED, (), 0) == (
        booking.status,
        booking.inconsistencies,
        booking.ledger.lines[0].cancel_failures,
    )
    assert [] == live_at(office)
    assert turns == office.drain.turns


def test_what_is_held_back_is_neither_announced_nor_sent_and_stands_in_the_commit_of_its_wish() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="held_back", retry_after=FOR_LONG))
    office.calcom.cancels.append(CancelFate(does="held_back", retry_after=FOR_LONG))
    before = office.log.commits

    office.run(move(office))
    office.run(cancel(office))

    assert [
        "reschedule-requested",
        "calcom-reschedule-deferred",
        "cancellation-requested",
        "calcom-cancel-deferred",
    ] == office.topics()[-4:]
    assert 2 == office.log.commits - before
    assert ["move held back", "cancel held back"] == office.calcom.happened[-2:]


def test_a_used_up_limit_is_waited_for_if_there_is_time() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="held_back", retry_after=3, because="rate_limited"))

    async def main() -> BookingStatus:
        asked = asyncio.create_task(move(office, patience=30))
        await asyncio.sleep(1)
        await until_quiet(office)
        return (await asked).booking.status

    assert BookingStatus.BOOKED is office.run(main())
    assert 0 == office.drain.turns


@pytest.mark.parametrize(
    ("to", "why"),
    [
        (timedelta(hours=1), "the new time has passed"),
        (timedelta(days=20), "the appointment could not be moved in time"),
    ],
)
def test_a_move_that_cannot_be_sent_in_time_stays_undone(to: timedelta, why: str) -> None:
    office = a_booked_office()
    office.calcom.moves.extend([MoveFate(does="held_back", retry_after=900)] * 1000)
    began = office.clock.now()
    until = began + min(to, Policy().expiry)

    office.run(told(office, move(office, began + to)))

    booking = office.booking()
    assert booking.move_failure is not None
    assert (BookingStatus.BOOKED, SLOT, "expired", why) == (
        booking.status,
        booking.starts_at,
        booking.move_failure.reason,
        booking.move_failure.detail,
    )
    assert [] == [held for held in office.log.claims if held[0] == BOOKING_ID]
    # Not later, though Cal.com was to be left alone for longer.
    assert until <= office.log.events(BOOKING_ID)[-1].at < until + timedelta(seconds=2)


def test_a_move_that_waits_can_be_cancelled() -> None:
    office = a_booked_office()
    office.calcom.moves.append(MoveFate(does="held_back", retry_after=FOR_LONG))

    async def main() -> BookingResult:
        await move(office, patience=0)
        return await cancel(office)

    assert BookingStatus.CANCELLED is office.run(main()).booking.status
    assert [] == live_at(office)


def test_what_fails_counts_as_it_did_whatever_lies_in_between() -> None:
    office = a_booked_office()
    fails, shut = [MoveFate(does="not_sent")], [MoveFate(does="shut", retry_after=FOR_LONG)] * 5
    office.calcom.moves.extend([*fails, *shut, *fails, *shut, *fails])

    office.run(told(office, move(office, patience=0)))

    failure = office.booking().move_failure
    assert failure is not None
    assert "calcom_unavailable" == failure.reason
    assert [] == list(office.calcom.moves)


def test_what_is_undone_meanwhile_waits_as_well_and_its_caller_is_told_so() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="pending"))
    office.calcom.cancels.extend([CancelFate(does="held_back", retry_after=FOR_LONG)] * 3)

    answer = office.run(told(office, office.orchestrator.book(WISH, patience=10)))

    assert (BookingStatus.COMPENSATING, 0.0) == answer
    assert (BookingStatus.FAILED, 3) == (office.booking().status, len(deferrals(office)))


def test_a_cancel_under_way_is_waited_for_although_it_was_deferred_before() -> None:
    office = a_booked_office()
    office.calcom.cancels.extend([CancelFate(does="held_back", retry_after=1), CancelFate(answers=5)])

    async def main() -> BookingStatus:
        await cancel(office, patience=0)
        going_on = asyncio.create_task(until_quiet(office))
        await asyncio.sleep(5)
        again = await cancel(office)
        await going_on
        return again.booking.status

    assert BookingStatus.CANCELLED is office.run(main())


def test_what_is_gone_meanwhile_is_not_deferred() -> None:
    office = a_booked_office()
    office.calcom.cancels.append(CancelFate(does="shut", retry_after=FOR_LONG, answers=3))

    async def main() -> None:
        going_on = asyncio.create_task(cancel(office))
        await asyncio.sleep(1)
        line = office.booking().ledger.lines[0]
        gone = e.CalcomBookingCancelled(at=office.clock.now(), attempt_id=line.attempt_id, uid="uid-1", how="gone")
        office.log.write(BOOKING_ID, gone)
        await going_on

    office.run(main())

    assert [] == deferrals(office)
