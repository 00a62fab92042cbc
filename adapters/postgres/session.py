"""The writer's own connection: one a process, opened when it is needed, dropped when it is broken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import generators

from adapters.database import dead_peers
from adapters.database.unanswered import Connections

WRITER_LOCK: Final = 7_161_131_117_200_901_017
"""The advisory lock of everybody who writes the log."""

LOCK_SECONDS: Final = 10.0
"""How long one wait for it is, unless somebody says otherwise."""

LOCK: Final = f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"
BEGIN: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED; {LOCK}"
COMMIT: Final = "COMMIT"

SETTINGS: Final = """
    SET lock_timeout = {lock};
    SET statement_timeout = {statement};
    -- Whoever is stopped while holding the writer lock must not stop all others.
    SET idle_in_transaction_session_timeout = {idle};
    SET synchronous_commit = on;
    -- A plan that is made while the tables are empty is kept: it must be one that fits when they are full.
    SET enable_seqscan = off;
    SET plan_cache_mode = force_generic_plan;
    SET jit = off;
    -- Our JSON is, whatever the URL, the role or the environment says of text.
    SET client_encoding = 'UTF8'
"""

Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many seconds the writer waits: to connect, for the lock, and for one statement that has it."""

    connect: float = 5.0
    lock: float = LOCK_SECONDS
    statement: float = 10.0


class WriterSession:
    """Hold the connection, and never hand out one that is in an unknown state."""

    def __init__(self, url: str, limits: Limits, connections: Connections) -> None:
        self._url = url
        self._limits = limits
        # The statement that takes the lock may wait for it first.
        self._longest = limits.lock + limits.statement
        self._class = connections.limited(self._longest)
        self._connection: psycopg.Connection[Row] | None = None

    def begin(self) -> psycopg.Cursor[Row]:
        """
        Begin a transaction and wait for the writer lock; what is asked next sees what was committed before it was ours.

        One short message: whoever stops afterwards is idle in a transaction, which the server ends. In a pipeline,
        which psycopg sends piece by piece, whoever stops between two pieces is not, and keeps the lock for ever.

        Raises:
            psycopg.Error: there is no connection, or the lock was not to be had in time.

        """
        connection = self._opened()
        connection.execute(BEGIN)
        return connection.cursor(binary=True)

    def attempt(self, cursor: psycopg.Cursor[Row], query: str, parameters: Mapping[str, object]) -> bool:
        """Execute what a constraint may refuse; if one does, undo that alone, and return False."""
        cursor.execute("SAVEPOINT attempt")
        try:
            cursor.execute(query, parameters)
        except (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation):
            self.undo(cursor, "attempt")
            return False
        cursor.execute("RELEASE SAVEPOINT attempt")
        return True

    def undo(self, cursor: psycopg.Cursor[Row], savepoint: str) -> None:
        """Undo everything since a savepoint."""
        # Past psycopg's cursor, which takes every rollback for the end of all that is prepared.
        pgconn = cursor.connection.pgconn
        pgconn.send_query(f"ROLLBACK TO SAVEPOINT {savepoint}".encode())
        cursor.connection.wait(generators.execute(pgconn))

    def commit(self) -> None:
        """Commit."""
        if self._connection is None:
            raise psycopg.InterfaceError("there is no transaction to commit")
        self._connection.execute(COMMIT)

    def abandon(self) -> None:
        """Roll back; close the connection if that does not work."""
        if self._connection is None:
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        """Close the connection; the next append opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> psycopg.Connection[Row]:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> psycopg.Connection[Row]:
        connection = self._class.connect(
            self._url,
            autocommit=True,
            application_name="calsaga writer",
            **dead_peers.limits(connect=self._limits.connect, silence=self._limits.statement),  # type: ignore[arg-type]
        )
        lock, statement = round(1000 * self._limits.lock), round(1000 * self._limits.statement)
        settings = SETTINGS.format(lock=lock, statement=round(1000 * self._longest), idle=statement)
        try:
            connection.execute(settings)
        except psycopg.Error:
            connection.close()
            raise
        return connection
