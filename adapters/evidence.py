"""
What the database holds about some bookings and webhooks, read in one snapshot: events and all rows beside them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Engine, LargeBinary, MetaData, Row, Table, Text, Uuid, select

from adapters.database.tables import appointments, saga_due, slot_claims
from projections.bookings import BOOKINGS, BookingRow, load
from projections.checkpoints import parked_by, position_of
from projections.tables import booking_list

stored_events = Table(
    "stored_events",
    MetaData(),
    Column("originator_id", Uuid),
    Column("originator_version", BigInteger),
    Column("topic", Text),
    Column("state", LargeBinary),
    Column("notification_id", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """One event as it is stored."""

    version: int
    topic: str
    state: bytes
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A stream and the rows that bear its id; `listed_until` is the position that the list of bookings has come to."""

    stream_id: UUID
    events: tuple[StoredRow, ...]
    appointment: Row[Any] | None
    claim: Row[Any] | None
    due: Row[Any] | None
    listed: BookingRow | None
    listed_until: int
    parked: str | None


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
    """Return everything that is known of these bookings and webhooks."""
    events = _events(connection, stream_ids)
    booked = _rows(connection, appointments, appointments.c.booking_id, stream_ids)
    claims = _rows(connection, slot_claims, slot_claims.c.booking_id, stream_ids)
    due = _rows(connection, saga_due, saga_due.c.saga_id, stream_ids)
    listed = load(connection, booking_list, stream_ids)
    parked = {one.stream_id: one.error for one in parked_by(connection, BOOKINGS.name)}
    listed_until = position_of(connection, BOOKINGS.name) or 0
    return [
        Evidence(
            stream_id=stream_id,
            events=tuple(events.get(stream_id, ())),
            appointment=booked.get(stream_id),
            claim=claims.get(stream_id),
            due=due.get(stream_id),
            listed=listed.get(stream_id),
            listed_until=listed_until,
            parked=parked.get(stream_id),
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


def _rows(connection: Connection, table: Table, key: Column[Any], stream_ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    rows = connection.execute(select(table).where(key.in_(stream_ids)))
    return {getattr(row, key.name): row for row in rows}
