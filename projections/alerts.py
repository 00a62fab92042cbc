"""
The read model of alerts: one row an occurrence, active or over.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Table, func, select, tuple_

from domain.alert import Alert, AlertEvent, AlertRaised, begin, evolve
from projections.errors import OutOfOrder
from projections.keyset import DEFAULT_LIMIT
from projections.sequence import caught_up
from projections.source import Projection
from projections.tables import alerts
from projections.upserting import is_one_of, upsert
from sagas.appending import Recorded

STATUSES = ("active", "cleared")


def apply(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """Bring all alerts that these events are about up to date."""
    (table,) = tables
    news: dict[UUID, list[Recorded]] = {}
    for one in recorded:
        if isinstance(one.event, AlertEvent):
            news.setdefault(one.stream_id, []).append(one)
    if news:
        known = {
            one.id: one for one in _read(connection, select(table).where(is_one_of(connection, table.c.id, [*news])))
        }
        after = [evolve_recorded(known.get(alert_id), events) for alert_id, events in news.items()]
        upsert(connection, table, [vars(one) for one in after])


def evolve_recorded(alert: Alert | None, recorded: Sequence[Recorded]) -> Alert:
    """
    Return an alert after recorded events of its stream; those that it contains already change nothing.

    Raises:
        OutOfOrder: an event is missing, or the first one raises nothing.

    """
    return caught_up(alert, recorded, _step)


def _step(alert: Alert | None, one: Recorded) -> Alert:
    if alert is None and isinstance(one.event, AlertRaised):
        return begin(one.event)
    if alert is not None and isinstance(one.event, AlertEvent):
        return evolve(alert, one.event)
    raise OutOfOrder(stream_id=one.stream_id, expected=one.version, found=one.version)


def alerts_of(connection: Connection, alert_ids: Sequence[UUID]) -> list[Alert]:
    """Return those of these alerts that have a row."""
    return _read(connection, select(alerts).where(alerts.c.id.in_(alert_ids)))


def latest_alerts(connection: Connection) -> list[Alert]:
    """Return the latest alert of each rule and service."""
    c = alerts.c
    newest = select(c.rule, c.service, func.max(c.occasion)).group_by(c.rule, c.service)
    return _read(connection, select(alerts).where(tuple_(c.rule, c.service, c.occasion).in_(newest)))


def list_alerts(connection: Connection, *, status: str | None = None, limit: int = DEFAULT_LIMIT) -> list[Alert]:
    """Return alerts, the active ones first, then the newest."""
    over = alerts.c.cleared_at.is_not(None)
    query = select(alerts).order_by(over, alerts.c.raised_at.desc(), alerts.c.id).limit(limit)
    if status is not None:
        query = query.where(over if status == "cleared" else ~over)
    return _read(connection, query)


def _read(connection: Connection, query: Select[Any]) -> list[Alert]:
    return [Alert(**row) for row in connection.execute(query).mappings()]


ALERTS = Projection(name="alerts", tables=(alerts,), apply=apply)
