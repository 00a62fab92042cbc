"""
What the database holds about some bookings, webhooks and alerts, read in one snapshot: events and all rows beside them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, Engine, Row, Table, select

from adapters.database.pruning import pruned_until
from adapters.database.tables import appointments, saga_due, slot_claims, stored_events
from domain.alert import Alert
from projections.alerts import ALERTS, alerts_of
from projections.booking_row import BookingRow
from projections.bookings import BOOKINGS, load
from projections.checkpoints import parked_by, positions_of
from projections.circuit_breaker_events import CIRCUIT_BREAKER_EVENTS, CircuitBreakerEvent
from projections.failures import SyncFailure
from projections.notification_requests import NotificationRequest
from projections.reactions import REACTIONS, load_standings
from projections.standing import Standing
from projections.sync_failures import SYNC_FAILURES
from projections.tables import (
    appointment_standings,
    booking_list,
    circuit_breaker_events,
    notification_requests,
    sync_failure_bookings,
    sync_failures,
)

READ_MODELS = (BOOKINGS.name, SYNC_FAILURES.name, REACTIONS.name, ALERTS.name, CIRCUIT_BREAKER_EVENTS.name)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """One event as it is stored."""

    version: int
    topic: str
    state: bytes
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a read model has come, and why it leaves a stream out, if it does."""

    until: int
    parked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    A stream and the rows that bear its id; `seen_by` says of each read model how far it has come.

    Appointments and claims are told apart by their leg, 0 for a booking that has none. Rows of alerts and transitions
    from before `pruned_until` may have been deleted.
    """

    stream_id: UUID
    events: tuple[StoredRow, ...]
    appointments: Mapping[int, Row[Any]]
    claims: Mapping[int, Row[Any]]
    due: Row[Any] | None
    listed: BookingRow | None
    failures: tuple[SyncFailure, ...]
    failures_of: Row[Any] | None
    standing: Standing | None
    requests: tuple[NotificationRequest, ...]
    alert: Alert | None = None
    breaker_event: CircuitBreakerEvent | None = None
    pruned_until: datetime | None = None
    seen_by: Mapping[str, Seen]

    def may_be_pruned(self, over_at: datetime) -> bool:
        """Tell whether the row of what was over at a moment may have been deleted."""
        return self.pruned_until is not None and over_at < self.pruned_until


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Return a connection that sees one moment of the database, however many questions it is asked."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        else:
            # The driver itself begins a transaction before a change only.
            connection.exec_driver_sql("BEGIN")
        yield connection


def streams_after(connection: Connection, last: UUID | None, *, limit: int) -> list[UUID]:
    """Return the ids of the next streams, in their order."""
    ids = select(stored_events.c.originator_id).distinct().order_by(stored_events.c.originator_id).limit(limit)
    if last is not None:
        ids = ids.where(stored_events.c.originator_id > last)
    return list(connection.execute(ids).scalars())


def evidence(connection: Connection, stream_ids: Sequence[UUID]) -> list[Evidence]:
    """Return everything that is known of these streams."""
    events = _events(connection, stream_ids)
    booked = _rows_of_legs(connection, appointments, stream_ids)
    claims = _rows_of_legs(connection, slot_claims, stream_ids)
    due = {row.saga_id: row for row in connection.execute(select(saga_due).where(saga_due.c.saga_id.in_(stream_ids)))}
    listed = load(connection, booking_list, stream_ids)
    failures = _many(connection, sync_failures, SyncFailure, stream_ids)
    failures_of = _rows(connection, sync_failure_bookings, sync_failure_bookings.c.booking_id, stream_ids)
    standings = load_standings(connection, appointment_standings, stream_ids)
    raised = {row.id: row for row in alerts_of(connection, stream_ids)}
    requests = _many(connection, notification_requests, NotificationRequest, stream_ids)
    moves = _rows(connection, circuit_breaker_events, circuit_breaker_events.c.id, stream_ids)
    pruned = pruned_until(connection)
    until = positions_of(connection, READ_MODELS)
    parked = {name: {one.stream_id: one.error for one in parked_by(connection, name)} for name in READ_MODELS}
    return [
        Evidence(
            stream_id=stream_id,
            events=tuple(events.get(stream_id, ())),
            appointments=booked.get(stream_id, {}),
            claims=claims.get(stream_id, {}),
            due=due.get(stream_id),
            listed=listed.get(stream_id),
            failures=tuple(failures.get(stream_id, ())),
            failures_of=failures_of.get(stream_id),
            standing=standings.get(stream_id),
            requests=tuple(requests.get(stream_id, ())),
            alert=raised.get(stream_id),
            breaker_event=_breaker_event(moves.get(stream_id)),
            pruned_until=pruned,
            seen_by={name: Seen(until=until.get(name, 0), parked=parked[name].get(stream_id)) for name in READ_MODELS},
        )
        for stream_id in stream_ids
    ]


def _events(connection: Connection, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredRow]]:
    c = stored_events.c
    query = select(stored_events).where(c.originator_id.in_(stream_ids)).order_by(c.originator_id, c.originator_version)
    found: dict[UUID, list[StoredRow]] = {}
    for row in connection.execute(query):
        stored = StoredRow(
            version=row.originator_version, topic=row.topic, state=bytes(row.state), position=row.notification_id
        )
        found.setdefault(row.originator_id, []).append(stored)
    return found


def _many(
    connection: Connection, table: Table, thing: Callable[..., T], stream_ids: Sequence[UUID]
) -> dict[UUID, list[T]]:
    """Return the rows of a table of which a booking may have several."""
    found: dict[UUID, list[T]] = {}
    for row in connection.execute(select(table).where(table.c.booking_id.in_(stream_ids))).mappings():
        found.setdefault(row["booking_id"], []).append(thing(**row))
    return found


def _breaker_event(row: Row[Any] | None) -> CircuitBreakerEvent | None:
    return None if row is None else CircuitBreakerEvent(**row._mapping)  # noqa: SLF001 - the public way to a dict


def _rows(connection: Connection, table: Table, key: Column[Any], stream_ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    rows = connection.execute(select(table).where(key.in_(stream_ids)))
    return {getattr(row, key.name): row for row in rows}


def _rows_of_legs(connection: Connection, table: Table, stream_ids: Sequence[UUID]) -> dict[UUID, dict[int, Row[Any]]]:
    found: dict[UUID, dict[int, Row[Any]]] = {}
    for row in connection.execute(select(table).where(table.c.booking_id.in_(stream_ids))):
        found.setdefault(row.booking_id, {})[row.leg] = row
    return found
