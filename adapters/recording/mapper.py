"""Between the log's rows and recorded events, in the shape that the eventsourcing library asks of a mapper."""

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import JSONTranscoder, Mapper, Notification, StoredEvent

from adapters.recording.codec import EventCodec, Stored
from sagas.appending import Append, LogEvent, Recorded, Refusal


class EventMapper(Mapper[UUID]):
    """
    Map with our own codec.

    The library's mapper needs events with a `__dict__` and names them after their
    module; ours have slots, and names of their own.
    """

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(JSONTranscoder())
        self.codec = codec

    def to_stored_event(self, domain_event: Recorded) -> StoredEvent:  # type: ignore[override]
        """Return the row of one event."""
        stored = Stored(
            append_id=domain_event.append_id,
            correlation_id=domain_event.correlation_id,
            recorded_at=domain_event.recorded_at,
            event=domain_event.event,
        )
        return self._row(domain_event.stream_id, domain_event.version, stored)

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:  # type: ignore[override]
        """
        Return the event of one row.

        Raises:
            UnreadableEvent: it cannot be read.

        """
        stored = self.codec.decode(stored_event.topic, stored_event.state)
        return Recorded(
            stream_id=_uuid(stored_event.originator_id),
            version=stored_event.originator_version,
            event=stored.event,
            append_id=stored.append_id,
            correlation_id=stored.correlation_id,
            recorded_at=stored.recorded_at,
            position=stored_event.id if isinstance(stored_event, Notification) else 0,
        )

    def rows(
        self, append: Append, events: Sequence[LogEvent], *, refusal: Refusal | None = None
    ) -> tuple[StoredEvent, ...]:
        """
        Return the rows of one append's events.

        Raises:
            TypeError: an event holds what JSON cannot hold.

        """
        return tuple(
            self._row(
                append.stream_id,
                append.expected_version + place,
                Stored(
                    append_id=append.append_id,
                    correlation_id=append.correlation_id,
                    recorded_at=append.recorded_at,
                    event=event,
                    refusal=refusal,
                ),
            )
            for place, event in enumerate(events, start=1)
        )

    def _row(self, stream_id: UUID, version: int, stored: Stored[LogEvent]) -> StoredEvent:
        return StoredEvent(
            originator_id=stream_id,
            originator_version=version,
            topic=stored.event.TOPIC,
            state=self.codec.encode(stored),
        )


def _uuid(originator_id: UUID | str) -> UUID:
    return originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
