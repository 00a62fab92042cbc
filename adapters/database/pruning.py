"""
Deleting what nobody looks at any more of the rows about how services did.

Events stay for ever. Until when rows were deleted is noted, so that `verify` does not miss them; a rebuild brings back
those of events, until they are deleted anew.
"""

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.reading import Readers
from adapters.database.tables import alert_figures, failure_metrics, passes
from projections.tables import alerts, circuit_breaker_events

NOTED = "pruned"
"""The pass under whose name it is noted until when rows were deleted."""


class Pruning:
    """Deletes minutes of failures, transitions of breakers and alerts that are over, from a moment on backwards."""

    def __init__(self, *, engine: Engine, readers: Readers) -> None:
        self._engine = engine
        self._readers = readers

    async def prune(self, *, before: datetime) -> None:
        """
        Delete what was over before a moment.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """

        def write() -> None:
            with self._engine.begin() as connection:
                connection.execute(delete(failure_metrics).where(failure_metrics.c.window_start < before))
                connection.execute(delete(circuit_breaker_events).where(circuit_breaker_events.c.at < before))
                _prune_alerts(connection, before)
                _note(connection, before)

        await self._readers.run(write)


def pruned_until(connection: Connection) -> datetime | None:
    """Return before when rows of events may be missing; None if none were ever deleted."""
    found: datetime | None = connection.scalar(select(passes.c.noted_at).where(passes.c.name == NOTED))
    return found


def _prune_alerts(connection: Connection, before: datetime) -> None:
    c = alerts.c
    # The latest of each kind stays: the next one is counted on from it.
    latest = select(c.rule, c.service, func.max(c.occasion)).group_by(c.rule, c.service)
    connection.execute(
        delete(alerts).where(c.cleared_at < before, tuple_(c.rule, c.service, c.occasion).not_in(latest))
    )
    figures = alert_figures.c
    connection.execute(delete(alert_figures).where(figures.judged_at < before, figures.alert_id.not_in(select(c.id))))


def _note(connection: Connection, before: datetime) -> None:
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(passes)
    noted = insert.values(name=NOTED, noted_at=before)
    connection.execute(
        noted.on_conflict_do_update(
            index_elements=[passes.c.name],
            set_={"noted_at": noted.excluded.noted_at},
            # What is gone does not come back because more is to be kept from now on.
            where=passes.c.noted_at < noted.excluded.noted_at,
        )
    )
