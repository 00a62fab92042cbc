"""
Comparing what the database holds about full fallback with what its stream says: pure.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from adapters.difference import NOTHING, Difference, difference, surplus_rows
from adapters.evidence import Evidence
from domain.full_fallback import STREAM, FullFallbackBegun, FullFallbackEnded, FullFallbackEvent
from sagas.appending import LogEvent


def about_full_fallback(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Yield everything that is wrong: it is one stream for the fleet, ends only what has begun, and has no row."""
    if one.stream_id != STREAM:
        yield difference(one, "stream", f"the id {STREAM}", str(one.stream_id))
    for event in events:
        if not isinstance(event, FullFallbackEvent):
            yield difference(one, "stream", "events of full fallback", event.TOPIC)
    if not isinstance(events[0], FullFallbackBegun):
        yield difference(one, "stream", f"begins with {FullFallbackBegun.TOPIC}", events[0].TOPIC)
    if any(
        isinstance(before, FullFallbackEnded) and isinstance(after, FullFallbackEnded)
        for before, after in pairwise(events)
    ):
        yield difference(one, "stream", "one end for each beginning", "two ends")
    if one.due is not None:
        yield difference(one, "due work", NOTHING, "a row of full fallback")
    yield from surplus_rows(one, "a row of full fallback")
