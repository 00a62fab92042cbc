"""The library's recorder for PostgreSQL, with the one way in which the log is written."""

from collections.abc import Sequence
from typing import NoReturn

import orjson
import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.database.clock import DatabaseClock
from adapters.postgres.errors import database_error
from adapters.postgres.session import WriterSession
from adapters.postgres.transaction import PostgresTransaction
from adapters.recording.batch import Draft, Late, draft, nobody, write_batch
from adapters.recording.errors import OnlyAppended
from adapters.recording.mapper import EventMapper
from adapters.recording.probing import Point, Probe, reached
from sagas.appending import Append, AppendResult


class PostgresLogRecorder(PostgresApplicationRecorder):
    """
    Write batches of appends; reading is the library's.

    `append` is for one thread at a time. `clock` is told the database's time with each.
    """

    def __init__(
        self,
        datastore: PostgresDatastore,
        *,
        session: WriterSession,
        mapper: EventMapper,
        probe: Probe,
        clock: DatabaseClock,
    ) -> None:
        super().__init__(datastore)
        self._session = session
        self._mapper = mapper
        self._probe = probe
        self._clock = clock

    def append(self, batch: Sequence[Append], late: Late = nobody) -> list[AppendResult]:
        """
        Write a batch and those who came `late` in one transaction, at most one append a stream.

        Raises:
            AppointmentDatabaseError: nothing is known to be written. The same batch may be
                appended again: what was written is recognized.

        """
        if not batch:
            return []
        try:
            return self._append(batch, late)
        except (psycopg.Error, UnicodeError, orjson.JSONEncodeError) as exc:
            error = database_error(exc)
            if error.kind == "connection_lost":
                # Even one that still answers, for example as a standby now, must not be used again.
                self._session.close()
            raise error from exc

    def _append(self, batch: Sequence[Append], late: Late) -> list[AppendResult]:
        drafts = self._drafts(batch)
        try:
            cursor = self._session.begin()
            # Whoever came while the lock was waited for is written now, and not behind the next wait for it.
            drafts += self._drafts(late())
            results = write_batch(PostgresTransaction(self._session, cursor, self._clock), drafts, self._mapper)
            self._reached("written", drafts)
            self._session.commit()
        except BaseException:
            self._session.abandon()
            raise
        self._reached("after", drafts)
        return results

    def _drafts(self, batch: Sequence[Append]) -> list[Draft]:
        drafts = [draft(one, self._mapper) for one in batch]
        self._reached("before", drafts)
        return drafts

    def _reached(self, point: Point, drafts: Sequence[Draft]) -> None:
        reached(self._probe, point, [one.append for one in drafts])

    def insert_events(self, stored_events: Sequence[StoredEvent], **_kwargs: object) -> NoReturn:
        """Refuse: events that were written without their claims and due work would be lost sight of."""
        raise OnlyAppended(len(stored_events))

    def close(self) -> None:
        """Close the writer's connection and the pool."""
        self._session.close()
        self.datastore.close()
