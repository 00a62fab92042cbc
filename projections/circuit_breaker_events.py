"""
The read model of the breakers' transitions: one row each, in a table that others may read (M17).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Table

from domain.breaker_moved import BreakerMoved
from domain.breaker_words import State
from projections.source import Projection
from projections.tables import circuit_breaker_events
from projections.upserting import insert_missing
from sagas.appending import Recorded


# Without slots, so that `vars` is its row.
@dataclass(frozen=True, kw_only=True)
class CircuitBreakerEvent:
    """
    A row: a breaker has moved.

    `reason` and `actor` are a person's, None for what it did by itself. `instance` is the process whose own
    breaker it is, None if it is `shared`, the fleet's.
    """

    id: UUID
    service: str
    from_state: State
    to_state: State
    cause: str
    reason: str | None
    actor: str | None
    failures: int
    calls: int
    slow: int | None
    epoch: int
    shared: bool
    instance: str | None
    at: datetime


def row_of(stream_id: UUID, moved: BreakerMoved) -> CircuitBreakerEvent:
    """Return the row of a transition that stands on a stream."""
    return CircuitBreakerEvent(
        id=stream_id,
        service=moved.service,
        from_state=moved.before,
        to_state=moved.after,
        cause=moved.cause,
        reason=moved.reason,
        actor=moved.actor,
        failures=moved.failures,
        calls=moved.calls,
        slow=moved.slow,
        epoch=moved.epoch,
        shared=moved.instance is None,
        instance=moved.instance,
        at=moved.at,
    )


def apply(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """Add the transitions among these events."""
    (events,) = tables
    moves = [row_of(one.stream_id, one.event) for one in recorded if isinstance(one.event, BreakerMoved)]
    insert_missing(connection, events, [vars(one) for one in moves])


CIRCUIT_BREAKER_EVENTS = Projection(name="circuit_breaker_events", tables=(circuit_breaker_events,), apply=apply)
