"""
The ports of a simulated process: between any two steps it may die, or stand still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.booking import Booking
from sagas.appending import Append, AppendResult, Recorded
from sagas.outcomes import CancelOutcome, CreateOutcome, Liveness, LookOutcome, NotSent, Sightings, Trace
from sagas.ports import Claimed, Pace, RowInTheWay
from sagas.steps import CancelAtCalcom, Change, LookAtCalcom, RescheduleAtCalcom
from tests.fakes.agenda import FakeAgenda
from tests.fakes.appointments import FakeAppointments
from tests.fakes.calcom import FakeCalCom
from tests.fakes.calendar import FakeCalendar
from tests.fakes.log import FakeLog


class Outlives(Protocol):
    """
    What the process stands on.
    """

    log: FakeLog
    agenda: FakeAgenda
    calcom: FakeCalCom


class Mortal(Protocol):
    """
    A process that may die at any gate.
    """

    dead: bool

    @property
    def world(self) -> Outlives: ...

    async def gate(self) -> None: ...


class GatedLog:
    def __init__(self, process: Mortal) -> None:
        self._process = process

    async def append(self, append: Append) -> AppendResult:
        await self._process.gate()
        result = await self._process.world.log.append(append)
        await self._process.gate()
        return result

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        await self._process.gate()
        return await self._process.world.log.read(stream_id)


class GatedAgenda:
    def __init__(self, process: Mortal) -> None:
        self._process = process

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        if self._process.dead:
            await self._process.gate()
        claimed = await self._process.world.agenda.claim(limit=limit, lease=lease)
        if claimed:
            await self._process.gate()
        return claimed

    async def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        if self._process.dead:
            await self._process.gate()
        claimed = await self._process.world.agenda.claim_in_line(lease=lease)
        if claimed is not None:
            await self._process.gate()
        return claimed

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        await self._process.world.agenda.release(claimed)

    async def wake(self, saga_id: UUID) -> None:
        await self._process.gate()
        await self._process.world.agenda.wake(saga_id)

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        return await self._process.world.agenda.next_due(in_line=in_line)


class GatedAppointments:
    def __init__(self, process: Mortal) -> None:
        self._process = process
        self._inner = FakeAppointments(process.world.log)

    async def find(self, appointment_id: UUID) -> RowInTheWay | None:
        await self._process.gate()
        return await self._inner.find(appointment_id)

    async def holders(self, *, company_id: str, uids: Sequence[str]) -> Mapping[str, UUID]:
        await self._process.gate()
        return await self._inner.holders(company_id=company_id, uids=uids)

    async def companies(self, uids: Sequence[str]) -> Mapping[str, str]:
        await self._process.gate()
        return await self._inner.companies(uids)


class GatedCalendar:
    def __init__(self, process: Mortal) -> None:
        self._process = process
        self._inner = FakeCalendar(process.world.calcom)

    async def of(self, company_id: str) -> GatedCalendar:
        return self

    def held_back(self, effect: Change) -> NotSent | None:
        return self._inner.held_back(effect)

    def count_attempt(self, *, again: bool) -> NotSent | None:
        return self._inner.count_attempt(again=again)

    async def create(self, booking: Booking, *, attempt_id: str, send_by: datetime) -> CreateOutcome:
        await self._process.gate()
        outcome = await self._inner.create(booking, attempt_id=attempt_id, send_by=send_by)
        await self._process.gate()
        return outcome

    async def look(self, booking: Booking, effect: LookAtCalcom) -> LookOutcome:
        await self._process.gate()
        outcome = await self._inner.look(booking, effect)
        await self._process.gate()
        return outcome

    async def cancel(self, booking: Booking, effect: CancelAtCalcom) -> CancelOutcome:
        await self._process.gate()
        outcome = await self._inner.cancel(booking, effect)
        await self._process.gate()
        return outcome

    async def liveness(self, uid: str) -> Liveness:
        await self._process.gate()
        return await self._inner.liveness(uid)

    async def reschedule(self, effect: RescheduleAtCalcom, *, send_by: datetime) -> CreateOutcome:
        await self._process.gate()
        outcome = await self._inner.reschedule(effect, send_by=send_by)
        await self._process.gate()
        return outcome

    async def trace(self, uid: str, *, pace: Pace | None = None) -> Trace:
        await self._process.gate()
        trace = await self._inner.trace(uid, pace=pace)
        await self._process.gate()
        return trace

    async def sightings(
        self, event_type_id: int, *, changed_since: datetime, starting_after: datetime, pace: Pace
    ) -> Sightings:
        await self._process.gate()
        return await self._inner.sightings(
            event_type_id, changed_since=changed_since, starting_after=starting_after, pace=pace
        )
