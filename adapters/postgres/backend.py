"""PostgreSQL, opened for a store."""

from collections.abc import Mapping
from typing import Final

from adapters.database.clock import DatabaseClock
from adapters.database.unanswered import Connections
from adapters.pools import PoolState
from adapters.postgres.datastore import open_datastore
from adapters.postgres.due_work import PostgresDueWork
from adapters.postgres.errors import database_error
from adapters.postgres.recorder import PostgresLogRecorder
from adapters.postgres.session import LOCK_SECONDS, Limits, WriterSession
from adapters.recording.backend import Backend, Options
from migrations.runner import check

OPENING_SECONDS: Final = 10.0
"""How long the first connection of the pool may take: who starts can wait, a caller cannot."""


def open_postgres(url: str, options: Options, clock: DatabaseClock, connections: Connections) -> Backend:
    """
    Open a database that has been migrated; what waits for it is cut with `connections`.

    Raises:
        SchemaError: it has not been, or by a newer calsaga.
        DatabaseFunctionsEnabled: the environment asks for what must not be.

    """
    datastore = open_datastore(
        url,
        sizes=options.readers,
        connect_timeout=options.connect_timeout,
        statement_timeout=options.statement_timeout,
        connections=connections,
    )
    check(url)
    datastore.pool.open(wait=True, timeout=OPENING_SECONDS)
    limits = Limits(lock=options.lock_timeout or LOCK_SECONDS, statement=options.statement_timeout)
    recorder = PostgresLogRecorder(
        datastore,
        session=WriterSession(url, limits, connections),
        mapper=options.mapper,
        probe=options.probe,
        clock=clock,
    )
    return Backend(
        recorder=recorder,
        append=recorder.append,
        due_work=PostgresDueWork(datastore, clock),
        database_error=database_error,
        close=recorder.close,
        pool=lambda: _state(datastore.pool.get_stats()),
    )


def _state(stats: Mapping[str, int]) -> PoolState:
    size = stats["pool_size"]
    return PoolState(
        limit=stats["pool_max"],
        size=size,
        in_use=size - stats["pool_available"],
        waiting=stats["requests_waiting"],
        timeouts=stats.get("requests_errors", 0),
    )
