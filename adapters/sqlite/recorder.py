"""The library's recorder for SQLite, with the one way in which the log is written."""

import sqlite3
from collections.abc import Sequence
from typing import NoReturn

import orjson
from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from adapters.database.clock import DatabaseClock
from adapters.recording.batch import Draft, Late, draft, nobody, write_batch
from adapters.recording.errors import OnlyAppended
from adapters.recording.mapper import EventMapper
from adapters.recording.probing import Probe, reached
from adapters.sqlite.errors import database_error
from adapters.sqlite.session import WriterSession
from adapters.sqlite.statements import NOTIFICATIONS
from adapters.sqlite.transaction import SQLiteTransaction
from sagas.appending import Append, AppendResult


class SQLiteLogRecorder(SQLiteApplicationRecorder):
    """
    Write batches of appends; reading is the library's.

    `append` is for one thread at a time. `clock` is told the database's time with each.
    """

    def __init__(
        self,
        datastore: SQLiteDatastore,
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
        Write a batch in one transaction, at most one append a stream, and after it those who came `late`.

        Raises:
            AppointmentDatabaseError: nothing is known to be written. The same batch may be
                appended again: what was written is recognized.

        """
        if not batch:
            return []
        try:
            return self._append(batch, late)
        except (sqlite3.Error, UnicodeError, OverflowError, orjson.JSONEncodeError) as exc:
            raise database_error(exc) from exc

    def _append(self, batch: Sequence[Append], late: Late) -> list[AppendResult]:
        drafts = self._drafts(batch)
        try:
            transaction = SQLiteTransaction(self._session.begin(), self._clock)
            # Whoever came while the lock was waited for is written now, and not behind the next wait for it.
            batch = [*batch, *late()]
            drafts += self._drafts(batch[len(drafts) :])
            results = write_batch(transaction, drafts, self._mapper)
            reached(self._probe, "written", batch)
            self._session.commit()
        except BaseException:
            self._session.abandon()
            raise
        reached(self._probe, "after", batch)
        return results

    def _drafts(self, batch: Sequence[Append]) -> list[Draft]:
        drafts = [draft(one, self._mapper) for one in batch]
        reached(self._probe, "before", batch)
        return drafts

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events in the order of the log, which the library can only read from implicit ids."""
        first = (start or 0) + (start is not None and not inclusive_of_start)
        wanted = {"first": first, "last": stop, "topics": orjson.dumps(list(topics)).decode(), "limit": limit}
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(NOTIFICATIONS, wanted)
            return [
                Notification(
                    id=row["notification_id"],
                    originator_id=self.convert_originator_id(row["originator_id"]),
                    originator_version=row["originator_version"],
                    topic=row["topic"],
                    state=row["state"],
                )
                for row in cursor.fetchall()
            ]

    def insert_events(self, stored_events: Sequence[StoredEvent], **_kwargs: object) -> NoReturn:
        """Refuse: events that were written without their claims and due work would be lost sight of."""
        raise OnlyAppended(len(stored_events))

    def close(self) -> None:
        """Close the writer's connection and the pool."""
        self._session.close()
        self.datastore.close()
