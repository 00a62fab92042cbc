"""
Due work, in memory: one row a saga, leased by moving it to the lease's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sagas.appending import Due, DueAfter, Lease, NothingDue
from sagas.engine import IN_LINE, IN_TURN, NORMAL
from sagas.ports import Claimed
from tests.fakes.ids import FakeIds
from tests.fakes.time import FakeClock

LEASED_PRIORITY = 5
LINE = {IN_TURN, IN_LINE}


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """
    When a saga is due, and who holds it until then.
    """

    due_at: float
    priority: int
    token: UUID | None = None
    attempt: int = 0


class FakeAgenda:
    """
    The rows of all processes; `put` is called by the log in the same breath as the append.
    """

    def __init__(self, clock: FakeClock, ids: FakeIds) -> None:
        self._clock = clock
        self._ids = ids
        self._changed: list[asyncio.Future[None]] = []
        self.rows: dict[UUID, DueRow] = {}

    def put(self, saga_id: UUID, due: Due) -> None:
        now = self._clock.seconds
        match due:
            case Lease(token=token, lasts=lasts):
                self.rows[saga_id] = DueRow(due_at=now + lasts.total_seconds(), priority=LEASED_PRIORITY, token=token)
            case DueAfter(delay=delay, priority=priority):
                self.rows[saga_id] = DueRow(due_at=now + delay.total_seconds(), priority=priority)
            case NothingDue():
                self.rows.pop(saga_id, None)
        self._tell()

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        now = self._clock.seconds
        due = sorted(
            (row.priority, row.due_at, saga_id)
            for saga_id, row in self.rows.items()
            if row.due_at <= now + 1e-6 and row.priority not in LINE
        )
        return [self._lease(saga_id, lease) for _, _, saga_id in due[:limit]]

    async def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        """
        Take who has been due for longest: it knows nothing of appointments.
        """
        now = self._clock.seconds
        due = [
            (row.due_at, saga_id)
            for saga_id, row in self.rows.items()
            if row.due_at <= now + 1e-6 and row.priority in LINE
        ]
        if not due:
            return None
        _, first = min(due)
        self.rows[first] = replace(self.rows[first], priority=NORMAL)
        return self._lease(first, lease)

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        for saga_id, token in claimed:
            row = self.rows.get(saga_id)
            if row is not None and row.token == token:
                self.rows[saga_id] = replace(row, due_at=self._clock.seconds, token=None)
        self._tell()

    async def wake(self, saga_id: UUID) -> None:
        row = self.rows.get(saga_id)
        if row is not None and row.token is None:
            self.rows[saga_id] = replace(row, due_at=min(row.due_at, self._clock.seconds))
        self._tell()

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        due = [row.due_at for row in self.rows.values() if in_line in {None, row.priority in LINE}]
        if not due:
            return None
        return timedelta(seconds=max(min(due) - self._clock.seconds, 0.0))

    async def changed(self, *, within: float | None) -> None:
        """
        Wait until a row changes or is due.
        """
        future = asyncio.get_running_loop().create_future()
        self._changed.append(future)
        await asyncio.wait({future}, timeout=within)

    def _lease(self, saga_id: UUID, lease: timedelta) -> Claimed:
        row = self.rows[saga_id]
        token = self._ids.token()
        self.rows[saga_id] = replace(
            row, due_at=self._clock.seconds + lease.total_seconds(), token=token, attempt=row.attempt + 1
        )
        return Claimed(saga_id=saga_id, token=token, attempt=row.attempt + 1)

    def _tell(self) -> None:
        for future in self._changed:
            if not future.done():
                future.set_result(None)
        self._changed.clear()
