"""
Everything that is kept in one database, opened together.

    async with open_store("postgresql://…", probe=probe) as store:
        result = await store.log.append(append)
        stream = await store.log.read(booking_id)
        claimed = await store.agenda.claim(limit=10, lease=timedelta(seconds=45))
        now = store.clock.now()
        row = await store.appointments.find(appointment_id)
        listed = await store.readers.run(lambda: some_query(store.engine))

`engine` is SQLAlchemy's, for read models, services, companies and keys. A SQLite file
is created and migrated; PostgreSQL must have been migrated (`calsaga migrate`).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from eventsourcing.persistence import PersistenceError
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError

from adapters.database.appointments import find_appointment, find_companies, find_holders
from adapters.database.clock import DatabaseClock
from adapters.database.engine import open_engine, pool_state
from adapters.database.outcomes import CallOutcomes
from adapters.database.reading import Readers
from adapters.database.unanswered import Connections
from adapters.log.agenda import DatabaseAgenda
from adapters.log.appender import Appender
from adapters.log.event_log import EventLog
from adapters.pools import Pools, PoolState
from adapters.postgres.backend import open_postgres
from adapters.recording.backend import Backend, Options
from adapters.recording.codec import booking_codec
from adapters.recording.mapper import EventMapper
from adapters.recording.probing import Probe, ignore
from adapters.sqlite.backend import open_sqlite
from domain.errors import AppointmentDatabaseError
from sagas.ports import RowInTheWay

READERS = range(1, 5)
"""How few connections are kept open to read the log, and how many there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAppointments:
    """The appointments port."""

    engine: Engine
    readers: Readers

    async def find(self, appointment_id: UUID) -> RowInTheWay | None:
        """
        Return one row, or None.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self.readers.run(lambda: find_appointment(self.engine, appointment_id))

    async def holders(self, *, company_id: str, uids: Sequence[str]) -> Mapping[str, UUID]:
        """
        Return which booking has each of these uids, be its row booked or cancelled; uids of none are left out.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self.readers.run(lambda: find_holders(self.engine, company_id, uids)) if uids else {}

    async def companies(self, uids: Sequence[str]) -> Mapping[str, str]:
        """
        Return which company's appointment has each of these uids, in the same way.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self.readers.run(lambda: find_companies(self.engine, uids)) if uids else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """
    What one database is used for.

    `outcomes` tells a listener what comes of each call; with `connections` all that waits for PostgreSQL is cut;
    `check` raises sqlite3.OperationalError if the URL means another file by now, or none.
    """

    log: EventLog
    agenda: DatabaseAgenda
    clock: DatabaseClock
    appointments: DatabaseAppointments
    readers: Readers
    engine: Engine
    outcomes: CallOutcomes
    connections: Connections
    pools: Pools
    check: Callable[[], None]


@asynccontextmanager
async def open_store(
    url: str,
    *,
    probe: Probe = ignore,
    patience: float = 10.0,
    lock_timeout: float | None = None,
    readers: range = READERS,
    statement_timeout: float = 10.0,
    read_timeout: float = 10.0,
) -> AsyncIterator[Store]:
    """
    Open the database, and close it once all that was appended is written.

    `readers` is how few connections are kept open to read, and how many there may be.
    `patience` is for how many seconds an append is tried again when the database fails
    for a passing reason, `lock_timeout` one wait for the writer lock (without it, what
    suits the database).

    Raises:
        SchemaError: the database does not fit this calsaga; the message says what to run.
        AppointmentDatabaseError: it does not answer.

    """
    mapper = EventMapper(booking_codec())
    clock = DatabaseClock()
    options = Options(
        mapper=mapper,
        probe=probe,
        lock_timeout=lock_timeout,
        statement_timeout=statement_timeout,
        readers=readers,
    )
    connections = Connections()
    backend = await asyncio.to_thread(_open, url, options, clock, connections)
    outcomes = CallOutcomes()
    threads = Readers(threads=readers[-1], limit=read_timeout, database_error=backend.database_error, outcomes=outcomes)
    engine = open_engine(
        url, pool_size=readers[-1], silence=statement_timeout, connections=connections, check=backend.check
    )
    appender = Appender(backend.append, patience=patience, outcomes=outcomes)
    try:
        # A first look at due work is a first look at the database's clock, too.
        await threads.run(backend.due_work.next_due)
        yield Store(
            log=EventLog(recorder=backend.recorder, appender=appender, readers=threads, mapper=mapper),
            agenda=DatabaseAgenda(backend.due_work, threads, probe=probe),
            clock=clock,
            appointments=DatabaseAppointments(engine=engine, readers=threads),
            readers=threads,
            engine=engine,
            outcomes=outcomes,
            connections=connections,
            pools=_pools(backend, threads, engine),
            check=backend.check,
        )
    finally:
        cutting = asyncio.get_running_loop().call_later(patience, connections.cut)
        await appender.aclose(within=patience)
        cutting.cancel()
        connections.cut()
        threads.close()
        engine.dispose()
        await asyncio.to_thread(backend.close)


def _pools(backend: Backend, threads: Readers, engine: Engine) -> Pools:
    pools: dict[str, Callable[[], PoolState]] = {
        "database_readers": lambda: threads.state,
        "database_tables": lambda: pool_state(engine),
    }
    return pools if backend.pool is None else {**pools, "database_log": backend.pool}


def _open(url: str, options: Options, clock: DatabaseClock, connections: Connections) -> Backend:
    try:
        return _backend(url, options, clock, connections)
    except (DBAPIError, PersistenceError, sqlite3.Error, psycopg.Error) as exc:
        reason = str(getattr(exc, "orig", None) or exc).strip()
        raise AppointmentDatabaseError(f"the database cannot be opened: {reason}", kind="connection_lost") from exc


def _backend(url: str, options: Options, clock: DatabaseClock, connections: Connections) -> Backend:
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        return open_sqlite(url, options, clock)
    if kind == "postgresql":
        return open_postgres(url, options, clock, connections)
    raise ValueError(f"a database URL begins with sqlite:/// or postgresql://, not with {kind}")
