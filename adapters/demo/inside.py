"""calsaga's side: the log as it grows, and the appointments, read without calsaga's own queries."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from adapters.demo.front_desk import SOURCE
from adapters.demo.judging import Row
from adapters.log.event_log import EventLog
from domain.booking import Booking, initial_state
from domain.evolving import evolve
from sagas.appending import OtherEvent, Recorded

BATCH = 2000
_ROWS = """
SELECT booking_id, calcom_booking_uid, staff_id, starts_at, ends_at FROM appointments
WHERE status = 'booked' AND source <> ?
"""


@dataclass(slots=True)
class Chronicle:
    """Every booking, folded event by event as the log grows."""

    log: EventLog
    position: int = 0
    bookings: dict[UUID, Booking] = field(default_factory=dict)
    streams: dict[UUID, list[Recorded]] = field(default_factory=dict)

    async def read_on(self) -> None:
        """Read what is new."""
        while True:
            entries = await self.log.read_all(after=self.position, limit=BATCH)
            for one in entries:
                if not isinstance(one, Recorded):
                    raise TypeError(one.problem)
                if not isinstance(one.event, OtherEvent):
                    booking = self.bookings.get(one.stream_id) or initial_state(one.stream_id)
                    self.bookings[one.stream_id] = evolve(booking, one.event)
                    self.streams.setdefault(one.stream_id, []).append(one)
                self.position = one.position
            if len(entries) < BATCH:
                return

    def standing(self) -> Counter[str]:
        """Return how many bookings stand where; one in doubt is counted as that."""
        return Counter(
            "in doubt" if booking.ledger.open else booking.status.value for booking in self.bookings.values()
        )


def rows_of(database: Path) -> tuple[Row, ...]:
    """Return the booked appointments that calsaga has written."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(_ROWS, (SOURCE,)).fetchall()
    return tuple(
        Row(
            booking_id=UUID(booking_id),
            uid=uid,
            staff_id=staff_id,
            starts_at=datetime.fromisoformat(starts_at),
            ends_at=datetime.fromisoformat(ends_at),
        )
        for booking_id, uid, staff_id, starts_at, ends_at in found
    )


def owes_anything(database: Path) -> bool:
    """Tell whether any saga has something to do, now or later."""
    with closing(sqlite3.connect(database)) as connection:
        return bool(connection.execute("SELECT EXISTS (SELECT * FROM saga_due)").fetchone()[0])
