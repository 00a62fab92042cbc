"""
Comparing what the database holds about the clearings of a service's failures with what their stream says: pure.
"""

from collections.abc import Iterator, Sequence

from adapters.difference import Difference, about_rowless_stream
from adapters.evidence import Evidence
from domain.failures_cleared import FailuresCleared, clearings_id_of
from sagas.appending import LogEvent


def about_clearings(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Return what is wrong with a service's clearings: they stand under the service's id, and have no row."""
    return about_rowless_stream(
        one,
        events,
        fits=lambda it: isinstance(it, FailuresCleared) and clearings_id_of(it.service) == one.stream_id,
        wanted="the clearings of one service",
        owner="a clearing",
    )
