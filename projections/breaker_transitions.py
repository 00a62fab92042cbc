"""
The query behind the figures of a breaker: how it has moved since an instant, and since it was well before that.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, literal, select

from domain.breaker_words import Transition
from projections.tables import circuit_breaker_events as events

_C = events.c


def transitions_since(
    connection: Connection, start: datetime, *, service: str, instance: str | None
) -> Sequence[Transition]:
    """
    Return the transitions of a breaker, the oldest first; `instance` is the process whose own it is, None: the fleet's.

    If it was not closed at the start, they begin with the one by which it left closed.
    """
    whose = (_C.service == service, _C.instance == instance)
    left = select(func.max(_C.at)).where(*whose, _C.from_state == "closed", _C.at <= start).scalar_subquery()
    query = (
        select(
            _C.service.label("name"),
            _C.from_state.label("before"),
            _C.to_state.label("after"),
            _C.cause,
            _C.at,
            _C.epoch,
            _C.failures,
            _C.calls,
            _C.slow,
            _C.actor,
            _C.reason,
        )
        .where(*whose, _C.at >= func.coalesce(left, literal(start, _C.at.type)))
        .order_by(_C.at, _C.epoch)
    )
    return [Transition(**row) for row in connection.execute(query).mappings()]
