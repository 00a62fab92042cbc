"""How everything stood, minute by minute: written by one process of all, read by everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select

from adapters.database.reading import Readers
from adapters.database.tables import resilience_snapshots
from domain.verdict import Verdict
from sagas.ports import Clock

_COLUMNS = resilience_snapshots.c


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSnapshot:
    """How everything stood at an instant; `document` has the services, the reasons and the cascades."""

    at: datetime
    verdict: Verdict
    document: Mapping[str, Any]


class Snapshots:
    """The table of snapshots. A minute without one is a minute in which nobody could write."""

    def __init__(self, *, engine: Engine, readers: Readers, clock: Clock) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock

    async def keep(self, snapshot: KeptSnapshot, *, forget_before: datetime) -> None:
        """
        Keep a snapshot, and delete those before an instant.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """

        def write() -> None:
            with self._engine.begin() as connection:
                connection.execute(
                    resilience_snapshots.insert().values(
                        at=snapshot.at, verdict=snapshot.verdict, document=snapshot.document
                    )
                )
                connection.execute(delete(resilience_snapshots).where(_COLUMNS.at < forget_before))

        await self._readers.run(write)

    async def lately(self, back: timedelta) -> Sequence[KeptSnapshot]:
        """
        Return the snapshots since so long ago, the oldest first.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = select(resilience_snapshots).where(_COLUMNS.at >= self._clock.now() - back).order_by(_COLUMNS.at)

        def ask() -> Sequence[KeptSnapshot]:
            with self._engine.connect() as connection:
                return [_kept(row) for row in connection.execute(query)]

        return await self._readers.glance(ask)


def latest_snapshot(connection: Connection) -> KeptSnapshot | None:
    """Return the last snapshot, or None if there is none yet."""
    row = connection.execute(select(resilience_snapshots).order_by(_COLUMNS.at.desc()).limit(1)).one_or_none()
    return None if row is None else _kept(row)


def _kept(row: Row[Any]) -> KeptSnapshot:
    return KeptSnapshot(at=row.at, verdict=row.verdict, document=row.document)
