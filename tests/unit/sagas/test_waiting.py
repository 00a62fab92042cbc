"""
Waiting for a saga that somebody else drives.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from domain.booking import Booking, BookingStatus, initial_state
from domain.errors import AppointmentDatabaseError
from sagas.waiting import WaitingRoom
from tests.fakes.given import BOOKED, BOOKING_ID, attempted, given
from tests.fakes.time import FakeClock, run_virtually


class Shelf:
    """
    Loads what lies on it, counts how often, and may fail.
    """

    def __init__(self, booking: Booking) -> None:
        self.booking = booking
        self.loads = 0
        self.failures = 0

    async def load(self, booking_id: UUID) -> Booking:
        assert BOOKING_ID == booking_id
        self.loads += 1
        if self.loads <= self.failures:
            raise AppointmentDatabaseError("away", kind="connection_lost")
        return self.booking


def test_what_is_over_is_handed_out_at_once() -> None:
    clock, shelf = FakeClock(), Shelf(given(*BOOKED))

    booking = run_virtually(WaitingRoom(shelf.load).outcome(given(*BOOKED), seconds=10), clock)

    assert (given(*BOOKED), 0.0, 0) == (booking, clock.seconds, shelf.loads)


def test_without_time_nobody_waits() -> None:
    clock, shelf = FakeClock(), Shelf(given(*BOOKED))

    booking = run_virtually(WaitingRoom(shelf.load).outcome(given(), seconds=0), clock)

    assert (BookingStatus.PENDING, 0) == (booking.status, shelf.loads)


def test_a_saga_of_another_process_is_polled_for() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    async def main() -> Booking:
        asyncio.get_running_loop().call_later(3, lambda: setattr(shelf, "booking", given(*BOOKED)))
        return await WaitingRoom(shelf.load).outcome(given(), seconds=10)

    booking = run_virtually(main(), clock)

    assert (BookingStatus.BOOKED, True, 7) == (booking.status, 3 < clock.seconds < 4.1, shelf.loads)


def test_a_saga_of_this_process_wakes_who_waits() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    async def main() -> list[Booking]:
        room = WaitingRoom(shelf.load)
        asyncio.get_running_loop().call_later(0.01, lambda: room.told(given(*BOOKED)))
        return await asyncio.gather(*(room.outcome(given(), seconds=10) for _ in range(3)))

    bookings = run_virtually(main(), clock)

    assert ([BookingStatus.BOOKED] * 3, 0.01, 0) == ([one.status for one in bookings], clock.seconds, shelf.loads)


def test_a_hint_makes_a_waiting_caller_look_at_once_and_believe_the_log_alone() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    async def main() -> Booking:
        room, loop = WaitingRoom(shelf.load), asyncio.get_running_loop()
        loop.call_later(1.9, room.hinted, BOOKING_ID)
        loop.call_later(2.0, lambda: setattr(shelf, "booking", given(*BOOKED)))
        loop.call_later(2.1, room.hinted, BOOKING_ID)
        return await room.outcome(given(), seconds=10)

    booking = run_virtually(main(), clock)

    assert (BookingStatus.BOOKED, 2.1) == (booking.status, round(clock.seconds, 3))


def test_a_hint_for_nobody_makes_nobody_look() -> None:
    shelf = Shelf(given(*BOOKED))

    WaitingRoom(shelf.load).hinted(BOOKING_ID)

    assert 0 == shelf.loads


def test_many_who_wait_ask_once() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    async def main() -> list[Booking]:
        room = WaitingRoom(shelf.load)
        return await asyncio.gather(*(room.outcome(given(), seconds=0.2) for _ in range(50)))

    run_virtually(main(), clock)

    assert 2 == shelf.loads


def test_when_the_time_is_up_the_latest_is_handed_out() -> None:
    clock, shelf = FakeClock(), Shelf(given(attempted()))

    booking = run_virtually(WaitingRoom(shelf.load).outcome(given(), seconds=2), clock)

    assert (given(attempted()), 2.0) == (booking, clock.seconds)


def test_old_news_does_not_replace_newer() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    booking = run_virtually(WaitingRoom(shelf.load).outcome(given(attempted()), seconds=2), clock)

    assert given(attempted()) == booking


def test_a_database_that_is_away_is_asked_again() -> None:
    clock, shelf = FakeClock(), Shelf(given(*BOOKED))
    shelf.failures = 3

    booking = run_virtually(WaitingRoom(shelf.load).outcome(given(), seconds=10), clock)

    assert (BookingStatus.BOOKED, 4) == (booking.status, shelf.loads)


def test_news_of_a_booking_that_nobody_waits_for_is_forgotten() -> None:
    room = WaitingRoom(Shelf(given()).load)

    room.told(initial_state(UUID(int=1)))

    assert {} == room._seats


def test_an_empty_room_asks_nobody_any_more() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    async def main() -> dict[UUID, object]:
        room = WaitingRoom(shelf.load)
        await room.outcome(given(), seconds=1)
        loads = shelf.loads
        await asyncio.sleep(100)
        assert loads == shelf.loads
        return dict(room._seats)

    assert {} == run_virtually(main(), clock)


def test_a_room_that_is_closed_is_left_at_once_and_entered_by_nobody() -> None:
    clock, shelf = FakeClock(), Shelf(given())

    async def main() -> list[Booking]:
        room = WaitingRoom(shelf.load)
        asyncio.get_running_loop().call_later(1, room.close)
        return [await room.outcome(given(attempted()), seconds=10) for _ in range(2)]

    bookings = run_virtually(main(), clock)

    assert ([given(attempted())] * 2, 1.0) == (bookings, clock.seconds)
