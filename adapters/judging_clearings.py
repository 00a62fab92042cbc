"""
Comparing what the database holds about the clearings of a service's failures with what their stream says: pure.
"""

from collections.abc import Iterator, Sequence

from adapters.difference import NOTHING, Difference, difference, surplus_rows
from adapters.evidence import Evidence
from domain.failures_cleared import FailuresCleared, clearings_id_of
from sagas.appending import LogEvent


def about_clearings(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Yield everything that is wrong with a service's clearings: they stand under the service's id, and have no row."""
    strange = [
        it for it in events if not isinstance(it, FailuresCleared) or clearings_id_of(it.service) != one.stream_id
    ]
    if strange:
        yield difference(one, "stream", "the clearings of one service", strange[0].TOPIC)
        return
    if one.due is not None:
        yield difference(one, "due work", NOTHING, "a row of a clearing")
    yield from surplus_rows(one, "a row of a clearing")
