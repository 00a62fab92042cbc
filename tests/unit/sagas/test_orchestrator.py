"""
The front door on the fakes: what callers are told, and when.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import (
    AppointmentCreationError,
    AppointmentDatabaseError,
    AppointmentError,
    CustomerValidationError,
    KeyReused,
    UnknownBooking,
    UnknownService,
)
from domain.events import CancellationRequested
from domain.idempotency import key_for
from sagas.appending import Append, AppendResult
from sagas.orchestrator import BookingResult, CancelAppointment
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
    given,
    review,
    wish,
)
from tests.fakes.office import Office

CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")
NEXT_ID = key_for(REQUEST, generation=1).booking_id


@pytest.mark.parametrize("given_id", ["c-1", ""])
@pytest.mark.parametrize(
    "asked",
    [
        {"service_id": "unheard-of"},
        {"source": ""},
        {"idempotency_key": "k", "source": "other"},
    ],
)
def test_a_refused_wish_carries_its_correlation_id(asked: dict[str, str], given_id: str) -> None:
    office = Office()
    office.run(office.orchestrator.book(wish(idempotency_key="k")))

    with pytest.raises(AppointmentError) as caught:
        office.run(office.orchestrator.book(wish(**asked, correlation_id=given_id)))

    assert caught.value.correlation_id
    assert given_id in {"", caught.value.correlation_id}


@pytest.mark.parametrize("given_id", ["c-1", ""])
@pytest.mark.parametrize("asked", [{"reason": ""}, {"company_id": "other"}])
def test_a_refused_cancellation_carries_its_correlation_id(asked: dict[str, str], given_id: str) -> None:
    office = Office()
    office.given(*BOOKED)

    with pytest.raises(AppointmentError) as caught:
        office.run(office.orchestrator.cancel(replace(CANCEL, correlation_id=given_id, **asked)))  # type: ignore[arg-type]

    assert caught.value.correlation_id
    assert given_id in {"", caught.value.correlation_id}


def test_an_unknown_booking_is_told_with_a_correlation_id() -> None:
    office = Office()

    with pytest.raises(UnknownBooking) as caught:
        office.run(office.orchestrator.get(BOOKING_ID, company_id="acme"))

    assert caught.value.correlation_id


def _slow(office: Office, *seconds: float) -> None:
    """
    Let the next appends take so long, each before it is written.
    """
    write, left = office.log.append, list(seconds)

    async def slow(append: Append) -> AppendResult:
        if left:
            await asyncio.sleep(left.pop(0))
        return await write(append)

    office.log.append = slow  # type: ignore[method-assign]


def test_a_caller_gets_the_booked_booking() -> None:
    office = Office()

    result = office.run(office.orchestrator.book(WISH))

    assert (BookingStatus.BOOKED, BOOKING_ID, False, False) == (
        result.booking.status,
        result.booking.booking_id,
        result.replayed,
        result.near_duplicate,
    )


def test_what_is_not_known_or_wrong_stores_nothing() -> None:
    office = Office()

    with pytest.raises(UnknownService):
        office.run(office.orchestrator.book(wish(service_id="shave")))
    with pytest.raises(UnknownService):
        office.run(office.orchestrator.book(wish(company_id="bcme")))
    with pytest.raises(CustomerValidationError):
        office.run(office.orchestrator.book(wish(source="")))

    assert {} == office.log.streams


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
        return await asyncio.gather(*(office.orchestrator.book(WISH) for _ in range(5)))

    results = office.run(main())

    assert ([BookingStatus.BOOKED] * 5, [False, True, True, True, True], 1) == (
        [result.booking.status for result in results],
        [result.replayed for result in results],
        len(office.calcom.bookings),
    )


def test_a_caller_without_patience_is_told_of_a_durable_booking() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=4))

    result = office.run(office.orchestrator.book(WISH, patience=0))

    assert (BookingStatus.PENDING, 2) == (result.booking.status, result.booking.version)


def test_a_caller_whose_patience_ends_cancels_nothing() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=14))

    async def main() -> BookingResult:
        result = await office.orchestrator.book(WISH)
        await asyncio.sleep(10)
        return result

    assert (BookingStatus.PENDING, BookingStatus.BOOKED) == (
        office.run(main()).booking.status,
        office.booking().status,
    )


def test_a_caller_who_goes_away_cancels_nothing() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=4))

    async def main() -> None:
        task = asyncio.create_task(office.orchestrator.book(WISH))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(10)

    office.run(main())

    assert BookingStatus.BOOKED is office.booking().status


def test_a_caller_waits_for_what_is_left_to_the_worker() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="not_sent"))

    async def main() -> BookingResult:
        working = asyncio.create_task(office.worker.run())
        result = await office.orchestrator.book(WISH)
        await office.worker.stop(within=timedelta(seconds=1))
        await working
        return result

    assert BookingStatus.BOOKED is office.run(main()).booking.status


@pytest.mark.parametrize("patience", [0, 2, 5])
def test_nothing_is_acknowledged_before_it_is_durable(patience: float) -> None:
    office = Office()
    _slow(office, 60)

    with pytest.raises(AppointmentDatabaseError) as caught:
        office.run(office.orchestrator.book(WISH, patience=patience))

    assert ("timeout", BOOKING_ID, True) == (caught.value.kind, caught.value.booking_id, caught.value.retryable)


def test_the_booking_that_may_go_on_is_named_when_the_database_fails() -> None:
    office = Office()
    office.log.fates.append("fails_after")

    with pytest.raises(AppointmentDatabaseError) as caught:
        office.run(office.orchestrator.book(WISH))

    assert BOOKING_ID == caught.value.booking_id


def test_a_caller_with_some_patience_uses_it_after_the_wish_is_durable() -> None:
    office = Office()
    _slow(office, 1)
    office.calcom.creates.append(CreateFate(answers=2))

    assert BookingStatus.BOOKED is office.run(office.orchestrator.book(WISH, patience=4)).booking.status


def test_a_failed_booking_says_why() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="refused"))
    result = office.run(office.orchestrator.book(wish(correlation_id="c-1")))

    with pytest.raises(AppointmentCreationError) as caught:
        result.raise_for_failure()

    assert ("outside_availability", BOOKING_ID, "c-1", "not bookable then") == (
        caught.value.reason,
        caught.value.booking_id,
        caught.value.correlation_id,
        caught.value.message,
    )


def test_what_did_not_fail_is_returned() -> None:
    result = BookingResult(booking=given(*BOOKED))

    assert given(*BOOKED) == result.raise_for_failure()


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
    _slow(office, 60)

    with pytest.raises(AppointmentDatabaseError) as caught:
        office.run(office.orchestrator.cancel(CANCEL, patience=patience))

    assert (BOOKING_ID, BookingStatus.BOOKED) == (caught.value.booking_id, office.booking().status)


def test_a_cancellation_of_what_is_in_review_is_recorded() -> None:
    office = Office()
    office.given(*BOOKED, review())

    result = office.run(office.orchestrator.cancel(CANCEL))

    assert (BookingStatus.NEEDS_REVIEW, True) == (result.booking.status, result.booking.cancellation is not None)


@pytest.mark.parametrize(("company_id", "booking_id"), [("bcme", BOOKING_ID), ("acme", UUID(int=1))])
def test_another_companys_booking_is_unknown(company_id: str, booking_id: UUID) -> None:
    office = Office()
    office.run(office.orchestrator.book(WISH))

    with pytest.raises(UnknownBooking):
        office.run(office.orchestrator.get(booking_id, company_id=company_id))


def test_a_companys_own_booking_is_found() -> None:
    office = Office()
    result = office.run(office.orchestrator.book(WISH))

    assert result.booking == office.run(office.orchestrator.get(BOOKING_ID, company_id="acme"))


def test_draining_waits_for_what_was_started_here() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=4))

    async def main() -> None:
        await office.orchestrator.book(WISH, patience=0)
        await office.orchestrator.drain(within=timedelta(seconds=10))

    office.run(main())

    assert BookingStatus.BOOKED is office.booking().status


def test_draining_leaves_to_others_what_takes_too_long() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=40))

    async def main() -> None:
        await office.orchestrator.book(WISH, patience=0)
        await office.orchestrator.drain(within=timedelta(seconds=10))
        await office.orchestrator.drain(within=timedelta(seconds=10))

    office.run(main())

    assert (BookingStatus.PENDING, 1) == (office.booking().status, len(office.engine.leased))


def test_draining_nothing_takes_no_time() -> None:
    office = Office()

    office.run(office.orchestrator.drain(within=timedelta(seconds=10)))

    assert 0.0 == office.clock.seconds
