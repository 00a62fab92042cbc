"""
How the appointment of a booking stands, as far as its customer is concerned: asked for, booked, cancelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import events as e
from domain.composite import CompositeInitiated, LegEvent
from domain.moving import BookingRescheduled
from domain.replacing import replace
from projections.errors import OutOfOrder
from projections.sequence import unseen
from sagas.appending import Recorded

ASKED: Final = "asked"
BOOKED: Final = "booked"
CANCELLED: Final = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """
    What the reactions know of a booking at `version`.

    `appointments` is how many stand: of a composite one for each leg, else one at most.
    `status` is `cancelled` only once the last one is. `moves` is how often one was moved,
    `last_event_at` when the customer last had news of it.
    """

    booking_id: UUID
    company_id: str
    customer_id: UUID
    status: str
    appointments: int
    moves: int
    last_event_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event, and how the appointment stood before and after it; what changed nothing in between is left out."""

    before: Standing | None
    after: Standing
    event: Recorded


def changes(standing: Standing | None, recorded: Sequence[Recorded]) -> list[Change]:
    """
    Return what recorded events of one booking change; those that it contains already are left out.

    The last one is there even if it changes nothing, so that its standing has the last version.

    Raises:
        OutOfOrder: an event of the booking is missing in between.

    """
    found: list[Change] = []
    for one in unseen(recorded, after=0 if standing is None else standing.version):
        after = _begun_or_evolved(standing, one)
        if after is not standing or one is recorded[-1]:
            after = replace(after, version=one.version)
            found.append(Change(before=standing, after=after, event=one))
            standing = after
    return found


def _begun_or_evolved(standing: Standing | None, one: Recorded) -> Standing:
    if standing is not None:
        return _evolved(standing, one)
    match one.event:
        case e.BookingInitiated() as begun:
            company_id = begun.service.company_id
        case CompositeInitiated() as begun:
            company_id = begun.company_id
        case _:
            raise OutOfOrder(stream_id=one.stream_id, expected=1, found=one.version)
    return Standing(
        booking_id=one.stream_id,
        company_id=company_id,
        customer_id=begun.customer_id,
        status=ASKED,
        appointments=0,
        moves=0,
        last_event_at=begun.at,
        version=one.version,
    )


def _evolved(standing: Standing, one: Recorded) -> Standing:
    """Return the standing after one more event; all that happens on the way there changes nothing."""
    match one.event.event if isinstance(one.event, LegEvent) else one.event:
        case e.AppointmentBooked():
            # All legs are booked in one append: the first one says that they are.
            changed = replace(standing, status=BOOKED, appointments=standing.appointments + 1)
        case e.BookingCancelled() if standing.status == BOOKED:
            left = standing.appointments - 1
            changed = replace(standing, status=BOOKED if left else CANCELLED, appointments=left)
        case BookingRescheduled() if standing.status == BOOKED:
            changed = replace(standing, moves=standing.moves + 1)
        case _:
            return standing
    return replace(changed, last_event_at=max(standing.last_event_at, one.event.at))
