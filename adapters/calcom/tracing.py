"""
What a uid has become, and what stands in a list, in the sagas' words.

Cal.com gives a moved booking another uid, and calls the one before cancelled.
"""

from dataclasses import replace
from uuid import UUID

from adapters.calcom.attendees import attendee_of
from adapters.calcom.models import BOOKING_KEY, BookingAnswer, SightingAnswer
from adapters.calcom.paced import Sender
from adapters.calcom.reading import Failure, NotFound, read_sighting
from sagas.outcomes import Gone, NotThere, Standing, Trace, TraceFailed

MOVES = 20
"""How often a booking may have been moved before following it is given up."""


async def trace(wire: Sender, uid: str) -> Trace:
    """Follow a uid to where it stands now, or to its end, and back to what it once was."""
    origins: tuple[str, ...] = ()
    for _ in range(MOVES):
        seen = await read_sighting(wire, uid)
        if isinstance(seen, Failure):
            return TraceFailed(reason=seen.reason, retry_after=seen.retry_after)
        if isinstance(seen, NotFound):
            return NotThere() if not origins else TraceFailed(reason="successor_not_found")
        if seen.is_live or seen.rescheduled_to_uid is None:
            return await _traced_back(wire, sighting(seen, origins=origins))
        origins, uid = (seen.uid, *origins), seen.rescheduled_to_uid
    return TraceFailed(reason="moved_too_often")


async def _traced_back(wire: Sender, seen: Standing | Gone) -> Trace:
    """Add every uid that it had before: the log may know only the first of them."""
    known = seen.uids
    asked_about = known[0]
    for _ in range(MOVES):
        if known[-1] == asked_about:
            return replace(seen, origins=known[1:])
        asked_about = known[-1]
        before = await read_sighting(wire, asked_about)
        if isinstance(before, Failure):
            return TraceFailed(reason=before.reason, retry_after=before.retry_after)
        if isinstance(before, BookingAnswer) and before.rescheduled_from_uid not in {None, *known}:
            known = (*known, before.rescheduled_from_uid or "")
    return TraceFailed(reason="moved_too_often")


def sighting(seen: SightingAnswer, *, origins: tuple[str, ...] = ()) -> Standing | Gone:
    """Return one booking as it stands; `origins` are the uids that are known to have become it."""
    before = seen.rescheduled_from_uid
    known = origins if before is None or before in origins else (*origins, before)
    if not seen.is_live:
        return Gone(uid=seen.uid, attempt_id=seen.attempt_id, booking_id=_booking_id(seen), origins=known)
    return Standing(
        uid=seen.uid,
        calcom_status=seen.status,
        starts_at=seen.starts_at,
        ends_at=seen.ends_at,
        created_at=seen.created_at,
        event_type_id=seen.event_type_id,
        attempt_id=seen.attempt_id,
        booking_id=_booking_id(seen),
        origins=known,
        attendee=attendee_of(seen),
    )


def _booking_id(seen: SightingAnswer) -> UUID | None:
    said = (seen.metadata or {}).get(BOOKING_KEY)
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None
