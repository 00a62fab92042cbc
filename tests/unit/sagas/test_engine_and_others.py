"""
The engine beside others that drive or change the same saga: what it leaves to whom, and that nothing is done twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from uuid import UUID

from domain.booking import BookingStatus
from domain.events import CalcomLooked
from sagas.engine import Engine
from tests.fakes.calcom import CancelFate, CreateFate, LookFate
from tests.fakes.given import BOOKED, BOOKING_ID, IN_DOUBT, attempted, cancellation, created, initiated, not_persisted
from tests.fakes.office import Office
from tests.fakes.rows import AppointmentRow
from tests.unit.sagas.driving import book_new, go_on, meanwhile, stranger, until_quiet


def test_whoever_is_held_back_gives_way_to_who_has_written_meanwhile() -> None:
    office = Office()

    class Meddled(deque[CreateFate]):
        def popleft(self) -> CreateFate:
            fate = super().popleft()
            if fate.does == "held_back":
                office.log.write(BOOKING_ID, cancellation(seconds=office.clock.seconds))
            return fate

    office.calcom.creates = Meddled([CreateFate(does="lost"), CreateFate(does="held_back", retry_after=30)])

    async def main() -> None:
        await book_new(office)
        await until_quiet(office)

    office.run(main())

    assert (BookingStatus.CANCELLED, True) == (office.booking().status, "deferred" not in office.topics())


def test_while_cal_com_is_asked_the_saga_is_leased_and_claimed() -> None:
    office = Office()
    seen = []

    async def look() -> None:
        seen.append(
            (office.agenda.rows[BOOKING_ID].due_at, (BOOKING_ID, 0) in office.log.claims, len(office.engine.leased))
        )

    meanwhile(office, look)
    office.run(book_new(office))

    assert [(45.0, True, 1)] == seen


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
    stranger(office)

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
        await book_new(office)
        office.log.write(BOOKING_ID, cancellation())
        office.calcom.cancels.extend([CancelFate(answers=5), CancelFate(answers=3)])
        await asyncio.gather(go_on(office), go_on(office))
        await until_quiet(office)

    office.run(main())

    assert (BookingStatus.CANCELLED, ["uid-1"]) == (office.booking().status, office.calcom.cancelled_by_us)


def test_a_run_keeps_the_lease_that_its_work_was_claimed_with() -> None:
    office = Office()

    assert UUID(int=3) == office.engine.begin(office.given(), token=UUID(int=3)).token


def test_a_drive_that_is_cancelled_leaves_its_lease_to_be_handed_over() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(answers=9))

    async def main() -> set[tuple[UUID, UUID]]:
        task = asyncio.create_task(book_new(office))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        return office.engine.leased

    assert [BOOKING_ID] == [saga_id for saga_id, _ in office.run(main())]


def test_a_look_that_was_taken_twice_counts_once() -> None:
    office = Office()
    office.given(*IN_DOUBT)
    office.clock.advance(80)
    office.calcom.looks.extend([LookFate(answers=3), LookFate(answers=5)])

    async def main() -> None:
        await asyncio.gather(go_on(office), go_on(office))

    office.run(main())

    moments = [one.started_at for one in office.log.events(BOOKING_ID) if isinstance(one, CalcomLooked)]
    assert sorted(set(moments)) == moments


def test_a_second_engine_goes_on_where_the_first_one_stopped() -> None:
    office = Office()
    office.given(*BOOKED, cancellation())

    async def main(engine: Engine) -> None:
        await engine.drive(engine.begin(await engine.load(BOOKING_ID)))

    office.log.appointments[UUID(int=1)] = AppointmentRow(inserted=office.log.appointments[stranger(office)].inserted)
    office.run(main(office.another_engine()))

    assert BookingStatus.CANCELLED is office.booking().status
