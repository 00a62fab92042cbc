"""
One pass an interval for all processes: whoever is the first to note it makes it.

A pass is noted when it begins, and again for as long as it is under way. So one that
lasts longer than the interval is not made twice, and one whose process has died keeps
nobody waiting for longer than an interval.
"""

from datetime import timedelta

from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.reading import Readers
from adapters.database.tables import passes
from sagas.ports import Clock


class Passes:
    """The passes of the work that `name` says. All times are the database's."""

    def __init__(self, name: str, *, engine: Engine, readers: Readers, clock: Clock) -> None:
        self._name = name
        self._engine = engine
        self._readers = readers
        self._clock = clock

    async def begin(self, *, every: timedelta) -> bool:
        """
        Note a pass, unless one was noted within the interval, and tell whether it is ours to make.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """

        def note() -> bool:
            with self._engine.begin() as connection:
                return self._note(connection, every)

        return await self._readers.run(note)

    async def go_on(self) -> None:
        """
        Note that a pass is still under way.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        goes_on = update(passes).where(passes.c.name == self._name).values(noted_at=self._clock.now())

        def note() -> None:
            with self._engine.begin() as connection:
                connection.execute(goes_on)

        await self._readers.run(note)

    async def until_next(self, *, every: timedelta) -> timedelta:
        """
        Return for how long nobody may begin a pass; the whole interval if there never was one.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = select(passes.c.noted_at).where(passes.c.name == self._name)

        def ask() -> timedelta:
            with self._engine.connect() as connection:
                noted_at = connection.execute(query).scalar_one_or_none()
            left = every if noted_at is None else noted_at + every - self._clock.now()
            return min(max(left, timedelta(0)), every)

        return await self._readers.run(ask)

    def _note(self, connection: Connection, every: timedelta) -> bool:
        # One statement, in which the second of two finds what the first has noted.
        now = self._clock.now()
        insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(passes)
        begins = insert.values(name=self._name, noted_at=now).on_conflict_do_update(
            index_elements=[passes.c.name],
            set_={"noted_at": now},
            # What lies that far ahead was noted before the database's clock was set back.
            where=or_(passes.c.noted_at <= now - every, passes.c.noted_at > now + every),
        )
        return connection.scalar(begins.returning(passes.c.name)) is not None
