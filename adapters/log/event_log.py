"""The log port: appends through the appender, reads through the library's recorder."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, Notification

from adapters.database.reading import Readers
from adapters.log.appender import Appender
from adapters.recording.errors import UnreadableEvent
from adapters.recording.mapper import EventMapper
from sagas.appending import Append, AppendResult, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An event that cannot be read, for a follower to park its stream and go on."""

    stream_id: UUID
    version: int
    position: int
    topic: str
    problem: str


class EventLog:
    """The truth, in the order in which it was committed."""

    def __init__(
        self, *, recorder: ApplicationRecorder, appender: Appender, readers: Readers, mapper: EventMapper
    ) -> None:
        self._recorder = recorder
        self._appender = appender
        self._readers = readers
        self._mapper = mapper

    async def append(self, append: Append) -> AppendResult:
        """
        Write one append, together with whatever else waits.

        Raises:
            AppointmentDatabaseError: it is not known to be written. Appending the very
                same `append` again is safe.

        """
        return await self._appender.append(append)

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        """
        Return a stream from its first event on; empty if there is none.

        Raises:
            AppointmentDatabaseError: the database did not answer.
            UnreadableEvent: it holds an event that this calsaga cannot read.

        """
        return await self._readers.answer(lambda: self._stream(stream_id))

    async def last(self, stream_id: UUID) -> Recorded | None:
        """
        Return the last event of a stream of the fleet's, however long it is, or None if there is none.

        Raises:
            AppointmentDatabaseError: the database did not answer, or is left alone because it has failed.
            UnreadableEvent: this calsaga cannot read it.

        """
        return await self._readers.glance(lambda: self._last(stream_id))

    async def read_all(self, *, after: int, limit: int) -> Sequence[Recorded | Unreadable]:
        """
        Return up to `limit` events of all streams, from the one after a position on.

        Whoever reads on from the last position misses none: positions are given and
        committed in one order.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._everything(after, limit))

    def decoded(self, rows: Sequence[Notification]) -> Sequence[Recorded | Unreadable]:
        """Return the events of rows that somebody has read along with something else."""
        return [self._read(row) for row in rows]

    async def head(self) -> int:
        """
        Return the position of the newest event, 0 if there is none.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.answer(lambda: self._recorder.max_notification_id() or 0)

    async def aclose(self, *, within: float) -> None:
        """Take no more appends, and return when all that wait are written, or given up after so many seconds."""
        await self._appender.aclose(within=within)

    def _stream(self, stream_id: UUID) -> Sequence[Recorded]:
        return [self._mapper.to_domain_event(row) for row in self._recorder.select_events(stream_id)]

    def _last(self, stream_id: UUID) -> Recorded | None:
        rows = self._recorder.select_events(stream_id, desc=True, limit=1)
        return self._mapper.to_domain_event(rows[0]) if rows else None

    def _everything(self, after: int, limit: int) -> Sequence[Recorded | Unreadable]:
        rows = self._recorder.select_notifications(after, limit, inclusive_of_start=False)
        return self.decoded(rows)

    def _read(self, row: Notification) -> Recorded | Unreadable:
        try:
            return self._mapper.to_domain_event(row)
        except UnreadableEvent as exc:
            return Unreadable(
                stream_id=UUID(str(row.originator_id)),
                version=row.originator_version,
                position=row.id,
                topic=row.topic,
                problem=str(exc),
            )
