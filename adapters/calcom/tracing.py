"""
What a uid has become, and what stands in a list, in the sagas' words.

Cal.com gives a moved booking another uid, and calls the one before cancelled.
"""

from uuid import UUID

from adapters.calcom.models import BOOKING_KEY, SightingAnswer
from adapters.calcom.reading import Failure, NotFound, read_sighting
from adapters.calcom.wire import Wire
from sagas.outcomes import Attendee, Gone, NotThere, Standing, Trace, TraceFailed

MOVES = 20
"""How often a booking may have been moved before following it is given up."""


async def trace(wire: Wire, uid: str) -> Trace:
    """Follow a uid to where it stands now, or to its end, and back to what it was at first."""
    origins: tuple[str, ...] = ()
    first: str | None = None
    for _ in range(MOVES):
        seen = await read_sighting(wire, uid)
        if isinstance(seen, Failure):
            return TraceFailed(reason=seen.reason, retry_after=seen.retry_after)
        if isinstance(seen, NotFound):
            return NotThere() if not origins else TraceFailed(reason="successor_not_found")
        first = seen.rescheduled_from_uid if not origins else first
        if seen.is_live or seen.rescheduled_to_uid is None:
            before = await _before(wire, first, known=origins)
            return before if isinstance(before, TraceFailed) else sighting(seen, origins=(*origins, *before))
        origins, uid = (seen.uid, *origins), seen.rescheduled_to_uid
    return TraceFailed(reason="moved_too_often")


async def _before(wire: Wire, uid: str | None, *, known: tuple[str, ...]) -> tuple[str, ...] | TraceFailed:
    """Return everything that became what was asked for, the last one first: the log may know an early uid alone."""
    origins: tuple[str, ...] = ()
    while uid is not None and uid not in origins and uid not in known:
        if len(origins) == MOVES:
            return TraceFailed(reason="moved_too_often")
        origins = (*origins, uid)
        seen = await read_sighting(wire, uid)
        if isinstance(seen, Failure):
            return TraceFailed(reason=seen.reason, retry_after=seen.retry_after)
        uid = None if isinstance(seen, NotFound) else seen.rescheduled_from_uid
    return origins


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
        attendee=_attendee(seen),
    )


def _booking_id(seen: SightingAnswer) -> UUID | None:
    said = (seen.metadata or {}).get(BOOKING_KEY)
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _attendee(seen: SightingAnswer) -> Attendee | None:
    if not seen.attendees:
        return None
    first = seen.attendees[0]
    return Attendee(name=first.name, email=first.email, phone=first.phone, time_zone=first.time_zone)
