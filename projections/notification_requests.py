"""
What customers are to be told: one request for each appointment that was booked, moved or cancelled.

A request says that somebody is to be told, and of what. How, and in which words, is for
whoever sends it; who the customer is stands in the booking, and nowhere here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection, select

from projections.standing import BOOKED, CANCELLED, Change
from projections.tables import notification_requests

CONFIRMATION: Final = "confirmation"
MOVE: Final = "move"
CANCELLATION: Final = "cancellation"
PENDING: Final = "pending"


@dataclass(frozen=True, kw_only=True)
class NotificationRequest:
    """One thing that a customer is to be told; `created_at` is when it happened."""

    id: UUID
    company_id: str
    booking_id: UUID
    kind: str
    status: str
    created_at: datetime


def requested(change: Change) -> NotificationRequest | None:
    """Return what the customer is to be told of a change, None if it is nothing to them."""
    kind = _kind(change)
    if kind is None:
        return None
    booking_id = change.after.booking_id
    return NotificationRequest(
        id=uuid5(booking_id, f"notification {kind} {change.after.version}"),
        company_id=change.after.company_id,
        booking_id=booking_id,
        kind=kind,
        status=PENDING,
        created_at=change.event.event.at,
    )


def newest(connection: Connection, *, company_id: str, limit: int) -> list[NotificationRequest]:
    """Return a company's latest requests, the newest first."""
    c = notification_requests.c
    query = select(notification_requests).where(c.company_id == company_id)
    rows = connection.execute(query.order_by(c.created_at.desc(), c.id.desc()).limit(limit)).mappings()
    return [NotificationRequest(**row) for row in rows]


def _kind(change: Change) -> str | None:
    before = None if change.before is None else change.before.status
    if change.after.status != before:
        return {BOOKED: CONFIRMATION, CANCELLED: CANCELLATION}.get(change.after.status)
    return MOVE if change.before is not None and change.after.moves > change.before.moves else None
