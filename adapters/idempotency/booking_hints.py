"""What is remembered of bookings: under way for as long as a lease, over for a day."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from adapters.idempotency.marks import KEPT_SECONDS, Marks
from adapters.metrics import Outcome, Tier
from domain.booking import Booking
from sagas.next_step import is_over


class BookingHints:
    """The port `Hints`; the mark of a booking whose process has died is gone with its lease."""

    def __init__(self, marks: Marks, *, lease: timedelta, count: Callable[[Tier, Outcome], None]) -> None:
        self._marks = marks
        self._lease = lease
        self._count = count

    async def seen(self, booking_id: UUID) -> bool:
        """Tell whether somebody seems to have begun the booking."""
        return await self._marks.seen(_name(booking_id))

    def told(self, booking: Booking) -> None:
        """Mark the booking, and wake those who wait for it in other processes once it is over."""
        over = is_over(booking)
        seconds = KEPT_SECONDS if over else self._lease.total_seconds()
        self._marks.put(_name(booking.booking_id), word=booking.status.value, seconds=seconds)
        if over:
            self._marks.announce(booking.booking_id)

    def judged(self, booking: Booking, *, repeated: bool) -> None:
        """Count what the log has said, and mark what it knew, so that the next repeat finds it sooner."""
        self._count("log", "hit" if repeated else "miss")
        if repeated:
            self.told(booking)


def _name(booking_id: UUID) -> str:
    return f"booking:{booking_id}"
