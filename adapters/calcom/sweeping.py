"""All that is worth comparing of an event type: what has changed at Cal.com, and what is still to come."""

from datetime import datetime

from adapters.calcom.answers import read_as
from adapters.calcom.endpoints import BY_CHANGE, BY_START
from adapters.calcom.listing import blindness, read_pages
from adapters.calcom.models import SightingAnswer
from adapters.calcom.paced import Sender
from adapters.calcom.tracing import sighting
from sagas.outcomes import LookFailed, Sighted, Sightings
from sagas.ports import Clock


async def sweep(
    wire: Sender, *, clock: Clock, event_type_id: int, changed_since: datetime, starting_after: datetime
) -> Sightings:
    """Read both lists to their ends; of a booking that was moved, only what it has become."""
    started_at = clock.now()
    found: dict[str, SightingAnswer] = {}

    def take(row: object) -> None:
        seen = read_as(row, SightingAnswer)
        found[seen.uid] = seen

    for order, since in ((BY_CHANGE, changed_since), (BY_START, starting_after)):
        problem = await read_pages(wire, event_type_id=event_type_id, since=since, order=order, take=take)
        if problem is not None:
            return LookFailed(started_at=started_at, reason=problem)
    # Once for both: whoever sees at the end has seen.
    blind = await blindness(wire, event_type_id)
    if blind is not None:
        return LookFailed(started_at=started_at, reason=blind)
    ends = [one for one in found.values() if one.rescheduled_to_uid is None]
    return Sighted(started_at=started_at, seen=tuple(sighting(one, origins=_before(one, found)) for one in ends))


def _before(seen: SightingAnswer, found: dict[str, SightingAnswer]) -> tuple[str, ...]:
    origins: list[str] = []
    before = seen.rescheduled_from_uid
    while before is not None and before not in origins:
        origins.append(before)
        before = found[before].rescheduled_from_uid if before in found else None
    return tuple(origins)
