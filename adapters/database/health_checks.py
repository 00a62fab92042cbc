"""What health checks have found, kept for all processes to see."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, String, delete, func, or_, select, type_coerce, union_all

from adapters.database.reading import Readers
from adapters.database.tables import health_checks
from domain.health import SERVICES, Check, Uptime
from domain.health_forecast import AROUND, TREND_OVER, Seen
from domain.health_hours import Hour
from projections.upserting import insert_missing
from sagas.ports import Clock

DAYS = 7
"""How many days a forecast looks back."""
BATCH = 500
"""How many checks one transaction writes, so that nobody waits long for it."""


class HealthChecks:
    """The checks of all services. Every method raises AppointmentDatabaseError when the database does not answer."""

    def __init__(self, *, engine: Engine, readers: Readers, clock: Clock) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock

    async def write(self, checks: Sequence[Check]) -> None:
        """Keep checks; one that is kept already, because nobody heard so, is not kept twice."""

        def ask() -> None:
            for first in range(0, len(checks), BATCH):
                with self._engine.begin() as connection:
                    insert_missing(connection, health_checks, [asdict(it) for it in checks[first : first + BATCH]])

        await self._readers.run(ask)

    async def forget(self, *, older_than: timedelta) -> int:
        """Delete what is too old, and return how many checks that were."""
        # Every service by itself, since the key begins with it.
        before = self._clock.now() - older_than
        too_old = delete(health_checks).where(
            health_checks.c.service.in_(SERVICES), health_checks.c.checked_at < before
        )

        def ask() -> int:
            with self._engine.begin() as connection:
                return connection.execute(too_old).rowcount

        return await self._readers.run(ask)

    async def latest(self) -> Mapping[str, Check]:
        """Return the newest check of each service that was ever checked."""
        newest = [
            select(health_checks)
            .where(health_checks.c.service == service)
            .order_by(health_checks.c.checked_at.desc())
            .limit(1)
            .subquery()
            for service in SERVICES
        ]
        query = union_all(*(select(one) for one in newest))
        return {check.service: check for check in await self._readers.glance(lambda: self._read(query))}

    async def since(self, service: str, since: datetime) -> Sequence[Check]:
        """Return the checks of a service from an instant on, the oldest first."""
        query = (
            select(health_checks)
            .where(health_checks.c.service == service, health_checks.c.checked_at >= since)
            .order_by(health_checks.c.checked_at)
        )
        return await self._readers.glance(lambda: self._read(query))

    async def seen(self, service: str, now: datetime) -> Seen:
        """Return what a forecast is made of."""
        days = [now - timedelta(days=number) for number in range(DAYS, 0, -1)]
        spans = [(day - AROUND, day + AROUND) for day in days] + [(now - TREND_OVER, now)]
        at = health_checks.c.checked_at
        around = (
            select(health_checks)
            .where(health_checks.c.service == service, or_(*(at.between(*span) for span in spans)))
            .order_by(at)
        )

        def ask() -> Seen:
            with self._engine.connect() as connection:
                hours = connection.execute(_hours(connection, service, since=days[0])).all()
                return Seen(
                    checks=[_check(row) for row in _rows(connection, around)],
                    hours=[Hour(begins_at=_instant(row.hour), checks=row.checks, unwell=row.unwell) for row in hours],
                )

        return await self._readers.glance(ask)

    async def uptimes(self, since: datetime) -> Mapping[str, Uptime]:
        """Return of each service how many checks from an instant on have found it up, of those that said anything."""
        table = health_checks.c
        query = (
            select(
                table.service,
                func.count().filter(table.status != "unknown").label("checks"),
                func.count().filter(table.status.in_(("healthy", "degraded"))).label("up"),
            )
            .where(table.service.in_(SERVICES), table.checked_at >= since)
            .group_by(table.service)
        )

        def ask() -> Mapping[str, Uptime]:
            with self._engine.connect() as connection:
                rows = connection.execute(query)
                return {row.service: Uptime(checks=row.checks, up=row.up) for row in rows}

        return await self._readers.glance(ask)

    def _read(self, query: Any) -> list[Check]:  # noqa: ANN401 - a select, or several in one
        with self._engine.connect() as connection:
            return [_check(row) for row in _rows(connection, query)]


def _hours(connection: Connection, service: str, *, since: datetime) -> Select[Any]:
    """Return the query for how many checks each hour of UTC has, and how many found the service unwell."""
    at, status = health_checks.c.checked_at, health_checks.c.status
    if connection.dialect.name == "sqlite":
        # The text of an instant up to its hour.
        hour = func.substr(type_coerce(at, String), 1, len("2027-03-01T09"))
    else:
        hour = func.date_trunc("hour", at, "UTC")
    begins_at = hour.label("hour")
    return (
        select(
            begins_at,
            func.count().filter(status != "unknown").label("checks"),
            func.count().filter(status.in_(("down", "degraded"))).label("unwell"),
        )
        .where(health_checks.c.service == service, at >= since)
        .group_by(begins_at)
    )


def _instant(hour: str | datetime) -> datetime:
    moment = datetime.fromisoformat(f"{hour}:00:00+00:00") if isinstance(hour, str) else hour
    return moment.astimezone(UTC)


def _rows(connection: Connection, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - as above
    return connection.execute(query).all()


def _check(row: Row[Any]) -> Check:
    return Check(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for what is public
