"""
What callers were told, and what of it must still be true when everything is quiet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.booking import Booking, BookingStatus
from tests.machine.offers import Wish

_FINAL = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})


@dataclass(slots=True)
class Promises:
    """
    `standing` are the bookings that somebody was told are booked, with their start if nobody has wanted another one.

    What somebody asks to have cancelled, or cancels at Cal.com, is released: it may end either way.
    """

    standing: dict[UUID, datetime | None] = field(default_factory=dict)
    ended: dict[UUID, BookingStatus] = field(default_factory=dict)
    versions: dict[UUID, int] = field(default_factory=dict)
    bookings: dict[Wish, UUID] = field(default_factory=dict)
    by_key: dict[str, set[UUID]] = field(default_factory=dict)
    released: set[UUID] = field(default_factory=set)
    moved: set[UUID] = field(default_factory=set)
    moving: set[UUID] = field(default_factory=set)
    moved_at_calcom: set[UUID] = field(default_factory=set)

    def told(self, booking: Booking) -> None:
        """
        Take note of what a caller heard of a booking.
        """
        self.versions[booking.booking_id] = max(booking.version, self.versions.get(booking.booking_id, 0))
        if booking.status is BookingStatus.BOOKED:
            unsure = booking.booking_id in self.moving | self.moved_at_calcom
            self.standing[booking.booking_id] = None if unsure else booking.starts_at
        if booking.status in _FINAL:
            self.ended[booking.booking_id] = booking.status

    def told_of(self, wish: Wish, booking: Booking) -> None:
        """
        Take note of the booking that a wish has led to.
        """
        self.told(booking)
        self.bookings[wish] = booking.booking_id
        if wish.key is not None:
            self.by_key.setdefault(wish.key, set()).add(booking.booking_id)

    def release(self, booking_id: UUID) -> None:
        self.released.add(booking_id)

    def wants_moved(self, booking_id: UUID) -> None:
        """
        A caller wants another time, and may get it.
        """
        self.moved.add(booking_id)
        self.moving.add(booking_id)
        self._forget_time(booking_id)

    def moves_at_calcom(self, booking_id: UUID) -> None:
        """
        A person moves it, of which no caller can know before it is quiet.
        """
        self.moved.add(booking_id)
        self.moved_at_calcom.add(booking_id)
        self._forget_time(booking_id)

    def told_moved(self, booking: Booking) -> None:
        """
        Take note of the new time that a caller was told of.
        """
        self.moving.discard(booking.booking_id)
        self.told(booking)

    def is_quiet(self) -> None:
        """
        By now everybody knows of everything.
        """
        self.moving.clear()
        self.moved_at_calcom.clear()

    def _forget_time(self, booking_id: UUID) -> None:
        if booking_id in self.standing:
            self.standing[booking_id] = None

    def stands(self, booking_id: UUID | None) -> bool:
        """
        Tell whether a booking was promised, at the time at which it was wished for, and nobody has done anything.
        """
        untouched = booking_id not in self.released and booking_id not in self.moved
        return booking_id in self.standing and untouched

    def broken(self, bookings: Mapping[UUID, Booking]) -> Iterator[str]:
        """
        Yield every promise that was not kept.
        """
        for booking_id, version in self.versions.items():
            if booking_id not in bookings or bookings[booking_id].version < version:
                yield f"a caller was told of {booking_id} at version {version}, and the log does not have it"
        for booking_id, starts_at in self.standing.items():
            booking = bookings.get(booking_id)
            if booking is None or booking_id in self.released:
                continue
            if booking.status is not BookingStatus.BOOKED:
                yield f"a caller was told that {booking_id} is booked, and it is {booking.status}"
            elif starts_at not in {None, booking.starts_at}:
                yield f"a caller was told that {booking_id} is at {starts_at}, and it is at {booking.starts_at}"
        for booking_id, status in self.ended.items():
            now = bookings[booking_id].status if booking_id in bookings else None
            if now is not status:
                yield f"a caller was told that {booking_id} is {status}, and it is {now}"
        for key, ids in self.by_key.items():
            if len(ids) > 1:
                yield f"the key {key!r} led to several bookings: {sorted(map(str, ids))}"
