"""One SQLAlchemy engine for all that is read and written beside the log."""

import sqlite3
from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from adapters.database import dead_peers
from adapters.database.unanswered import Connections
from adapters.pools import PoolState

BUSY_SECONDS = 30.0
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 10.0
STATEMENT_SECONDS = 60.0
"""Longer than anybody waits for an answer, since `verify` and rebuilding go through whole tables."""


def open_engine(
    url: str,
    *,
    pool_size: int = 5,
    silence: float = SILENCE_SECONDS,
    connections: Connections | None = None,
    check: Callable[[], None] = lambda: None,
) -> Engine:
    """
    Return an engine for `sqlite:///path` or `postgresql://…`; nothing is connected yet.

    Its connections to PostgreSQL are cut with `connections`; one to SQLite is used only if `check` raises no error of
    sqlite3.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size, check)
    options = dead_peers.server_options(STATEMENT_SECONDS, options=str(parsed.query.get("options", "")))
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        pool_pre_ping=True,
        json_serializer=lambda document: orjson.dumps(document).decode(),
        connect_args={
            "application_name": "calsaga",
            "options": options,
            **dead_peers.limits(connect=CONNECT_SECONDS, silence=silence),
        },
    )
    limited = (connections or Connections()).limited(STATEMENT_SECONDS)

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


def _sqlite(url: URL, pool_size: int, check: Callable[[], None]) -> Engine:
    engine = create_engine(url, pool_size=pool_size, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _be_durable(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "checkout")
    def _be_of_the_file(*_: object) -> None:
        try:
            check()
        except sqlite3.Error as gone:
            raise OperationalError("use a connection", None, gone) from gone

    return engine
