"""
The reconciler's view of this side, in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.service import Service
from sagas.reconciling import BookedRow
from tests.fakes.log import FakeLog


class FakeBooks:
    """
    The appointments of the fake log, and watermarks.
    """

    def __init__(self, log: FakeLog, *services: Service) -> None:
        self._log = log
        self._services = services
        self.marks: dict[tuple[str, int], datetime] = {}

    async def services(self) -> Sequence[Service]:
        return self._services

    async def booked(self, *, company_id: str, event_type_id: int, ending_after: datetime) -> Sequence[BookedRow]:
        own = {
            one.service_id
            for one in self._services
            if (one.company_id, one.calcom_event_type_id) == (company_id, event_type_id)
        }
        # A row that other software has written has no stream, and is none of the reconciler's business.
        rows = (one.inserted for one in self._log.appointments.values() if one.booked)
        return [
            BookedRow(booking_id=row.booking_id, uid=row.calcom_booking_uid)
            for row in rows
            if row.booking_id in self._log.streams
            and row.service_id in own
            and row.ends_at > ending_after
            and row.calcom_booking_uid
        ]

    async def swept_until(self, *, company_id: str, event_type_id: int) -> datetime | None:
        return self.marks.get((company_id, event_type_id))

    async def swept(self, *, company_id: str, event_type_id: int, until: datetime) -> None:
        self.marks[company_id, event_type_id] = until


class NoPace:
    """
    As many calls as anybody likes.
    """

    async def wait(self) -> None:
        return
