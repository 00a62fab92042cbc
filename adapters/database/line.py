"""Those who wait in line for full fallback to end, and letting them go on."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Engine, bindparam, func, select, update

from adapters.database.reading import Readers
from adapters.database.tables import saga_due, slot_claims
from sagas.engine import IN_LINE
from sagas.ports import Clock

CHUNK = 500


class Line:
    """Spreads them over as much time as it takes at `per_second`: whose appointment comes first goes first."""

    def __init__(self, *, engine: Engine, readers: Readers, clock: Clock, per_second: float) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._step = timedelta(seconds=1 / per_second)

    async def let_go(self) -> int:
        """
        Make all who wait due one after the other from now on, and return how many those are.

        Who is due by then, or is being driven, is left alone. That somebody else does the same changes nothing.

        Raises:
            AppointmentDatabaseError: the database did not take it; some may have been let go.

        """
        now = self._clock.now()
        waiting = await self._readers.run(lambda: self._waiting(now))
        for start in range(0, len(waiting), CHUNK):
            chunk = waiting[start : start + CHUNK]
            moved = [
                {"saga": saga_id, "was": due_at, "now": now + (start + place) * self._step}
                for place, (saga_id, due_at) in enumerate(chunk)
            ]
            await self._readers.run(partial(self._move, moved))
        return len(waiting)

    def _waiting(self, now: datetime) -> list[tuple[UUID, datetime]]:
        c = saga_due.c
        starts_at = select(func.min(slot_claims.c.starts_at)).where(slot_claims.c.booking_id == c.saga_id)
        query = (
            select(c.saga_id, c.due_at)
            .where(c.priority == IN_LINE, c.lease_token.is_(None), c.due_at > now)
            .order_by(starts_at.scalar_subquery().nulls_last(), c.due_at, c.saga_id)
        )
        with self._engine.connect() as connection:
            return [(row.saga_id, row.due_at) for row in connection.execute(query)]

    def _move(self, moved: list[dict[str, object]]) -> None:
        c = saga_due.c
        # Only what still waits as it did: somebody may have claimed it, or let it go, meanwhile.
        moves = (
            update(saga_due)
            .where(c.saga_id == bindparam("saga"), c.due_at == bindparam("was"), c.lease_token.is_(None))
            .values(due_at=bindparam("now"))
        )
        with self._engine.begin() as connection:
            connection.execute(moves, moved)
