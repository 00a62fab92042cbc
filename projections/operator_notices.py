"""
Which notices a booking gives rise to (M24): one for each open sync failure, and one more once it needs a person.

What was mended before anybody could be told troubles nobody.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Table

from domain.composite import LegEvent
from domain.findings import InconsistencyDetected, ManualReviewRequested
from domain.notice import NoticeCause, notice_id_of
from projections.failures import MANUAL_REVIEW, BookingFailures, SyncFailure
from projections.source import Entry, Projection
from projections.sync_failures import evolve_recorded
from sagas.appending import LogEvent, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the operators are to be told of a sync failure."""

    failure: SyncFailure
    cause: NoticeCause
    occasion: int

    @property
    def notice_id(self) -> UUID:
        """Return the stream that the notice is written to."""
        return notice_id_of(self.failure.id, self.cause, self.occasion)


def findings_in(entries: Iterable[Entry]) -> list[UUID]:
    """Return the bookings about which something was found, or a person is asked."""
    found = (one.stream_id for one in entries if isinstance(one, Recorded) and _is_finding(one.event))
    return list(dict.fromkeys(found))


def _is_finding(event: LogEvent) -> bool:
    happened = event.event if isinstance(event, LegEvent) else event
    return isinstance(happened, InconsistencyDetected | ManualReviewRequested)


def notices(stream: Sequence[Recorded]) -> list[Notice]:
    """
    Return what the operators are to be told of a booking, as it stands; of what a person has had tried again, nothing.

    Raises:
        OutOfOrder: an event of the booking is missing.

    """
    state: BookingFailures | None = None
    causes: dict[UUID, NoticeCause] = {}
    occasions: Counter[tuple[UUID, NoticeCause]] = Counter()
    for one in stream:
        state, before = evolve_recorded(state, [one]), causes
        causes = {it.id: _cause_of(it) for it in state.failures if it.is_open}
        occasions.update(it for it in causes.items() if _is_news(before.get(it[0]), it[1]))
    failures = () if state is None else state.failures
    told = ((one, _cause_of(one)) for one in failures if one.is_open)
    return [
        Notice(failure=one, cause=cause, occasion=occasion)
        for one, cause in told
        if (occasion := occasions[one.id, cause])
    ]


def _cause_of(failure: SyncFailure) -> NoticeCause:
    return "needs_person" if failure.status == MANUAL_REVIEW else "found"


def _is_news(before: NoticeCause | None, cause: NoticeCause) -> bool:
    return before is None or (cause == "needs_person" and before != cause)


def apply(_connection: Connection, _tables: Sequence[Table], _recorded: Sequence[Recorded]) -> None:
    """Change nothing: notices stand in the log, and only the checkpoint is kept."""


OPERATOR_NOTICES = Projection(name="operator_notices", tables=(), apply=apply)
