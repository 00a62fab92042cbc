"""
Comparing what the database holds about a notice to the operators with what its stream says: pure.
"""

from collections.abc import Iterator, Sequence

from adapters.difference import NOTHING, Difference, difference, surplus_rows
from adapters.evidence import Evidence
from domain.notice import OperatorNotified, notice_id_of
from sagas.appending import LogEvent


def about_notice(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Yield everything that is wrong with a notice: it is one event under an id of its own, and has no row."""
    (first, *others) = events
    if others or not isinstance(first, OperatorNotified):
        yield difference(one, "stream", "one event of a notice", f"{len(events)} events")
        return
    expected = notice_id_of(first.failure_id, first.cause, first.occasion)
    if one.stream_id != expected:
        yield difference(one, "stream", f"the id {expected}", str(one.stream_id))
    if one.due is not None:
        yield difference(one, "due work", NOTHING, "a row of a notice")
    yield from surplus_rows(one, "a row of a notice")
