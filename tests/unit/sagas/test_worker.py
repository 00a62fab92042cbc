"""
The worker on the fakes: it takes what is due, whoever left it behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.booking import Booking, BookingStatus
from domain.errors import AppointmentDatabaseError
from sagas.appending import DueAfter, Lease
from sagas.engine import IN_TURN
from sagas.ports import Claimed
from tests.fakes.calcom import CreateFate
from tests.fakes.given import BOOKING_ID, attempted, initiated, not_sent
from tests.fakes.office import Office

NOW = DueAfter(delay=timedelta(0))


def _due(office: Office, *ids: UUID) -> None:
    for booking_id in ids:
        office.log.write(booking_id, initiated(staff_id=None, idempotency_key=str(booking_id)))
        office.agenda.put(booking_id, NOW)


async def _work(office: Office, seconds: float) -> None:
    working = asyncio.create_task(office.worker.run())
    await asyncio.sleep(seconds)
    await office.worker.stop(within=timedelta(seconds=60))
    await working


def test_what_is_due_is_driven() -> None:
    office = Office()
    _due(office, BOOKING_ID)

    count = office.run(office.worker.run_due())

    assert (1, BookingStatus.BOOKED, {}) == (count, office.booking().status, office.agenda.rows)


def test_what_is_not_due_is_left_alone() -> None:
    office = Office()
    office.given()
    office.agenda.put(BOOKING_ID, Lease(token=UUID(int=1), lasts=timedelta(seconds=45)))

    assert (0, []) == (office.run(office.worker.run_due()), office.calcom.happened)


def test_the_lease_of_a_dead_process_runs_out() -> None:
    office = Office()
    office.given(attempted())
    office.agenda.put(BOOKING_ID, Lease(token=UUID(int=1), lasts=timedelta(seconds=45)))

    office.run(_work(office, 50))

    assert "calcom-looked" in office.topics()


def test_due_work_without_a_booking_is_dropped() -> None:
    office = Office()
    office.agenda.put(BOOKING_ID, NOW)

    office.run(office.worker.run_due())

    assert {} == office.agenda.rows


def test_a_running_worker_comes_back_when_the_next_work_is_due() -> None:
    office = Office()
    office.given(attempted(), not_sent())
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(seconds=2.5)))

    office.run(_work(office, 2.6))

    assert (BookingStatus.BOOKED, True) == (office.booking().status, office.clock.seconds < 4)


def test_a_running_worker_sees_work_that_another_process_left() -> None:
    office = Office()

    async def main() -> None:
        working = asyncio.create_task(office.worker.run())
        await asyncio.sleep(10.3)
        _due(office, BOOKING_ID)
        await asyncio.sleep(1.1)
        await office.worker.stop(within=timedelta(seconds=60))
        await working

    office.run(main())

    assert BookingStatus.BOOKED is office.booking().status


def test_work_parked_in_this_process_wakes_the_worker() -> None:
    office = Office()
    moments = []

    async def main() -> None:
        working = asyncio.create_task(office.worker.run())
        await asyncio.sleep(10.2)
        office.agenda.put(BOOKING_ID, NOW)
        office.given()
        office.engine.parked.tell()
        await asyncio.sleep(0.001)
        moments.append(office.booking().status)
        await office.worker.stop(within=timedelta(seconds=60))
        await working

    office.run(main())

    assert [BookingStatus.BOOKED] == moments


def test_only_so_many_sagas_are_driven_at_once() -> None:
    office = Office(at_once=2)
    ids = [UUID(int=number) for number in range(1, 6)]
    _due(office, *ids)
    office.calcom.creates.extend([CreateFate(answers=3, squeezes_in=True)] * 5)
    most = []

    async def main() -> None:
        working = asyncio.create_task(office.worker.run())
        for _ in range(100):
            await asyncio.sleep(0.1)
            most.append(len(office.engine.leased))
        await office.worker.stop(within=timedelta(seconds=60))
        await working

    office.run(main())

    assert (2, [BookingStatus.BOOKED] * 5) == (max(most), [office.booking(one).status for one in ids])


def test_a_full_worker_claims_nothing() -> None:
    office = Office(at_once=1)
    _due(office, UUID(int=1), UUID(int=2))
    office.calcom.creates.append(CreateFate(answers=3))

    async def main() -> list[int]:
        first = asyncio.create_task(office.worker.run_due())
        await asyncio.sleep(1)
        return [await office.worker.run_due(), await first]

    assert [0, 1] == office.run(main())


def test_a_full_worker_takes_nobody_out_of_the_line() -> None:
    office = Office(at_once=1)
    _due(office, UUID(int=1), UUID(int=2))
    office.agenda.put(UUID(int=2), DueAfter(delay=timedelta(0), priority=IN_TURN))

    async def main() -> list[int]:
        return [await office.worker.run_due() for _ in range(3)]

    assert [1, 1, 0] == office.run(main())


def test_a_stopped_worker_finishes_what_it_drives() -> None:
    office = Office()
    _due(office, BOOKING_ID)
    office.calcom.creates.append(CreateFate(answers=3))

    office.run(_work(office, 1))

    assert (BookingStatus.BOOKED, True) == (office.booking().status, office.clock.seconds < 5)


def test_a_stopped_worker_leaves_to_others_what_takes_too_long() -> None:
    office = Office()
    _due(office, BOOKING_ID)
    office.calcom.creates.append(CreateFate(answers=300))

    async def main() -> None:
        working = asyncio.create_task(office.worker.run())
        await asyncio.sleep(1)
        await office.worker.stop(within=timedelta(seconds=10))
        await working

    office.run(main())

    assert (BookingStatus.PENDING, 1, True) == (
        office.booking().status,
        len(office.engine.leased),
        office.clock.seconds < 15,
    )


def test_a_worker_that_is_stopped_while_it_asks_what_is_due_ends_at_once() -> None:
    office = Office()
    worker = office.another_process(agenda=_SlowAgenda(office)).worker

    async def main() -> None:
        working = asyncio.create_task(worker.run())
        await asyncio.sleep(0.1)
        await worker.stop(within=timedelta(seconds=60))
        await working

    office.run(main())

    assert _SlowAgenda.ANSWERS_AFTER == pytest.approx(office.clock.seconds)


def test_work_that_is_parked_while_the_worker_asks_what_is_due_is_taken_up_at_once() -> None:
    office = Office()
    sagas = office.another_process(agenda=_SlowAgenda(office))
    moments = []

    async def main() -> None:
        working = asyncio.create_task(sagas.worker.run())
        await asyncio.sleep(_SlowAgenda.ANSWERS_AFTER / 2)
        # Both of its loops have an answer on the way that does not know of it, and both are to rest after that.
        office.agenda.put(BOOKING_ID, NOW)
        office.given()
        sagas.engine.parked.tell()
        await asyncio.sleep(_SlowAgenda.ANSWERS_AFTER)
        moments.append(office.booking().status)
        await sagas.worker.stop(within=timedelta(seconds=60))
        await working

    office.run(main())

    assert [BookingStatus.BOOKED] == moments


def test_a_saga_that_the_database_fails_is_taken_up_again(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    _due(office, BOOKING_ID)
    office.log.fates.append("fails_before")

    office.run(_work(office, 60))

    assert (BookingStatus.BOOKED, ["worker.saga.left"]) == (office.booking().status, caplog.messages)


def test_a_saga_that_trips_over_a_defect_does_not_take_the_others_down(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    other = UUID(int=2)
    _due(office, BOOKING_ID, other)
    create = office.calendar.create

    async def broken(booking: Booking, *, attempt_id: str, send_by: datetime) -> object:
        if booking.booking_id == other:
            raise ZeroDivisionError
        return await create(booking, attempt_id=attempt_id, send_by=send_by)

    office.calendar.create = broken  # type: ignore[method-assign, assignment]

    office.run(office.worker.run_due())

    assert (BookingStatus.BOOKED, BookingStatus.PENDING, ["worker.saga.crashed"]) == (
        office.booking().status,
        office.booking(other).status,
        caplog.messages,
    )


def test_an_agenda_that_cannot_be_read_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()
    _due(office, BOOKING_ID)
    agenda = _FailingAgenda(office)
    worker = office.another_process(agenda=agenda).worker

    async def main() -> None:
        working = asyncio.create_task(worker.run())
        await asyncio.sleep(3)
        await worker.stop(within=timedelta(seconds=1))
        await working

    office.run(main())

    assert (BookingStatus.BOOKED, ["worker.claim.failed"] * 2) == (office.booking().status, caplog.messages)


def test_released_work_is_due_at_once_and_only_for_its_lease() -> None:
    office = Office()
    _due(office, BOOKING_ID)

    async def main() -> list[int]:
        (claimed,) = await office.agenda.claim(limit=1, lease=timedelta(seconds=45))
        await office.agenda.release([(BOOKING_ID, UUID(int=1))])
        before = len(await office.agenda.claim(limit=1, lease=timedelta(seconds=45)))
        await office.agenda.release([(BOOKING_ID, claimed.token)])
        return [before, len(await office.agenda.claim(limit=1, lease=timedelta(seconds=45)))]

    assert [0, 1] == office.run(main())


class _FailingAgenda:
    def __init__(self, office: Office) -> None:
        self._inner = office.agenda
        self._failures = 2

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        if self._failures:
            self._failures -= 1
            raise AppointmentDatabaseError("away", kind="connection_lost")
        return await self._inner.claim(limit=limit, lease=lease)

    async def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        return await self._inner.claim_in_line(lease=lease)

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        await self._inner.release(claimed)

    async def wake(self, saga_id: UUID) -> None:
        await self._inner.wake(saga_id)

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        return await self._inner.next_due(in_line=in_line)


class _SlowAgenda(_FailingAgenda):
    ANSWERS_AFTER = 0.2

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self._failures = 0

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        due = await super().next_due(in_line=in_line)
        await asyncio.sleep(self.ANSWERS_AFTER)
        return due
