"""What health checks have found, kept for all processes to see."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, select, union_all

from adapters.database.reading import Readers
from adapters.database.tables import health_checks
from domain.health import SERVICES, Check, Uptime
from projections.upserting import insert_missing
from sagas.ports import Clock

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
        return {check.service: check for check in await self._readers.run(lambda: self._read(query))}

    async def since(self, service: str, since: datetime) -> Sequence[Check]:
        """Return the checks of a service from an instant on, the oldest first."""
        query = (
            select(health_checks)
            .where(health_checks.c.service == service, health_checks.c.checked_at >= since)
            .order_by(health_checks.c.checked_at)
        )
        return await self._readers.run(lambda: self._read(query))

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

        return await self._readers.run(ask)

    def _read(self, query: Any) -> list[Check]:  # noqa: ANN401 - a select, or several in one
        with self._engine.connect() as connection:
            return [_check(row) for row in _rows(connection, query)]


def _rows(connection: Connection, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - as above
    return connection.execute(query).all()


def _check(row: Row[Any]) -> Check:
    return Check(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for what is public
