"""How much work is due, for health: work that stays due is work that nobody claims, or that nobody may write."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, false, func, select

from adapters.database.tables import saga_due


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCounts:
    """
    Sagas that are due now, sagas that are leased or will be due, and for how long the oldest has been due.

    `read_only` tells whether the database takes no writes, as a standby does.
    """

    due: int
    later: int
    oldest: timedelta | None
    read_only: bool = False


def count_due(engine: Engine, now: datetime) -> DueCounts:
    """Count at an instant of the database's clock."""
    is_due = saga_due.c.due_at <= now
    query = select(
        func.count().filter(is_due).label("due"),
        func.count().filter(~is_due).label("later"),
        func.min(saga_due.c.due_at).filter(is_due).label("oldest"),
        _is_read_only(engine).label("read_only"),
    )
    with engine.connect() as connection:
        row = connection.execute(query).one()
    oldest = None if row.oldest is None else now - row.oldest
    return DueCounts(due=row.due, later=row.later, oldest=oldest, read_only=bool(row.read_only))


def _is_read_only(engine: Engine) -> ColumnElement[bool]:
    if engine.dialect.name != "postgresql":
        return false()
    return func.current_setting("transaction_read_only") == "on"
