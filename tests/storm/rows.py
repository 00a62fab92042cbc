"""
The booked appointments of a database.
"""

from __future__ import annotations

import sqlalchemy as sa

from adapters.database.tables import appointments
from adapters.log.store import Store
from tests.storm.judge import Row


def booked_rows(store: Store) -> list[Row]:
    with store.engine.connect() as connection:
        return [
            Row(
                booking_id=row.booking_id,
                uid=row.calcom_booking_uid,
                staff_id=row.staff_id,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                leg=row.leg,
                overlaps=row.overlap_allowed,
            )
            for row in connection.execute(sa.select(appointments).where(appointments.c.status == "booked"))
        ]
