"""A SQLite file, opened for a store."""

from eventsourcing.sqlite import SQLiteDatastore
from sqlalchemy import make_url

from adapters.database.clock import DatabaseClock
from adapters.recording.backend import Backend, Options
from adapters.sqlite.due_work import SQLiteDueWork
from adapters.sqlite.errors import database_error
from adapters.sqlite.recorder import SQLiteLogRecorder
from adapters.sqlite.session import BUSY_SECONDS, WriterSession
from migrations.runner import migrate


def open_sqlite(url: str, options: Options, clock: DatabaseClock) -> Backend:
    """
    Open a file, and create or migrate it if need be.

    Raises:
        SchemaTooNew: a newer calsaga has migrated it.
        ValueError: the URL names no file.

    """
    path = make_url(url).database
    if not path or path == ":memory:":
        raise ValueError("a SQLite database of calsaga is a file, such as sqlite:///calsaga.db")
    migrate(url)
    session = WriterSession(path, busy_seconds=options.lock_timeout or BUSY_SECONDS)
    recorder = SQLiteLogRecorder(
        SQLiteDatastore(path, lock_timeout=round(BUSY_SECONDS), pool_size=options.readers[-1]),
        session=session,
        mapper=options.mapper,
        probe=options.probe,
        clock=clock,
    )
    return Backend(
        recorder=recorder,
        append=recorder.append,
        due_work=SQLiteDueWork(path, clock, file=session.file),
        database_error=database_error,
        close=recorder.close,
        check=session.file.check,
    )
