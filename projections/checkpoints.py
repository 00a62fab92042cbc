"""
How far each read model has come, and which streams it leaves out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, true, update

from projections.tables import projection_checkpoints as checkpoints
from projections.tables import projection_parked as parked
from projections.upserting import insert_missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A stream that a read model leaves out from `position` on, because the event there could not be applied."""

    stream_id: UUID
    position: int
    error: str
    parked_at: datetime


def position_of(connection: Connection, name: str) -> int | None:
    """Return the position up to which a read model has applied the log; None if it has never begun."""
    return connection.execute(select(checkpoints.c.position).where(checkpoints.c.name == name)).scalar_one_or_none()


def positions_of(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Return the positions of several read models, without those that have never begun."""
    rows = connection.execute(select(checkpoints.c.name, checkpoints.c.position).where(checkpoints.c.name.in_(names)))
    return {row.name: row.position for row in rows}


def begin(connection: Connection, name: str) -> None:
    """Write the checkpoint of a read model that has never begun; leave it alone if it has."""
    insert_missing(connection, checkpoints, [{"name": name, "position": 0, "updated_at": datetime.now(UTC)}])


def advance(connection: Connection, names: Sequence[str], *, expected: int, to: int) -> bool:
    """Move the checkpoints of several read models, and tell whether all of them still were where they were expected."""
    # Locked in one order, so that nobody who does the same waits for us while we wait for them.
    there = select(checkpoints.c.name).where(checkpoints.c.name.in_(names), checkpoints.c.position == expected)
    moved = connection.execute(
        update(checkpoints)
        .where(checkpoints.c.name.in_(there.order_by(checkpoints.c.name).with_for_update()))
        .values(position=to, updated_at=datetime.now(UTC))
    )
    return moved.rowcount == len(names)


def replace_checkpoint(connection: Connection, *, of: str, by: str, steps_back: bool) -> bool:
    """Give a read model the checkpoint of another, if that is no step back or may be one; tell whether it was done."""
    position = select(checkpoints.c.position).where(checkpoints.c.name == by).scalar_subquery()
    moved = connection.execute(
        update(checkpoints)
        .where(checkpoints.c.name == of, true() if steps_back else checkpoints.c.position <= position)
        .values(position=position, updated_at=datetime.now(UTC))
    )
    return moved.rowcount == 1


def untouched_since(connection: Connection, moment: datetime, *, prefix: str) -> list[str]:
    """Return the checkpoints with such a name that nobody has moved since."""
    query = select(checkpoints.c.name).where(
        checkpoints.c.name.startswith(prefix, autoescape=True), checkpoints.c.updated_at < moment
    )
    return list(connection.execute(query).scalars())


def forget(connection: Connection, name: str) -> None:
    """Remove the checkpoint of a read model and what it has parked."""
    connection.execute(delete(checkpoints).where(checkpoints.c.name == name))
    connection.execute(delete(parked).where(parked.c.name == name))


def parked_by(connection: Connection, name: str) -> tuple[Parked, ...]:
    """Return the streams that a read model leaves out, in the order of the log."""
    rows = connection.execute(select(parked).where(parked.c.name == name).order_by(parked.c.position))
    return tuple(
        Parked(stream_id=row.stream_id, position=row.position, error=row.error, parked_at=row.parked_at) for row in rows
    )


def parked_streams(connection: Connection, names: Sequence[str]) -> dict[str, set[UUID]]:
    """Return the streams that each of several read models leaves out."""
    found: dict[str, set[UUID]] = {}
    for row in connection.execute(select(parked.c.name, parked.c.stream_id).where(parked.c.name.in_(names))):
        found.setdefault(row.name, set()).add(row.stream_id)
    return found


def park(connection: Connection, name: str, streams: Iterable[Parked]) -> None:
    """Leave these streams out from now on."""
    rows = [
        {
            "name": name,
            "stream_id": one.stream_id,
            "position": one.position,
            "error": one.error,
            "parked_at": one.parked_at,
        }
        for one in streams
    ]
    if rows:
        connection.execute(insert(parked), rows)


def unpark(connection: Connection, name: str, stream_id: UUID) -> None:
    """Take a stream in again."""
    connection.execute(delete(parked).where(parked.c.name == name, parked.c.stream_id == stream_id))


def replace_parked(connection: Connection, *, of: str, by: str) -> None:
    """Give a read model the parked streams of another."""
    connection.execute(delete(parked).where(parked.c.name == of))
    connection.execute(update(parked).where(parked.c.name == by).values(name=of))
