"""
Comparing what is known of every customer with the standings of their appointments, which must add up to it.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from adapters.difference import NOTHING, Difference
from projections.engagement import Engagement, score_of
from projections.standing import ASKED, CANCELLED
from projections.tables import appointment_standings, customer_engagement

_FIELDS = tuple(field.name for field in fields(Engagement))


def about_engagement(connection: Connection) -> Iterator[Difference]:
    """Yield the customers whose counts or score are wrong; `connection` has to see one moment of the database."""
    added_up, shown = _added_up(), select(*(customer_engagement.c[name] for name in _FIELDS))
    expected = _by_customer(connection, added_up.except_(shown))
    found = _by_customer(connection, shown.except_(added_up))
    for customer_id in sorted({*expected, *found}):
        what = f"engagement of customer {customer_id}"
        told = [str(it[customer_id]) if customer_id in it else NOTHING for it in (expected, found)]
        yield Difference(stream_id=None, what=what, expected=told[0], found=told[1])
    for row in connection.execute(select(customer_engagement)):
        score = score_of(booked=row.booked, cancelled=row.cancelled)
        if score != row.score:
            what = f"engagement of customer {row.customer_id}, score"
            yield Difference(stream_id=None, what=what, expected=str(score), found=str(row.score))


def _added_up() -> Select[Any]:
    c = appointment_standings.c
    columns = {
        "customer_id": c.customer_id,
        "company_id": c.company_id,
        "requested": func.count(),
        "booked": func.sum(case((c.status != ASKED, 1), else_=0)),
        "moved": func.sum(c.moves),
        "cancelled": func.sum(case((c.status == CANCELLED, 1), else_=0)),
        "last_event_at": func.max(c.last_event_at),
    }
    return select(*(columns[name].label(name) for name in _FIELDS)).group_by(c.customer_id, c.company_id)


def _by_customer(connection: Connection, query: Any) -> dict[Any, dict[str, Any]]:  # noqa: ANN401 - a compound select
    return {row["customer_id"]: dict(row) for row in connection.execute(query).mappings()}
