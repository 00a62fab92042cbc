"""
How many calls of each service failed, by the minute, of all processes together (M12, M17).

It is made of what is stored in `measured_calls`, in the same transaction, and of nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, select
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.reading import Readers
from adapters.database.tables import failure_metrics
from domain.failure_detector import FailureRule, FailureWindow, Severity, severity_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How many calls there were, and how many of them failed."""

    requests: int = 0
    failures: int = 0

    def plus(self, other: "Calls") -> "Calls":
        """Return both together."""
        return Calls(requests=self.requests + other.requests, failures=self.failures + other.failures)


class FailureMetrics:
    """The table that all processes add to; a row's severity is that of its own minute."""

    def __init__(self, *, engine: Engine, readers: Readers, rule: FailureRule) -> None:
        self._engine = engine
        self._readers = readers
        self._rule = rule

    def add(self, connection: Connection, counted: Mapping[tuple[str, datetime], Calls]) -> None:
        """Add what a process has counted, by service and minute."""
        # In one order everywhere, so that two processes that add at once do not wait for each other's rows.
        for (service, start), calls in sorted(counted.items()):
            if calls.requests:
                self._add(connection, self._row(service, start, calls))

    async def since(self, start: datetime, *, service: str | None = None) -> Sequence[tuple[FailureWindow, Severity]]:
        """
        Return the minutes from `start` on, the oldest first, each with its severity.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        table = failure_metrics.c
        query = select(failure_metrics).where(table.window_start >= start).order_by(table.window_start, table.service)
        if service is not None:
            query = query.where(table.service == service)

        def ask() -> Sequence[tuple[FailureWindow, Severity]]:
            with self._engine.connect() as connection:
                return [_window(row) for row in connection.execute(query)]

        return await self._readers.glance(ask)

    def _row(self, service: str, start: datetime, calls: Calls) -> dict[str, Any]:
        severity = severity_of(self._rule, requests=calls.requests, failures=calls.failures, in_a_minute=calls.failures)
        return {
            "service": service,
            "window_start": start,
            "requests": calls.requests,
            "failures": calls.failures,
            "rate": calls.failures / calls.requests,
            "severity": severity,
        }

    def _add(self, connection: Connection, row: Mapping[str, Any]) -> None:
        table = failure_metrics.c
        insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(failure_metrics)
        added = insert.values(row)
        requests, failures = table.requests + added.excluded.requests, table.failures + added.excluded.failures
        sums = {
            "requests": requests,
            "failures": failures,
            "rate": 1.0 * failures / requests,
            "severity": self._severity(requests, failures),
        }
        connection.execute(added.on_conflict_do_update(index_elements=["service", "window_start"], set_=sums))

    def _severity(self, requests: ColumnElement[int], failures: ColumnElement[int]) -> ColumnElement[str]:
        """Say `severity_of` a minute in SQL, since only there both sums are known."""
        return case(
            (failures > self._rule.in_a_minute, "critical"),
            (1.0 * failures > self._rule.rate * requests, "medium"),
            else_="low",
        )


def _window(row: Any) -> tuple[FailureWindow, Severity]:  # noqa: ANN401 - a row of the table
    window = FailureWindow(service=row.service, start=row.window_start, requests=row.requests, failures=row.failures)
    return window, row.severity
