"""
Reading the appointments beside the log in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sagas.ports import RowInTheWay
from tests.fakes.log import FakeLog


class FakeAppointments:
    """
    The log's appointments, for reading.
    """

    def __init__(self, log: FakeLog) -> None:
        self._log = log

    async def find(self, appointment_id: UUID) -> RowInTheWay | None:
        row = self._log.appointments.get(appointment_id)
        if row is None:
            return None
        return RowInTheWay(
            appointment_id=appointment_id,
            booking_id=row.inserted.booking_id,
            calcom_booking_uid=row.inserted.calcom_booking_uid or None,
            is_booked=row.booked,
        )

    async def holders(self, *, company_id: str, uids: Sequence[str]) -> Mapping[str, UUID]:
        rows = [one.inserted for one in self._log.appointments.values()]
        return {
            row.calcom_booking_uid: row.booking_id
            for row in rows
            if row.company_id == company_id and row.calcom_booking_uid in uids
        }

    async def companies(self, uids: Sequence[str]) -> Mapping[str, str]:
        rows = [one.inserted for one in self._log.appointments.values()]
        return {row.calcom_booking_uid: row.company_id for row in rows if row.calcom_booking_uid in uids}
