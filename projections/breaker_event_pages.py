"""
The query behind `GET /api/resilience/events`: the breakers' transitions, the newest first, page by page.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from projections.circuit_breaker_events import CircuitBreakerEvent
from projections.keyset import DEFAULT_LIMIT, Keyset, instant
from projections.tables import circuit_breaker_events as events

_NEWEST_FIRST = Keyset(columns=((events.c.at, instant), (events.c.epoch, int), (events.c.id, UUID)))
"""Two transitions may share an instant: the later of them has the higher epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerEventPage:
    """Some transitions; `next_cursor` leads on to older ones."""

    events: tuple[CircuitBreakerEvent, ...]
    next_cursor: str | None


def list_breaker_events(
    connection: Connection, *, service: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> BreakerEventPage:
    """
    Return a page of the transitions of one breaker, or of all, the newest first.

    Raises:
        ValueError: the limit is out of range, or the cursor was not handed out for this breaker.

    """
    query = select(events)
    if service is not None:
        query = query.where(events.c.service == service)
    question = ("circuit_breaker_events", service)
    rows, next_cursor = _NEWEST_FIRST.page(connection, query, question=question, limit=limit, cursor=cursor)
    return BreakerEventPage(events=tuple(CircuitBreakerEvent(**row) for row in rows), next_cursor=next_cursor)
