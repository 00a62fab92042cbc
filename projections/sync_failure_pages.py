"""
The queries behind `GET /api/sync-failures`: one company's sync failures, the newest first, page by page.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from projections.failures import STATUSES, SyncFailure
from projections.keyset import DEFAULT_LIMIT, Keyset, instant
from projections.tables import sync_failures as failures

_NEWEST_FIRST = Keyset(columns=((failures.c.created_at, instant), (failures.c.id, UUID)))


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
    query = select(failures).where(failures.c.company_id == wanted.company_id)
    if wanted.status is not None:
        query = query.where(failures.c.status == wanted.status)
    rows, next_cursor = _NEWEST_FIRST.page(connection, query, question=wanted.question, limit=limit, cursor=cursor)
    return FailurePage(failures=tuple(SyncFailure(**row) for row in rows), next_cursor=next_cursor)


def find_failure(connection: Connection, failure_id: UUID, *, company_id: str) -> SyncFailure | None:
    """Return a sync failure of the company, or None if it has no such one."""
    query = select(failures).where(failures.c.id == failure_id, failures.c.company_id == company_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else SyncFailure(**row)
