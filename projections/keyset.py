"""
Pages by keyset: each begins after the last row of the one before, so that new rows do not shift it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, Tuple, literal, tuple_

from domain.period import utc
from projections import cursor as cursors

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 200


def instant(text: str) -> datetime:
    """Read a point in time as cursors have it."""
    return utc(datetime.fromisoformat(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """What a list is ordered by: columns that tell its rows apart, and how a cursor's word for each is read."""

    columns: Sequence[tuple[Column[Any], Callable[[str], object]]]
    newest_first: bool = True

    def page(
        self,
        connection: Connection,
        query: Select[Any],
        *,
        question: Sequence[str | None],
        limit: int,
        cursor: str | None,
    ) -> tuple[Sequence[RowMapping], str | None]:
        """
        Return a page of what a query finds, and the cursor that leads on, None if nothing follows.

        Raises:
            ValueError: the limit is out of range, or the cursor was not handed out for this question.

        """
        if not 1 <= limit <= HIGHEST_LIMIT:
            raise ValueError(f"limit must be from 1 to {HIGHEST_LIMIT}")
        order = [column for column, _ in self.columns]
        if cursor is not None:
            ended_at = self._read(cursor, question)
            query = query.where(tuple_(*order) < ended_at if self.newest_first else tuple_(*order) > ended_at)
        query = query.order_by(*(column.desc() if self.newest_first else column for column in order)).limit(limit + 1)
        rows = connection.execute(query).mappings().all()
        page = rows[:limit]
        return page, self._cursor(page[-1], question) if len(rows) > limit else None

    def _cursor(self, last: RowMapping, question: Sequence[str | None]) -> str:
        ended_at = [last[column.name] for column, _ in self.columns]
        words = [it.isoformat() if isinstance(it, datetime) else str(it) for it in ended_at]
        return cursors.encode(words, question=question)

    def _read(self, cursor: str, question: Sequence[str | None]) -> Tuple:
        words = cursors.decode(cursor, question=question, length=len(self.columns))
        try:
            # Each with the type of its column, which a tuple does not pass on.
            values = [
                literal(read(word), column.type) for word, (column, read) in zip(words, self.columns, strict=True)
            ]
        except ValueError:
            raise ValueError("the cursor is not one that was handed out") from None
        return tuple_(*values)
