"""
The query behind `GET /api/resilience/events`: the breakers' transitions, the newest first, page by page.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Tuple, literal, select, tuple_

from domain.period import utc
from projections import cursor as cursors
from projections.circuit_breaker_events import CircuitBreakerEvent
from projections.tables import circuit_breaker_events as events

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 200

_ORDER = (events.c.at, events.c.epoch, events.c.id)
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
    if not 1 <= limit <= HIGHEST_LIMIT:
        raise ValueError(f"limit must be from 1 to {HIGHEST_LIMIT}")
    question = ("circuit_breaker_events", service)
    query = select(events)
    if service is not None:
        query = query.where(events.c.service == service)
    if cursor is not None:
        query = query.where(tuple_(*_ORDER) < _before(cursor, question))
    query = query.order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
    rows = [CircuitBreakerEvent(**row) for row in connection.execute(query).mappings()]
    page = rows[:limit]
    return BreakerEventPage(events=tuple(page), next_cursor=_cursor(page[-1], question) if len(rows) > limit else None)


def _cursor(last: CircuitBreakerEvent, question: tuple[str | None, ...]) -> str:
    return cursors.encode([last.at.isoformat(), str(last.epoch), str(last.id)], question=question)


def _before(cursor: str, question: tuple[str | None, ...]) -> Tuple:
    at, epoch, event_id = cursors.decode(cursor, question=question, length=3)
    try:
        last = (utc(datetime.fromisoformat(at)), int(epoch), UUID(event_id))
    except ValueError:
        raise ValueError("the cursor is not one that was handed out") from None
    # Each with the type of its column, which a tuple does not pass on.
    return tuple_(*(literal(value, column.type) for value, column in zip(last, _ORDER, strict=True)))
