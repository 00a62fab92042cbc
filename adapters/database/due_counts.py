"""How much work is due, for health: work that stays due is work that nobody claims."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select

from adapters.database.tables import saga_due


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCounts:
    """Sagas that are due now, sagas that are leased or will be due, and for how long the oldest has been due."""

    due: int
    later: int
    oldest: timedelta | None


def count_due(engine: Engine, now: datetime) -> DueCounts:
    """Count at an instant of the database's clock."""
    is_due = saga_due.c.due_at <= now
    query = select(
        func.count().filter(is_due).label("due"),
        func.count().filter(~is_due).label("later"),
        func.min(saga_due.c.due_at).filter(is_due).label("oldest"),
    )
    with engine.connect() as connection:
        row = connection.execute(query).one()
    return DueCounts(due=row.due, later=row.later, oldest=None if row.oldest is None else now - row.oldest)
