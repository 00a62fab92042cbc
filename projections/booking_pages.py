"""
The query behind `GET /api/bookings`: one company's bookings by their start, page by page.

A page goes on after the last row of the one before (keyset), so that new bookings do
not shift it. It is as new as its `position`; when that has reached the `head` which was
read before, everything that was in the log by then is in it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, select

from domain.booking import BookingStatus
from domain.text import identifier_problem
from projections.booking_row import BookingRow
from projections.bookings import BOOKINGS
from projections.checkpoints import position_of
from projections.keyset import DEFAULT_LIMIT, Keyset, instant
from projections.tables import booking_list as bookings

_BY_START = Keyset(columns=((bookings.c.starts_at, instant), (bookings.c.booking_id, UUID)), newest_first=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFilter:
    """
    Which bookings of a company; their start lies in `starts_from` up to, and without, `starts_to`.

    Raises:
        ValueError: no booking can have such a status or service, or a time has no offset.

    """

    company_id: str
    status: str | None = None
    starts_from: datetime | None = None
    starts_to: datetime | None = None
    service_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no booking can match."""
        if self.status is not None and self.status not in set(BookingStatus):
            raise ValueError(f"status must be one of {', '.join(BookingStatus)}")
        if self.service_id is not None and identifier_problem(self.service_id) is not None:
            raise ValueError("service_id is not one that a service can have")
        for moment in (self.starts_from, self.starts_to):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError("a time needs an offset, such as 2026-11-22T10:00:00+01:00")

    @property
    def question(self) -> tuple[str | None, ...]:
        """Return what a cursor is bound to."""
        times = (None if it is None else str(it.timestamp()) for it in (self.starts_from, self.starts_to))
        return (self.company_id, self.status, self.service_id, *times)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPage:
    """Some bookings; `next_cursor` leads on, and `position` is the place in the log that the list has come to."""

    bookings: tuple[BookingRow, ...]
    next_cursor: str | None
    position: int
    head: int


def list_bookings(
    connection: Connection, wanted: BookingFilter, *, head: int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> BookingPage:
    """
    Return a page of a company's bookings, ordered by start; `head` is the log's, read just before.

    Raises:
        ValueError: the limit is out of range, or the cursor was not handed out for this filter.

    """
    # Before the rows: then they are at least as new as it says.
    position = position_of(connection, BOOKINGS.name) or 0
    query = select(bookings).where(and_(*_conditions(wanted)))
    rows, next_cursor = _BY_START.page(connection, query, question=wanted.question, limit=limit, cursor=cursor)
    return BookingPage(
        bookings=tuple(BookingRow(**row) for row in rows), next_cursor=next_cursor, position=position, head=head
    )


def _conditions(wanted: BookingFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [bookings.c.company_id == wanted.company_id]
    if wanted.status is not None:
        conditions.append(bookings.c.status == wanted.status)
    if wanted.service_id is not None:
        conditions.append(bookings.c.service_id == wanted.service_id)
    if wanted.starts_from is not None:
        conditions.append(bookings.c.starts_at >= wanted.starts_from)
    if wanted.starts_to is not None:
        conditions.append(bookings.c.starts_at < wanted.starts_to)
    return conditions
