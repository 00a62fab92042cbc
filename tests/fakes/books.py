"""
What the reconciler compares, and its pace, in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.service import Service
from sagas.reconciling import BookedRow
from tests.fakes.log import FakeLog


class FakeBooks:
    """
    The log's appointments, the given services, and a watermark for each event type.
    """

    def __init__(self, log: FakeLog, *services: Service) -> None:
        self._log = log
        self._services = services
        self.watermarks: dict[tuple[str, int], datetime] = {}

    async def services(self) -> Sequence[Service]:
        return self._services

    async def booked(self, *, company_id: str, event_type_id: int, ending_after: datetime) -> Sequence[BookedRow]:
        booked_as = {one.service_id for one in self._services if one.calcom_event_type_id == event_type_id}
        rows = [one.inserted for one in self._log.appointments.values() if one.booked]
        return [
            BookedRow(booking_id=row.booking_id, uid=row.calcom_booking_uid)
            for row in rows
            # A row that other software has written has no stream, and is none of the reconciler's business.
            if row.booking_id in self._log.streams
            and row.company_id == company_id
            and row.service_id in booked_as
            and row.ends_at > ending_after
        ]

    async def swept_until(self, *, company_id: str, event_type_id: int) -> datetime | None:
        return self.watermarks.get((company_id, event_type_id))

    async def swept(self, *, company_id: str, event_type_id: int, until: datetime) -> None:
        self.watermarks[company_id, event_type_id] = until


class FakePace:
    """
    Never waits, and counts the turns.
    """

    def __init__(self) -> None:
        self.turns = 0

    async def wait(self) -> None:
        self.turns += 1
