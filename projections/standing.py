"""
How the appointment of a booking stands, as far as its customer is concerned: asked for, booked, cancelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import events as e
from domain.moving import BookingRescheduled
from domain.replacing import replace
from projections.errors import OutOfOrder
from sagas.appending import Recorded

ASKED: Final = "asked"
BOOKED: Final = "booked"
CANCELLED: Final = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """
    What the reactions know of a booking at `version`.

    `status` is `cancelled` only if there was an appointment. `moves` is how often it was
    moved, `last_event_at` when its customer last had news of it.
    """

    booking_id: UUID
    company_id: str
    customer_id: UUID
    status: str
    moves: int
    last_event_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event, and how the appointment stood before and after it."""

    before: Standing | None
    after: Standing
    event: Recorded


def changes(standing: Standing | None, recorded: Sequence[Recorded]) -> list[Change]:
    """
    Return what recorded events of one booking change; those that it contains already are left out.

    Raises:
        OutOfOrder: an event of the booking is missing in between.

    """
    found: list[Change] = []
    for one in recorded:
        version = 0 if standing is None else standing.version
        if one.version <= version:
            continue
        if one.version != version + 1:
            raise OutOfOrder(stream_id=one.stream_id, expected=version + 1, found=one.version)
        after = replace(_begun_or_evolved(standing, one), version=one.version)
        found.append(Change(before=standing, after=after, event=one))
        standing = after
    if standing is None:
        raise OutOfOrder(stream_id=recorded[0].stream_id, expected=1, found=recorded[0].version)
    return found


def _begun_or_evolved(standing: Standing | None, one: Recorded) -> Standing:
    if standing is not None:
        return _evolved(standing, one)
    if not isinstance(one.event, e.BookingInitiated):
        raise OutOfOrder(stream_id=one.stream_id, expected=1, found=one.version)
    return Standing(
        booking_id=one.stream_id,
        company_id=one.event.service.company_id,
        customer_id=one.event.customer_id,
        status=ASKED,
        moves=0,
        last_event_at=one.event.at,
        version=one.version,
    )


def _evolved(standing: Standing, one: Recorded) -> Standing:
    """Return the standing after one more event; all that happens on the way there changes nothing."""
    match one.event:
        case e.AppointmentBooked():
            changed = replace(standing, status=BOOKED)
        case e.BookingCancelled() if standing.status == BOOKED:
            changed = replace(standing, status=CANCELLED)
        case BookingRescheduled() if standing.status == BOOKED:
            changed = replace(standing, moves=standing.moves + 1)
        case _:
            return standing
    return replace(changed, last_event_at=max(standing.last_event_at, one.event.at))
