"""One SQLAlchemy engine for all that is read and written beside the log."""

import logging
import sqlite3
from typing import Any, cast

import orjson
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from adapters.database import dead_peers, unanswered
from adapters.pools import PoolState

BUSY_SECONDS = 30.0
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 10.0
STATEMENT_SECONDS = 60.0
"""Longer than anybody waits for an answer, since `verify` and rebuilding go through whole tables."""

# SQLAlchemy names the logger of a pool after its class, and says less in its own loggers than it would in ours.
logging.getLogger(f"{__name__}.ClosingPool").setLevel(logging.WARNING)


class ClosingPool(QueuePool):
    """
    Once it is disposed of, close what is given back, too.

    A thread that still reads when its process stops has a connection that would be kept by a pool nobody looks into.
    """

    is_disposed = False

    def dispose(self) -> None:
        self.is_disposed = True
        super().dispose()

    def recreate(self) -> "ClosingPool":
        # For whoever connects once the engine is disposed of.
        twin = cast("ClosingPool", super().recreate())
        twin.is_disposed = self.is_disposed
        return twin

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        # Afterwards, since it may be disposed of at any moment.
        if self.is_disposed:
            super().dispose()


def open_engine(url: str, *, pool_size: int = 5, silence: float = SILENCE_SECONDS) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql://…`; nothing is connected yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    options = dead_peers.server_options(STATEMENT_SECONDS, options=str(parsed.query.get("options", "")))
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        poolclass=ClosingPool,
        pool_size=pool_size,
        pool_pre_ping=True,
        json_serializer=lambda document: orjson.dumps(document).decode(),
        connect_args={
            "application_name": "calsaga",
            "options": options,
            **dead_peers.limits(connect=CONNECT_SECONDS, silence=silence),
        },
    )
    limited = unanswered.limited(STATEMENT_SECONDS)

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, words: list[Any], options: dict[str, Any]) -> object:
        return limited.connect(*words, **options)

    return engine


def pool_state(engine: Engine) -> PoolState:
    """Return how the engine's pool stands; beyond its size it opens a few more for as long as they are needed."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)  # noqa: S101 - what an engine over a file or a server has
    return PoolState(
        limit=pool.size() + max(pool._max_overflow, 0),  # noqa: SLF001 - it has no other name
        size=pool.checkedin() + pool.checkedout(),
        in_use=pool.checkedout(),
    )


def _sqlite(url: URL, pool_size: int) -> Engine:
    engine = create_engine(url, poolclass=ClosingPool, pool_size=pool_size, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _be_durable(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")

    return engine
