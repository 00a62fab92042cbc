"""How the figures of alerts go on: the present one and the worst, beside those that their events have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, case, select
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.reading import Readers
from adapters.database.tables import alert_figures
from domain.alert import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What an alert was found at when it was last judged, and at its worst, in the unit of its rule."""

    value: float
    worst: float
    judged_at: datetime


class AlertFigures:
    """The table `alert_figures`: a row for each alert, which whoever judges brings up to date while it is active."""

    def __init__(self, *, engine: Engine, readers: Readers) -> None:
        self._engine = engine
        self._readers = readers

    async def note(self, present: Mapping[UUID, float], alerts: Iterable[Alert], *, now: datetime) -> None:
        """
        Take note of what these alerts are found at now.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        rows = [
            {"alert_id": one.id, "value": value, "worst": max(value, one.value), "judged_at": now}
            # In one order everywhere, so that two who judge at once do not wait for each other's rows.
            for one in sorted(alerts, key=lambda one: one.id)
            if (value := present.get(one.id)) is not None
        ]

        def write() -> None:
            with self._engine.begin() as connection:
                insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(alert_figures)
                new, known = insert.excluded, alert_figures.c
                noted = {
                    "value": new.value,
                    "worst": case((new.worst > known.worst, new.worst), else_=known.worst),
                    "judged_at": new.judged_at,
                }
                connection.execute(insert.on_conflict_do_update(index_elements=["alert_id"], set_=noted), rows)

        if rows:
            await self._readers.run(write)

    async def of(self, alerts: Sequence[Alert]) -> Mapping[UUID, Figure]:
        """
        Return the figures of these alerts, as far as they were judged since they were raised.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        c = alert_figures.c
        query = select(alert_figures).where(c.alert_id.in_([one.id for one in alerts]))

        def ask() -> Mapping[UUID, Figure]:
            with self._engine.connect() as connection:
                return {
                    row.alert_id: Figure(value=row.value, worst=row.worst, judged_at=row.judged_at)
                    for row in connection.execute(query)
                }

        return await self._readers.glance(ask)
