"""One SQLAlchemy engine for all that is read and written beside the log."""

import sqlite3

from sqlalchemy import URL, Engine, create_engine, event, make_url

BUSY_SECONDS = 30.0


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql://…`; nothing is connected yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        pool_pre_ping=True,
        connect_args={"application_name": "calsaga", "connect_timeout": 5},
    )


def _sqlite(url: URL, pool_size: int) -> Engine:
    engine = create_engine(url, pool_size=pool_size, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _be_durable(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")

    return engine
