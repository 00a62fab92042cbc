"""From a list to what became of the attempts that were looked for."""

from collections.abc import Collection

from adapters.calcom.listing import Listing, ListingFailed
from adapters.calcom.models import BookingAnswer
from adapters.calcom.reading import Failure, read_booking
from adapters.calcom.wire import Wire
from sagas.outcomes import Found, Looked, LookFailed, LookOutcome

MOVES = 20
"""How often a booking may have been moved before following it is given up."""


async def outcome_of(listing: Listing | ListingFailed, *, wire: Wire, attempt_ids: Collection[str]) -> LookOutcome:
    """Return the bookings of these attempts, those that they were moved to included."""
    if isinstance(listing, ListingFailed):
        return LookFailed(started_at=listing.started_at, reason=listing.reason)
    if not listing.unreadable.isdisjoint(attempt_ids):
        return LookFailed(started_at=listing.started_at, reason="unreadable")
    found: list[Found] = []
    for attempt_id in attempt_ids:
        bookings = await _with_successors(wire, listing.bookings.get(attempt_id, ()))
        if isinstance(bookings, Failure):
            return LookFailed(started_at=listing.started_at, reason=bookings.reason)
        found.extend(_found(booking, attempt_id) for booking in bookings)
    return Looked(started_at=listing.started_at, found=tuple(found))


async def _with_successors(wire: Wire, listed: tuple[BookingAnswer, ...]) -> tuple[BookingAnswer, ...] | Failure:
    # A moved booking keeps its metadata, so its successor is in the list as a rule.
    known = {booking.uid: booking for booking in listed}
    ahead = _unknown_successors(known)
    for _ in range(MOVES):
        if not ahead:
            return tuple(known.values())
        seen = await read_booking(wire, ahead[0])
        if isinstance(seen, Failure):
            return seen
        if not isinstance(seen, BookingAnswer):
            return Failure(reason="successor_not_found", detail="a booking was moved to one that cannot be found")
        known[seen.uid] = seen
        ahead = _unknown_successors(known)
    return Failure(reason="moved_too_often", detail="a booking was moved more often than can be followed")


def _unknown_successors(known: dict[str, BookingAnswer]) -> list[str]:
    return [it.rescheduled_to_uid for it in known.values() if it.rescheduled_to_uid not in {None, *known}]  # type: ignore[misc]


def _found(booking: BookingAnswer, attempt_id: str) -> Found:
    return Found(
        attempt_id=attempt_id,
        uid=booking.uid,
        calcom_status=booking.status,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        created_at=booking.created_at,
        rescheduled_from=booking.rescheduled_from_uid,
        rescheduled_to=booking.rescheduled_to_uid,
    )
