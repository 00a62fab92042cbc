"""
The front door on the fakes: what callers are told, and when.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import (
    AppointmentCreationError,
    AppointmentDatabaseError,
    AppointmentError,
    CustomerValidationError,
    UnknownBooking,
    UnknownService,
)
from sagas.wishes import BookingResult
from tests.fakes.calcom import CreateFate
from tests.fakes.given import BOOKED, BOOKING_ID, WISH, given, wish
from tests.fakes.office import Office
from tests.unit.sagas.front_door import slow


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


def test_an_unknown_booking_is_told_with_a_correlation_id() -> None:
    office = Office()

    with pytest.raises(UnknownBooking) as caught:
        office.run(office.orchestrator.get(BOOKING_ID, company_id="acme"))

    assert caught.value.correlation_id


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
    slow(office, 60)

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
    slow(office, 1)
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
