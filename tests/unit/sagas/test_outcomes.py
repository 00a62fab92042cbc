from __future__ import annotations

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError
from domain.events import CalcomBookingCreated
from sagas.appending import Append, AppendResult
from tests.fakes.calcom import CreateFate
from tests.fakes.calendar import FakeCalendar
from tests.fakes.given import (
    BOOKING_ID,
    cancellation,
    created,
    unknown,
)
from tests.fakes.office import Office
from tests.unit.sagas.driving import book_new, meanwhile, until_quiet


def test_a_lost_acknowledgement_of_the_announcement_is_doubt_for_the_next_process() -> None:
    office = Office()
    office.log.fates.append("fails_after")

    with pytest.raises(AppointmentDatabaseError):
        office.run(book_new(office))
    office.run(until_quiet(office))

    assert (BookingStatus.BOOKED, 1) == (office.booking().status, len(office.calcom.live()))


@pytest.mark.parametrize("fates", [["fails_before"], ["fails_after"], ["fails_before", "fails_after", "fails_before"]])
def test_an_outcome_is_written_until_the_database_takes_it(fates: list[str]) -> None:
    office = Office()

    async def break_down() -> None:
        office.log.fates.extend(fates)  # type: ignore[arg-type]

    meanwhile(office, break_down)
    office.run(book_new(office))

    assert (["initiated", "calcom-attempted", "calcom-created", "appointment-booked"], 1) == (
        office.topics(),
        len(office.log.appointments),
    )


def test_an_append_is_repeated_under_its_own_id_so_that_the_log_knows_it_again() -> None:
    office = Office()
    ids = []
    write = office.log.append

    async def noted(append: Append) -> AppendResult:
        ids.append(append.append_id)
        return await write(append)

    async def break_down() -> None:
        office.log.fates.append("fails_after")

    office.log.append = noted  # type: ignore[method-assign]
    meanwhile(office, break_down)
    office.run(book_new(office))

    first, second, again = ids
    assert (True, False) == (second == again, first == second)


def test_an_outcome_that_the_database_will_never_take_is_looked_for_later() -> None:
    office = Office()

    async def break_down() -> None:
        office.log.fates.append("rejects_before")

    meanwhile(office, break_down)
    with pytest.raises(AppointmentDatabaseError):
        office.run(book_new(office))
    office.run(until_quiet(office))

    assert (BookingStatus.BOOKED, "adopted", 1) == (
        office.booking().status,
        next(one.how for one in office.log.events(BOOKING_ID) if isinstance(one, CalcomBookingCreated)),
        len(office.calcom.bookings),
    )


def test_an_outcome_is_recorded_although_somebody_has_written_meanwhile() -> None:
    office = Office()

    async def cancel() -> None:
        office.log.write(BOOKING_ID, cancellation())

    meanwhile(office, cancel)
    office.run(book_new(office))
    office.run(until_quiet(office))

    assert (BookingStatus.CANCELLED, [], {}) == (
        office.booking().status,
        list(office.calcom.live()),
        office.log.appointments,
    )


@pytest.mark.parametrize("reads", [["fails_before"], ["fails_before", "fails_before"]])
def test_an_outcome_survives_a_database_that_cannot_be_read(reads: list[str]) -> None:
    office = Office()

    async def cancel() -> None:
        office.log.write(BOOKING_ID, cancellation())
        office.log.read_fates.extend(reads)  # type: ignore[arg-type]

    meanwhile(office, cancel)
    office.run(book_new(office))

    assert "calcom-created" == office.topics()[-1]


def test_a_database_that_will_never_be_read_ends_the_insisting() -> None:
    office = Office()

    async def cancel() -> None:
        office.log.write(BOOKING_ID, cancellation())
        office.log.read_fates.append("rejects_before")

    meanwhile(office, cancel)

    with pytest.raises(AppointmentDatabaseError):
        office.run(book_new(office))


def test_an_outcome_is_written_however_often_somebody_is_faster() -> None:
    office = Office()
    faster: list[Append] = []
    write = office.log.append

    async def somebody_is_faster(append: Append) -> AppendResult:
        if append.expected_version and len(faster) < 3:
            office.log.write(BOOKING_ID, cancellation(command_id=str(len(faster))))
            faster.append(append)
        return await write(append)

    office.log.append = somebody_is_faster  # type: ignore[method-assign]
    office.run(book_new(office))

    assert (3, "calcom-created") == (len(faster), office.topics()[-1])


def test_an_outcome_that_the_log_knows_already_is_not_written_again() -> None:
    office = Office()

    async def settle() -> None:
        (attempt,) = office.booking().ledger.lines
        (found,) = office.calcom.live()
        office.log.write(BOOKING_ID, unknown(attempt.attempt_id), created(attempt.attempt_id, found.uid))

    meanwhile(office, settle)
    office.run(book_new(office))

    assert ["initiated", "calcom-attempted", "calcom-outcome-unknown", "calcom-created"] == office.topics()


def test_an_outcome_is_kept_when_the_calendar_for_the_next_effect_cannot_be_found() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="pending"))
    found = office.calendar.of

    async def of(company_id: str) -> FakeCalendar:
        if office.calcom.happened:
            raise AppointmentDatabaseError("away", kind="connection_lost")
        return await found(company_id)

    office.calendar.of = of  # type: ignore[method-assign]

    with pytest.raises(AppointmentDatabaseError):
        office.run(book_new(office))

    assert "compensation-started" == office.topics()[-1]
    assert "calcom-created" in office.topics()


def test_without_an_outcome_nothing_is_written_when_the_calendar_cannot_be_found() -> None:
    office = Office()

    async def of(company_id: str) -> FakeCalendar:
        raise AppointmentDatabaseError("away", kind="connection_lost")

    office.calendar.of = of  # type: ignore[method-assign]

    with pytest.raises(AppointmentDatabaseError):
        office.run(book_new(office))

    assert {} == office.log.streams
