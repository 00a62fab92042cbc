"""
Where callers wait for a saga that somebody else drives, and workers for work that was left for later.

A saga of this process wakes them at once. One of another process is polled for, once
for all who wait for it, at a pace that slows down, and at once when a hint says that it
is over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from domain.booking import Booking
from domain.errors import AppointmentDatabaseError
from sagas.next_step import is_over

FIRST_POLL_SECONDS = 0.05
SLOWEST_POLL_SECONDS = 1.0


@dataclass(slots=True)
class _Seat:
    latest: Booking | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    hint: asyncio.Event = field(default_factory=asyncio.Event)
    sitting: int = 0
    poller: asyncio.Task[None] | None = None


class Parked:
    """Tells everybody who listens, each by an event of their own: whoever clears it keeps nobody else from hearing."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.Event] = []

    def listen(self) -> asyncio.Event:
        """Return an event that is set whenever work was left; to be cleared before asking what is due, not after."""
        listener = asyncio.Event()
        self._listeners.append(listener)
        return listener

    def tell(self) -> None:
        """Say that work was left, or that it is time to look around for another reason."""
        for listener in self._listeners:
            listener.set()


class WaitingRoom:
    """Hands every waiting caller the booking once its outcome is there."""

    def __init__(self, load: Callable[[UUID], Awaitable[Booking]]) -> None:
        self._load = load
        self._seats: dict[UUID, _Seat] = {}
        self._closed = False

    def told(self, booking: Booking) -> None:
        """Take note of a booking's new state, as the log has it."""
        seat = self._seats.get(booking.booking_id)
        if seat is not None:
            _update(seat, booking)

    def hinted(self, booking_id: UUID) -> None:
        """Look at the log at once if anybody waits for this booking."""
        seat = self._seats.get(booking_id)
        if seat is not None:
            seat.hint.set()

    def close(self) -> None:
        """Have nobody wait any longer, neither those who do nor those who come."""
        self._closed = True
        for seat in self._seats.values():
            seat.left.set()

    async def outcome(self, booking: Booking, *, seconds: float) -> Booking:
        """Return the booking when it is over, or as it is when the time is up or the room is closed."""
        if is_over(booking) or seconds <= 0 or self._closed:
            return booking
        seat = self._seats.setdefault(booking.booking_id, _Seat())
        seat.sitting += 1
        _update(seat, booking)
        if seat.poller is None:
            seat.poller = asyncio.create_task(self._poll(booking.booking_id, seat))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await seat.left.wait()
        finally:
            seat.sitting -= 1
            if not seat.sitting:
                seat.poller.cancel()
                self._seats.pop(booking.booking_id, None)
        return seat.latest or booking

    async def _poll(self, booking_id: UUID, seat: _Seat) -> None:
        pause = FIRST_POLL_SECONDS
        while not seat.left.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await seat.hint.wait()
            seat.hint.clear()
            pause = min(pause * 2, SLOWEST_POLL_SECONDS)
            # A database that is down is asked again; the caller's own time limit ends the wait.
            with suppress(AppointmentDatabaseError):
                _update(seat, await self._load(booking_id))


def _update(seat: _Seat, booking: Booking) -> None:
    if seat.latest is None or booking.version >= seat.latest.version:
        seat.latest = booking
    if is_over(seat.latest):
        seat.left.set()
