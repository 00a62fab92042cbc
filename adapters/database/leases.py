"""
Work that one process of the fleet has at a time: it renews its lease, and if it dies, another takes over.

Unlike a pass (`passes`), which is anybody's each time, it stays with whoever has it.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.reading import Readers
from adapters.database.tables import leases
from sagas.ports import Clock


class Lease:
    """The lease of the work that `name` says, as `holder` asks for it. All times are the database's."""

    def __init__(self, name: str, *, holder: UUID, engine: Engine, readers: Readers, clock: Clock) -> None:
        self._name = name
        self._holder = holder
        self._engine = engine
        self._readers = readers
        self._clock = clock

    async def hold(self, *, seconds: float) -> bool:
        """
        Take the lease for so many seconds, or renew it once half of them are over, and tell whether it is ours.

        Raises:
            AppointmentDatabaseError: the database did not answer, and the lease may be ours or not.

        """
        length = timedelta(seconds=seconds)

        def ask() -> bool:
            with self._engine.begin() as connection:
                # Asked first, so that neither those who wait write anything, nor whoever has it for long enough.
                found = connection.execute(select(leases).where(leases.c.name == self._name)).one_or_none()
                left = timedelta(0) if found is None else found.held_until - self._clock.now()
                if found is not None and found.holder == self._holder and length / 2 < left <= length:
                    return True
                is_anothers = found is not None and found.holder != self._holder and timedelta(0) < left <= length
                return not is_anothers and self._take(connection, length)

        return await self._readers.run(ask)

    async def release(self) -> None:
        """
        Give the lease back, if it is ours.

        Raises:
            AppointmentDatabaseError: the database did not answer; the lease runs out by itself.

        """
        given_back = delete(leases).where(leases.c.name == self._name, leases.c.holder == self._holder)

        def ask() -> None:
            with self._engine.begin() as connection:
                connection.execute(given_back)

        await self._readers.run(ask)

    def _take(self, connection: Connection, length: timedelta) -> bool:
        # One statement, in which the second of two finds what the first has taken.
        now = self._clock.now()
        insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(leases)
        taken = {"holder": self._holder, "held_until": now + length}
        taking = insert.values(name=self._name, **taken).on_conflict_do_update(
            index_elements=[leases.c.name],
            set_=taken,
            where=or_(
                leases.c.holder == self._holder,
                leases.c.held_until <= now,
                # What lies that far ahead was taken before the database's clock was set back.
                leases.c.held_until > now + length,
            ),
        )
        return connection.scalar(taking.returning(leases.c.name)) is not None
