"""
The engine on the fakes: what it writes, in which order it acts, and what it does when it cannot write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from domain.booking import Booking, BookingStatus
from domain.errors import AppointmentDatabaseError
from domain.events import BookingEvent, CalcomBookingCreated, CalcomLooked
from domain.ledger import LineStatus
from sagas.appending import Append, AppendResult, InsertAppointment
from sagas.engine import Engine
from tests.fakes.calcom import CancelFate, CreateFate, LookFate
from tests.fakes.calendar import FakeCalendar
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    SERVICE,
    SLOT,
    attempted,
    cancellation,
    created,
    failed,
    initiated,
    not_persisted,
    unknown,
)
from tests.fakes.log import AppointmentRow
from tests.fakes.office import Office

STRANGER = UUID(int=9)


async def _new(office: Office) -> None:
    await office.engine.drive(office.engine.open(BOOKING_ID, initiated()))


async def _go_on(office: Office) -> None:
    await office.engine.drive(office.engine.begin(await office.engine.load(BOOKING_ID)))


async def _until_quiet(office: Office) -> None:
    while office.agenda.rows:
        await asyncio.sleep(5)
        await office.worker.run_due()


def _meanwhile(office: Office, act: Callable[[], Awaitable[None]]) -> None:
    """
    Act right after the next answer of Cal.com's, before anybody has recorded it.
    """
    create = office.calendar.create

    async def create_and_act(booking: Booking, *, attempt_id: str, send_by: datetime) -> object:
        outcome = await create(booking, attempt_id=attempt_id, send_by=send_by)
        office.calendar.create = create  # type: ignore[method-assign]
        await act()
        return outcome

    office.calendar.create = create_and_act  # type: ignore[method-assign, assignment]


def _stranger(office: Office, uid: str | None = "uid-0", *, booking_id: UUID = STRANGER) -> UUID:
    """
    Put a row into the way of the booking.
    """
    appointment_id = UUID(int=4)
    row = InsertAppointment(
        appointment_id=appointment_id,
        company_id="acme",
        booking_id=booking_id,
        idempotency_key="another",
        calcom_booking_uid=uid or "",
        service_id="cut",
        offered_as="cut",
        customer_id=UUID(int=5),
        staff_id="ann",
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
        source="webhook",
        retry_count=0,
        sync_attempt_count=0,
        last_sync_attempted_at=None,
        resilience_strategy=None,
    )
    office.log.appointments[appointment_id] = AppointmentRow(inserted=row)
    return appointment_id


def test_an_undisturbed_booking_costs_two_commits() -> None:
    office = Office()

    office.run(_new(office))

    assert (["initiated", "calcom-attempted", "calcom-created", "appointment-booked"], 2) == (
        office.topics(),
        office.log.commits,
    )


def test_after_it_nothing_is_claimed_due_or_leased() -> None:
    office = Office()

    office.run(_new(office))

    assert ({}, {}, set(), 1) == (
        office.log.claims,
        office.agenda.rows,
        office.engine.leased,
        len(office.log.customers),
    )


def test_while_cal_com_is_asked_the_saga_is_leased_and_claimed() -> None:
    office = Office()
    seen = []

    async def look() -> None:
        seen.append(
            (office.agenda.rows[BOOKING_ID].due_at, (BOOKING_ID, 0) in office.log.claims, len(office.engine.leased))
        )

    _meanwhile(office, look)
    office.run(_new(office))

    assert [(45.0, True, 1)] == seen


def test_nothing_is_asked_of_cal_com_that_is_not_in_the_log() -> None:
    office = Office()
    office.log.fates.append("fails_before")

    with pytest.raises(AppointmentDatabaseError):
        office.run(_new(office))

    assert ([], {}, set()) == (office.calcom.happened, office.log.streams, office.engine.leased)


def test_a_lost_acknowledgement_of_the_announcement_is_doubt_for_the_next_process() -> None:
    office = Office()
    office.log.fates.append("fails_after")

    with pytest.raises(AppointmentDatabaseError):
        office.run(_new(office))
    office.run(_until_quiet(office))

    assert (BookingStatus.BOOKED, 1) == (office.booking().status, len(office.calcom.live()))


@pytest.mark.parametrize("fates", [["fails_before"], ["fails_after"], ["fails_before", "fails_after", "fails_before"]])
def test_an_outcome_is_written_until_the_database_takes_it(fates: list[str]) -> None:
    office = Office()

    async def break_down() -> None:
        office.log.fates.extend(fates)  # type: ignore[arg-type]

    _meanwhile(office, break_down)
    office.run(_new(office))

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
    _meanwhile(office, break_down)
    office.run(_new(office))

    first, second, again = ids
    assert (True, False) == (second == again, first == second)


def test_an_outcome_that_the_database_will_never_take_is_looked_for_later() -> None:
    office = Office()

    async def break_down() -> None:
        office.log.fates.append("rejects_before")

    _meanwhile(office, break_down)
    with pytest.raises(AppointmentDatabaseError):
        office.run(_new(office))
    office.run(_until_quiet(office))

    assert (BookingStatus.BOOKED, "adopted", 1) == (
        office.booking().status,
        next(one.how for one in office.log.events(BOOKING_ID) if isinstance(one, CalcomBookingCreated)),
        len(office.calcom.bookings),
    )


def test_an_outcome_is_recorded_although_somebody_has_written_meanwhile() -> None:
    office = Office()

    async def cancel() -> None:
        office.log.write(BOOKING_ID, cancellation())

    _meanwhile(office, cancel)
    office.run(_new(office))
    office.run(_until_quiet(office))

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

    _meanwhile(office, cancel)
    office.run(_new(office))

    assert "calcom-created" == office.topics()[-1]


def test_a_database_that_will_never_be_read_ends_the_insisting() -> None:
    office = Office()

    async def cancel() -> None:
        office.log.write(BOOKING_ID, cancellation())
        office.log.read_fates.append("rejects_before")

    _meanwhile(office, cancel)

    with pytest.raises(AppointmentDatabaseError):
        office.run(_new(office))


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
    office.run(_new(office))

    assert (3, "calcom-created") == (len(faster), office.topics()[-1])


def test_an_outcome_that_the_log_knows_already_is_not_written_again() -> None:
    office = Office()

    async def settle() -> None:
        (attempt,) = office.booking().ledger.lines
        (found,) = office.calcom.live()
        office.log.write(BOOKING_ID, unknown(attempt.attempt_id), created(attempt.attempt_id, found.uid))

    _meanwhile(office, settle)
    office.run(_new(office))

    assert ["initiated", "calcom-attempted", "calcom-outcome-unknown", "calcom-created"] == office.topics()


def test_the_one_who_lost_starts_no_other_effect() -> None:
    office = Office()

    async def other() -> None:
        office.log.write(BOOKING_ID, cancellation())

    async def main() -> None:
        booking = await office.engine.load(BOOKING_ID)
        await other()
        await office.engine.drive(office.engine.begin(booking))

    office.given()
    office.run(main())

    assert ([], ["initiated", "cancellation-requested"]) == (office.calcom.happened, office.topics())


def test_the_one_who_lost_inspects_nothing() -> None:
    office = Office()
    office.given(attempted(), created())
    _stranger(office)

    async def main() -> None:
        run = office.engine.begin(await office.engine.load(BOOKING_ID))
        run.decide(not_persisted())
        office.log.write(BOOKING_ID, cancellation())
        await office.engine.drive(run)

    office.run(main())

    assert "cancellation-requested" == office.topics()[-1]


def test_two_drivers_make_one_booking() -> None:
    office = Office()

    async def main() -> None:
        first, second = (office.engine.open(BOOKING_ID, initiated()) for _ in range(2))
        await asyncio.gather(office.engine.drive(first), office.engine.drive(second))

    office.run(main())

    assert (1, BookingStatus.BOOKED) == (len(office.calcom.bookings), office.booking().status)


def test_two_who_cancel_cancel_once() -> None:
    office = Office()

    async def main() -> None:
        await _new(office)
        office.log.write(BOOKING_ID, cancellation())
        office.calcom.cancels.extend([CancelFate(answers=5), CancelFate(answers=3)])
        await asyncio.gather(_go_on(office), _go_on(office))
        await _until_quiet(office)

    office.run(main())

    assert (BookingStatus.CANCELLED, ["uid-1"]) == (office.booking().status, office.calcom.cancelled_by_us)


def test_a_refused_claim_asks_nothing_of_cal_com() -> None:
    office = Office()
    _stranger(office)

    office.run(_new(office))

    assert (["initiated", "failed"], [], {}, {}) == (
        office.topics(),
        office.calcom.happened,
        office.agenda.rows,
        office.log.claims,
    )


def test_a_row_that_stands_in_the_way_undoes_the_booking() -> None:
    office = Office()

    async def come_between() -> None:
        _stranger(office, uid=office.calcom.commit(event_type_id=99, starts_at=SLOT, ends_at=SLOT, attempt_id=None).uid)

    _meanwhile(office, come_between)
    office.run(_new(office))

    assert (BookingStatus.FAILED, "slot_taken", ["uid-1"], {}) == (
        office.booking().status,
        getattr(office.booking().failure, "reason", None),
        office.calcom.cancelled_by_us,
        office.agenda.rows,
    )


def test_a_row_without_a_uid_stands() -> None:
    office = Office()

    async def come_between() -> None:
        _stranger(office, uid=None)

    _meanwhile(office, come_between)
    office.run(_new(office))

    assert BookingStatus.FAILED is office.booking().status


def test_a_row_whose_booking_is_gone_at_cal_com_is_cleared_away() -> None:
    office = Office()
    rows = []

    async def come_between() -> None:
        rows.append(_stranger(office))

    _meanwhile(office, come_between)
    office.run(_new(office))

    assert (BookingStatus.BOOKED, False) == (office.booking().status, office.log.appointments[rows[0]].booked)


def test_a_row_that_somebody_else_cleared_away_is_gone() -> None:
    office = Office()

    office.given(attempted(), created(), not_persisted())
    office.run(_go_on(office))

    assert BookingStatus.BOOKED is office.booking().status


def test_a_row_of_a_booking_of_ours_ends_that_booking_on_its_own_stream() -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        office.log.write(other, initiated(), *_as_uid("uid-0"))
        _stranger(office, booking_id=other)

    _meanwhile(office, come_between)
    office.run(_new(office))
    office.run(_until_quiet(office))

    assert (BookingStatus.BOOKED, BookingStatus.CANCELLED) == (office.booking().status, office.booking(other).status)


def test_a_row_whose_booking_says_something_else_is_waited_for() -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        office.log.write(other, initiated(), *_as_uid("uid-8"))
        _stranger(office, booking_id=other)

    _meanwhile(office, come_between)
    office.run(_new(office))

    assert ("obstacle-inspected", [BookingStatus.BOOKED]) == (office.topics()[-1], [office.booking(other).status])


def test_a_row_whose_booking_is_written_meanwhile_is_waited_for() -> None:
    office = Office()
    other = UUID(int=9)
    is_live = office.calendar.is_live

    async def is_live_and_written(uid: str) -> bool | None:
        office.log.write(other, cancellation())
        return await is_live(uid)

    async def come_between() -> None:
        office.log.write(other, initiated(), *_as_uid("uid-0"))
        _stranger(office, booking_id=other)

    office.calendar.is_live = is_live_and_written  # type: ignore[method-assign]
    _meanwhile(office, come_between)
    office.run(_new(office))

    assert (True, "obstacle-inspected") == (
        office.log.appointments[UUID(int=4)].booked,
        office.topics()[-1],
    )


@pytest.mark.parametrize("cancelling", [True, False])
def test_a_row_that_is_being_cancelled_or_cannot_be_looked_up_is_waited_for(*, cancelling: bool) -> None:
    office = Office()
    other = UUID(int=9)

    async def come_between() -> None:
        events = (*_as_uid("uid-0"), cancellation()) if cancelling else _as_uid("uid-0")
        office.log.write(other, initiated(), *events)
        _stranger(office, booking_id=other)
        office.calcom.silences.append(True)

    async def main() -> None:
        _meanwhile(office, come_between)
        await _new(office)
        row = office.log.appointments[UUID(int=4)]
        office.log.appointments[UUID(int=4)] = replace(row, booked=False)
        await _until_quiet(office)

    office.run(main())

    assert (BookingStatus.BOOKED, 1) == (office.booking().status, office.topics().count("obstacle-inspected"))


def test_a_look_that_finds_nothing_is_written_with_what_is_due_then() -> None:
    office = Office()
    office.given(*IN_DOUBT)
    office.clock.advance(11)

    office.run(_go_on(office))

    assert ("calcom-looked", 13.0, 1) == (
        office.topics()[-1],
        office.agenda.rows[BOOKING_ID].due_at,
        office.agenda.rows[BOOKING_ID].priority,
    )


def test_a_booking_that_waits_for_a_retry_is_not_urgent() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="not_sent"))

    office.run(_new(office))

    assert (5, True) == (office.agenda.rows[BOOKING_ID].priority, office.engine.parked.is_set())


def test_surplus_is_urgent() -> None:
    office = Office()
    office.given(*ABSENT, failed(), created(late=True))
    office.calcom.cancels.append(CancelFate(does="fails"))
    office.clock.advance(200)

    office.run(_go_on(office))

    assert 1 == office.agenda.rows[BOOKING_ID].priority


def test_what_brings_no_news_is_not_repeated_at_once() -> None:
    office = Office()
    office.given(*IN_DOUBT)
    office.clock.advance(20)
    office.engine._effects.perform = _no_news  # type: ignore[method-assign, assignment]

    office.run(_go_on(office))

    assert ("calcom-outcome-unknown", 21.0) == (office.topics()[-1], office.agenda.rows[BOOKING_ID].due_at)


async def _no_news(run: object, effect: object, announce: Callable[[], Awaitable[bool]]) -> object:
    assert await announce()
    return lambda _: ()


def test_the_wait_of_a_saga_is_written_once() -> None:
    office = Office()

    async def main() -> None:
        await _new(office)
        commits = office.log.commits
        run = office.engine.begin(await office.engine.load(BOOKING_ID))
        await office.engine.drive(run)
        await office.engine.drive(run)
        assert commits + 1 == office.log.commits

    office.calcom.creates.append(CreateFate(does="not_sent", retry_after=100))
    office.run(main())


def test_a_run_has_the_correlation_id_of_its_booking_unless_it_is_given_one() -> None:
    office = Office()
    booking = office.given()
    named = replace(booking, initiated=initiated(correlation_id="c-7"))

    assert ("c-7", "c-9", "") == (
        office.engine.begin(named).correlation_id,
        office.engine.begin(named, correlation_id="c-9").correlation_id,
        office.engine.begin(booking).correlation_id,
    )


def test_a_run_keeps_the_lease_that_its_work_was_claimed_with() -> None:
    office = Office()

    assert UUID(int=3) == office.engine.begin(office.given(), token=UUID(int=3)).token


def test_a_drive_that_is_cancelled_leaves_its_lease_to_be_handed_over() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=9))

    async def main() -> set[tuple[UUID, UUID]]:
        task = asyncio.create_task(_new(office))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        return office.engine.leased

    assert [BOOKING_ID] == [saga_id for saga_id, _ in office.run(main())]


def test_a_paused_process_does_not_send_too_late() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(waits=6))

    office.run(_new(office))

    assert [LineStatus.NOT_SENT] == [line.status for line in office.booking().ledger.lines]


def test_an_announcement_that_took_too_long_sends_nothing() -> None:
    office = Office()
    write = office.log.append

    async def slow(append: Append) -> AppendResult:
        result = await write(append)
        await asyncio.sleep(5)
        return result

    office.log.append = slow  # type: ignore[method-assign]
    office.run(_new(office))

    assert {} == office.calcom.bookings


def test_a_look_that_was_taken_twice_counts_once() -> None:
    office = Office()
    office.given(*IN_DOUBT)
    office.clock.advance(80)
    office.calcom.looks.extend([LookFate(answers=3), LookFate(answers=5)])

    async def main() -> None:
        await asyncio.gather(_go_on(office), _go_on(office))

    office.run(main())

    moments = [one.started_at for one in office.log.events(BOOKING_ID) if isinstance(one, CalcomLooked)]
    assert sorted(set(moments)) == moments


def test_a_second_engine_goes_on_where_the_first_one_stopped() -> None:
    office = Office()
    office.given(*BOOKED, cancellation())

    async def main(engine: Engine) -> None:
        await engine.drive(engine.begin(await engine.load(BOOKING_ID)))

    office.log.appointments[UUID(int=1)] = AppointmentRow(inserted=office.log.appointments[_stranger(office)].inserted)
    office.run(main(office.another_engine()))

    assert BookingStatus.CANCELLED is office.booking().status


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
        office.run(_new(office))

    assert "compensation-started" == office.topics()[-1]
    assert "calcom-created" in office.topics()


def test_without_an_outcome_nothing_is_written_when_the_calendar_cannot_be_found() -> None:
    office = Office()

    async def of(company_id: str) -> FakeCalendar:
        raise AppointmentDatabaseError("away", kind="connection_lost")

    office.calendar.of = of  # type: ignore[method-assign]

    with pytest.raises(AppointmentDatabaseError):
        office.run(_new(office))

    assert {} == office.log.streams


def _as_uid(uid: str) -> tuple[BookingEvent, ...]:
    return (attempted(), created(uid=uid), BOOKED[-1])
