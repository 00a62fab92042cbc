"""
Callers who come back after the start, cancel too late, or leave; and companies that are refused what makes no sense.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import AlreadyOver, CustomerValidationError
from domain.idempotency import key_for
from sagas.appending import DueAfter
from sagas.outcomes import LookFailed
from sagas.ports import Claimed
from sagas.recording import record_look
from sagas.steps import LookAtCalcom
from sagas.wishes import CancelAppointment
from tests.fakes.calcom import CreateFate
from tests.fakes.given import (
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    POLICY,
    REQUEST,
    WISH,
    at,
    cancellation,
    cancelled,
    cancelled_there,
    given,
    initiated,
    looked,
    wish,
)
from tests.fakes.office import Office

TWO_DAYS = 2 * 24 * 3600
CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def test_a_repeat_after_the_start_hears_what_became_of_it() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    office.clock.advance(TWO_DAYS)

    result = office.run(office.orchestrator.book(WISH))

    assert (BookingStatus.BOOKED, BOOKING_ID, True) == (
        result.booking.status,
        result.booking.booking_id,
        result.replayed,
    )


def test_a_wish_for_the_past_that_nobody_had_before_is_refused() -> None:
    office = Office()
    office.clock.advance(TWO_DAYS)

    with pytest.raises(CustomerValidationError):
        office.run(office.orchestrator.book(WISH))

    assert {} == office.log.streams


def test_a_repeat_after_the_start_of_what_was_cancelled_books_nothing() -> None:
    office = Office()
    office.given(*BOOKED, cancellation(), cancelled_there(), cancelled())
    office.clock.advance(TWO_DAYS)

    with pytest.raises(CustomerValidationError):
        office.run(office.orchestrator.book(WISH))

    assert [BOOKING_ID] == list(office.log.streams)


def test_a_repeat_after_the_start_gets_the_outcome_of_its_own_generation() -> None:
    office = Office()
    office.given(*BOOKED, cancellation(), cancelled_there(), cancelled())
    booked_again = office.run(office.orchestrator.book(WISH)).booking
    office.clock.advance(TWO_DAYS)

    result = office.run(office.orchestrator.book(WISH))

    assert (booked_again.booking_id, BookingStatus.BOOKED, True) == (
        result.booking.booking_id,
        result.booking.status,
        result.replayed,
    )


def test_a_repeat_after_the_start_with_something_else_wrong_is_refused() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    office.clock.advance(TWO_DAYS)

    with pytest.raises(CustomerValidationError):
        office.run(office.orchestrator.book(wish(source="")))


def test_what_has_taken_place_cannot_be_cancelled() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    office.clock.advance(TWO_DAYS)

    with pytest.raises(AlreadyOver) as caught:
        office.run(office.orchestrator.cancel(CANCEL))

    assert (BOOKING_ID, BookingStatus.BOOKED) == (caught.value.booking_id, office.booking().status)


def test_a_reason_that_cannot_be_stored_is_refused() -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))

    with pytest.raises(CustomerValidationError) as caught:
        office.run(
            office.orchestrator.cancel(CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="\x00"))
        )

    assert (True, BookingStatus.BOOKED) == (caught.value.has_field_error("reason"), office.booking().status)


@pytest.mark.parametrize("spent", [1, 2, 3, 4, 7, 20])
def test_the_newest_generation_is_found_however_many_there_are(spent: int) -> None:
    office = Office()
    ids = [key_for(REQUEST, generation=number).booking_id for number in range(spent + 1)]
    for number, booking_id in enumerate(ids[:-1]):
        over = (*BOOKED, cancellation(), cancelled_there(), cancelled())
        office.log.write(booking_id, initiated(generation=number), *over)

    result = office.run(office.orchestrator.book(WISH))

    assert (ids[-1], spent, BookingStatus.BOOKED) == (
        result.booking.booking_id,
        result.booking.facts.generation,
        result.booking.status,
    )


def test_the_newest_generation_is_replayed_while_it_lives() -> None:
    office = Office()
    office.given(*BOOKED, cancellation(), cancelled_there(), cancelled())

    async def main() -> list[UUID]:
        return [(await office.orchestrator.book(WISH)).booking.booking_id for _ in range(3)]

    assert [key_for(REQUEST, generation=1).booking_id] * 3 == office.run(main())


@pytest.mark.parametrize(
    ("fate", "message"), [("rejects_before", "orchestrator.saga.left"), ("crash", "orchestrator.saga.crashed")]
)
def test_what_goes_wrong_after_the_caller_has_left_is_logged(
    fate: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=9))

    async def main() -> None:
        await office.orchestrator.book(WISH, patience=0)
        if fate == "crash":
            office.log.append = _crash  # type: ignore[method-assign, assignment]
        else:
            office.log.fates.append("rejects_before")
        await asyncio.sleep(20)

    with caplog.at_level(logging.WARNING):
        office.run(main())

    assert [message] == caplog.messages


async def _crash(_: object) -> None:
    raise ZeroDivisionError


def test_a_caller_who_left_before_the_end_of_a_good_booking_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=9))

    async def main() -> None:
        await office.orchestrator.book(WISH, patience=0)
        await asyncio.sleep(20)

    office.run(main())

    assert [] == caplog.messages


@pytest.mark.parametrize(("before", "reported"), [(8, 0), (9, 1), (10, 0)])
def test_the_tenth_look_that_fails_is_reported_once(before: int, reported: int) -> None:
    failures = tuple(looked(seconds=20 + number, problem="http_502") for number in range(before))
    effect = LookAtCalcom(attempt_ids=("one",), since=at(-300))

    events = record_look(
        given(*IN_DOUBT, *failures),
        effect,
        LookFailed(started_at=at(200), reason="http_502"),
        now=at(201),
        policy=POLICY,
    )

    assert 1 + reported == len(events)


def test_work_that_was_claimed_while_stopping_is_given_back() -> None:
    office = Office()
    office.log.write(BOOKING_ID, initiated())
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(0)))
    worker = office.another_process(agenda=_SlowAgenda(office)).worker

    async def main() -> timedelta | None:
        working = asyncio.create_task(worker.run())
        await asyncio.sleep(0.5)
        await worker.stop(within=timedelta(seconds=1))
        await working
        return await office.agenda.next_due()

    assert (timedelta(0), ["initiated"]) == (office.run(main()), office.topics())


class _SlowAgenda:
    def __init__(self, office: Office) -> None:
        self._inner = office.agenda

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        await asyncio.sleep(1)
        return await self._inner.claim(limit=limit, lease=lease)

    async def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        return await self._inner.claim_in_line(lease=lease)

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        await self._inner.release(claimed)

    async def wake(self, saga_id: UUID) -> None:
        await self._inner.wake(saga_id)

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        return await self._inner.next_due(in_line=in_line)
