"""
Writing histories into a real log.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from sagas.appending import Append, Appended, LogEvent, NothingDue, Recorded
from sagas.ports import Log


async def append(log: Log, recorded: Sequence[Recorded]) -> None:
    """
    Append some events of one stream, without the rows that a saga would write beside them.
    """
    first = recorded[0]
    appended = await log.append(append_of([one.event for one in recorded], like=first))

    assert isinstance(appended, Appended)


def append_of(events: Sequence[LogEvent], *, like: Recorded) -> Append:
    """
    Return the append of these events at the place of `like`.
    """
    return Append(
        stream_id=like.stream_id,
        expected_version=like.version - 1,
        append_id=uuid4().hex,
        correlation_id=like.correlation_id,
        recorded_at=like.recorded_at,
        events=tuple(events),
        due=NothingDue(),
    )
