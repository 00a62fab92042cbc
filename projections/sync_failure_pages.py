"""
The queries behind `GET /api/sync-failures`: one company's sync failures, the newest first, page by page.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Tuple, literal, select, tuple_

from domain.period import utc
from projections import cursor as cursors
from projections.failures import STATUSES, SyncFailure
from projections.tables import sync_failures as failures

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFilter:
    """
    Which sync failures of a company.

    Raises:
        ValueError: no sync failure can have such a status.

    """

    company_id: str
    status: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no sync failure can match."""
        if self.status is not None and self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}")

    @property
    def question(self) -> tuple[str | None, ...]:
        """Return what a cursor is bound to."""
        return ("sync_failures", self.company_id, self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePage:
    """Some sync failures; `next_cursor` leads on to older ones."""

    failures: tuple[SyncFailure, ...]
    next_cursor: str | None


def list_failures(
    connection: Connection, wanted: FailureFilter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> FailurePage:
    """
    Return a page of a company's sync failures, the newest first.

    Raises:
        ValueError: the limit is out of range, or the cursor was not handed out for this filter.

    """
    if not 1 <= limit <= HIGHEST_LIMIT:
        raise ValueError(f"limit must be from 1 to {HIGHEST_LIMIT}")
    query = select(failures).where(failures.c.company_id == wanted.company_id)
    if wanted.status is not None:
        query = query.where(failures.c.status == wanted.status)
    if cursor is not None:
        query = query.where(tuple_(failures.c.created_at, failures.c.id) < _before(cursor, wanted))
    query = query.order_by(failures.c.created_at.desc(), failures.c.id.desc()).limit(limit + 1)
    rows = [SyncFailure(**row) for row in connection.execute(query).mappings()]
    page = rows[:limit]
    return FailurePage(failures=tuple(page), next_cursor=_cursor(page[-1], wanted) if len(rows) > limit else None)


def find_failure(connection: Connection, failure_id: UUID, *, company_id: str) -> SyncFailure | None:
    """Return a sync failure of the company, or None if it has no such one."""
    query = select(failures).where(failures.c.id == failure_id, failures.c.company_id == company_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else SyncFailure(**row)


def _cursor(last: SyncFailure, wanted: FailureFilter) -> str:
    return cursors.encode([last.created_at.isoformat(), str(last.id)], question=wanted.question)


def _before(cursor: str, wanted: FailureFilter) -> Tuple:
    created_at, failure_id = cursors.decode(cursor, question=wanted.question, length=2)
    try:
        last = (utc(datetime.fromisoformat(created_at)), UUID(failure_id))
    except ValueError:
        raise ValueError("the cursor is not one that was handed out") from None
    # Each with the type of its column, which a tuple does not pass on.
    return tuple_(literal(last[0], failures.c.created_at.type), literal(last[1], failures.c.id.type))
