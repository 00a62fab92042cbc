"""
Who is busy, and whom Cal.com offers, for choosing between several people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.errors import AppointmentDatabaseError
from domain.period import Period
from domain.service import Service
from domain.staffing import Busy
from sagas.appending import InsertAppointment, SlotClaim
from sagas.ports import DiaryPage
from tests.fakes.log import FakeLog


class FakeDiary:
    """
    The claims and the booked appointments of the log in memory; `asked` is for whom, `error` what it answers.
    """

    def __init__(self, log: FakeLog) -> None:
        self._log = log
        self.asked: list[tuple[Period, Sequence[str]]] = []
        self.as_of = 7
        self.error: AppointmentDatabaseError | None = None

    async def read(self, period: Period, *, company_id: str, staff_ids: Sequence[str]) -> DiaryPage:
        self.asked.append((period, staff_ids))
        if self.error is not None:
            raise self.error
        held: list[tuple[UUID, SlotClaim | InsertAppointment]] = [
            (held, one) for (held, _), one in self._log.claims.items()
        ]
        held += [(row.inserted.booking_id, row.inserted) for row in self._log.appointments.values() if row.booked]
        found = [
            Busy(
                booking_id=booking_id,
                staff_id=one.staff_id,
                period=Period(starts_at=one.starts_at, ends_at=one.ends_at),
            )
            for booking_id, one in held
            if one.company_id == company_id and one.staff_id is not None and one.staff_id in staff_ids
        ]
        # As a database would, it takes its time after it has looked.
        await asyncio.sleep(0)
        return DiaryPage(busy=[one for one in found if one.period.overlaps(period)], as_of=self.as_of)


class FakeOffering:
    """
    Says of the services in `says` what they are to be said, and of all others nothing.

    `told` is how far the log had come whenever it was asked.
    """

    def __init__(self) -> None:
        self.says: dict[str, bool] = {}
        self.asked: list[str] = []
        self.told: list[int | None] = []

    async def not_offered(self, services: Sequence[Service], starts_at: datetime, *, as_of: int | None) -> int:
        self.told.append(as_of)
        for number, service in enumerate(services):
            self.asked.append(service.service_id)
            await asyncio.sleep(0)
            if self.says.get(service.service_id) is not False:
                return number
        return len(services)
