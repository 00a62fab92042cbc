"""
The row of a booking in the list, and of its legs: what they amount to, and how they are kept in one column.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from domain.booking import BookingStatus, status_of_legs
from domain.replacing import replace


@dataclass(frozen=True, kw_only=True)
class BookingRow:
    """
    A booking as the list shows it at `version`; `failure_*` is why it failed, is undone, or waits for a person.

    `undecided` is not shown: while it holds, what Cal.com makes is the booking's own, also when a person is asked.
    The row of a composite follows from those of its `legs`.
    """

    booking_id: UUID
    company_id: str
    status: str
    service_id: str
    customer_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    source: str
    staff_id: str | None
    calcom_booking_uid: str | None
    appointment_id: UUID | None
    failure_reason: str | None
    failure_detail: str | None
    idempotency_key: str
    correlation_id: str
    resilience_strategy: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    undecided: bool = False
    legs: tuple["BookingRow", ...] = ()


def of_legs(row: BookingRow, legs: Sequence[BookingRow]) -> BookingRow:
    """Return the row of a composite whose legs have these, as far as they are known."""
    if not legs:
        return row
    over = {BookingStatus.FAILED.value, BookingStatus.CANCELLED.value}
    standing = [leg for leg in legs if leg.status not in over] or legs
    reviewed = [leg for leg in legs if leg.status == BookingStatus.NEEDS_REVIEW.value]
    blamed = next((leg for leg in (*reviewed, *legs) if leg.failure_reason is not None), None)
    strategies = {leg.resilience_strategy for leg in legs}
    return replace(
        row,
        legs=tuple(legs),
        status=status_of_legs([BookingStatus(leg.status) for leg in legs]).value,
        starts_at=min(leg.starts_at for leg in standing),
        ends_at=max(leg.ends_at for leg in standing),
        failure_reason=None if blamed is None else blamed.failure_reason,
        failure_detail=None if blamed is None else blamed.failure_detail,
        resilience_strategy=next(
            (one for one in ("circuit_breaker", "degradation", "retry") if one in strategies), None
        ),
    )


class LegRows(TypeDecorator[tuple[BookingRow, ...]]):
    """The rows of a composite's legs as JSON; null for a booking that has none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[BookingRow] | None, _dialect: Dialect) -> str | None:
        """Give the database the legs."""
        rows = [{name: getattr(leg, name) for name in _NAMES} for leg in value or ()]
        return json.dumps(rows, default=_text) if rows else None

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[BookingRow, ...]:
        """Take the legs from the database."""
        return tuple(_leg(row) for row in json.loads(value)) if value else ()


_NAMES = tuple(field.name for field in fields(BookingRow) if field.name != "legs")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _leg(row: dict[str, Any]) -> BookingRow:
    # Rows that were written before it was kept say nothing of a question to a person.
    read: dict[str, Any] = {"undecided": row["status"] == BookingStatus.PENDING.value, **row}
    for name in ("booking_id", "customer_id", "appointment_id"):
        read[name] = row[name] and UUID(row[name])
    for name in ("starts_at", "ends_at", "created_at", "updated_at"):
        read[name] = datetime.fromisoformat(row[name])
    return BookingRow(**read)
